using GridAppliance.Hosting;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Switches.Snmp;

namespace GridAppliance.Power.Pdu;

/// <summary>An outlet by number and by the name that somebody gave it.</summary>
sealed record OutletLabel(int Number, string Name, PowerState State);

/// <summary>
/// One outlet of a PDU as a node's power: <c>snmp+apc://10.0.0.9/7</c>. Hard power only: an outlet cannot ask anybody to shut down. Dialects are tried in their order
/// on the first use; the PDU's answer decides.
/// </summary>
sealed class PduOutlet : IPowerControl, IPrivilegedPort
{
    readonly SnmpSession session;
    readonly IReadOnlyList<OutletDialect> dialects;
    readonly int outlet;
    OutletDialect? known;

    public PduOutlet(Uri address, SnmpSession session, params IReadOnlyList<OutletDialect> dialects)
    {
        Address = address;
        this.session = session;
        this.dialects = dialects;
        outlet = NumberIn(address) ?? throw new NotSupportedException($"{address}: the path is the outlet's number, such as /7");
    }

    public Uri Address { get; }

    public async Task<PowerState> GetPowerAsync(CancellationToken cancellationToken)
    {
        var dialect = await DialectAsync(cancellationToken);
        var value = (await session.GetAsync([dialect.State.Append((uint)outlet)], cancellationToken))[0].Value;
        return StateOf(dialect, value);
    }

    public async Task SetPowerAsync(PowerAction action, CancellationToken cancellationToken)
    {
        var dialect = await DialectAsync(cancellationToken);
        var command = action switch
        {
            PowerAction.On => dialect.SwitchOn,
            PowerAction.Off => dialect.SwitchOff,
            // On many PDUs an outlet that is off stays so when it is told to cycle.
            PowerAction.Cycle or PowerAction.Reset => await GetPowerAsync(cancellationToken) == PowerState.Off ? dialect.SwitchOn : dialect.Cycle,
            PowerAction.SoftOff or PowerAction.Interrupt => throw new DeviceException(DeviceFault.Unsupported, Address.ToString(), $"an outlet has no {action}", isTransient: false),
        };
        var outcome = await session.SetAsync([new(dialect.Command.Append((uint)outlet), SnmpValue.Integer(command))], cancellationToken);
        if (outcome.IsDone) return;
        var isForbidden = outcome.Status is SnmpErrorStatus.NoAccess or SnmpErrorStatus.NotWritable or SnmpErrorStatus.AuthorizationError or SnmpErrorStatus.ReadOnly;
        throw new DeviceException(isForbidden ? DeviceFault.CredentialsRefused : DeviceFault.Refused, Address.ToString(), $"refused to switch outlet {outlet}: {outcome}", isTransient: false);
    }

    /// <summary>All outlets of the PDU: for people who look for the right one.</summary>
    public async Task<IReadOnlyList<OutletLabel>> ListAsync(CancellationToken cancellationToken)
    {
        var dialect = await DialectAsync(cancellationToken);
        var names = session.WalkAsync(dialect.Name, cancellationToken);
        var states = session.WalkAsync(dialect.State, cancellationToken);
        await Task.WhenAll(names, states);
        var byNumber = new Dictionary<uint, SnmpValue>();
        foreach (var cell in await states)
        {
            if (cell.Name.Below(dialect.State) is [var number]) byNumber[number] = cell.Value;
        }
        var found = new List<OutletLabel>();
        foreach (var cell in await names)
        {
            if (cell.Name.Below(dialect.Name) is [<= int.MaxValue and var number]) found.Add(new((int)number, cell.Value.AsText, StateOf(dialect, byNumber.GetValueOrDefault(number))));
        }
        return found;
    }

    public ValueTask DisposeAsync()
    {
        session.Dispose();
        return ValueTask.CompletedTask;
    }

    async Task<OutletDialect> DialectAsync(CancellationToken cancellationToken)
    {
        if (known is { } dialect) return dialect;
        var states = await session.GetAsync([.. dialects.Select(d => d.State.Append((uint)outlet))], cancellationToken);
        for (var i = 0; i < dialects.Count; i++)
        {
            if (!states[i].Value.IsException) return known = dialects[i];
        }
        throw new DeviceException(DeviceFault.Unsupported, Address.ToString(), $"has no switched outlet {outlet}", isTransient: false);
    }

    static PowerState StateOf(OutletDialect dialect, SnmpValue value) =>
        !value.TryGetInt32(out var state) ? PowerState.Unknown : state == dialect.StateOn ? PowerState.On : state == dialect.StateOff ? PowerState.Off : PowerState.Unknown;

    static int? NumberIn(Uri address) => int.TryParse(address.AbsolutePath.AsSpan().Trim('/'), out var number) && number > 0 ? number : null;
}
