using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Switches.QBridge;

namespace GridAppliance.Switches.Snmp;

/// <summary>Who a switch says it is (SNMPv2-MIB: RFC 3418; BRIDGE-MIB; LLDP-MIB).</summary>
sealed record SwitchIdentity
{
    public string Description { get; init; } = "";
    public ObjectIdentifier Make { get; init; }
    /// <summary>Since its agent started: goes back when it restarts, and once in 497 days.</summary>
    public TimeSpan UpTime { get; init; }
    /// <summary>Who answers for it; our mark of ownership stands in it.</summary>
    public string Contact { get; init; } = "";
    public string Name { get; init; } = "";
    public MacAddress? BridgeAddress { get; init; }
    /// <summary>As it calls itself in LLDP, in hexadecimal where it is an address.</summary>
    public string Chassis { get; init; } = "";
    public MacAddress? ChassisMac { get; init; }
}

/// <summary>A switch that says who it is, and keeps a line of text for us.</summary>
interface IIdentifiedSwitch
{
    Task<SwitchIdentity> ReadIdentityAsync(CancellationToken cancellationToken);

    /// <summary>Writes the contact; gives what the switch says against it, or null.</summary>
    Task<string?> WriteContactAsync(string contact, CancellationToken cancellationToken);
}

/// <summary>A switch that forgets at a restart what was not saved.</summary>
interface IStartUpStore
{
    /// <summary>Copies what it does now to what it starts with. Fails with a <see cref="Hosting.DeviceException"/>.</summary>
    Task<SaveOutcome> SaveAsync(CancellationToken cancellationToken);
}

enum SaveOutcome
{
    Saved,
    /// <summary>It saves by itself, or in a way that we do not know.</summary>
    NotKnown,
    /// <summary>It said no, or that it failed.</summary>
    Failed,
}

/// <summary>Both, for any device that is spoken to through SNMP.</summary>
sealed class SnmpSystem(SnmpSession session) : IIdentifiedSwitch, IStartUpStore
{
    static readonly ObjectIdentifier System = new(1, 3, 6, 1, 2, 1, 1);
    static readonly ObjectIdentifier Description = System.Append(1, 0), UpTime = QBridgeMib.SysUpTime, Contact = System.Append(4, 0), Name = System.Append(5, 0);
    static readonly ObjectIdentifier BridgeAddress = new(1, 3, 6, 1, 2, 1, 17, 1, 1, 0);
    static readonly ObjectIdentifier LldpChassisSubtype = new(1, 0, 8802, 1, 1, 2, 1, 3, 1, 0), LldpChassis = new(1, 0, 8802, 1, 1, 2, 1, 3, 2, 0);
    static readonly ObjectIdentifier Cisco = new(1, 3, 6, 1, 4, 1, 9);
    const int ChassisIsMac = 4;

    /// <summary>CISCO-CONFIG-COPY-MIB: a row that is made is an order to copy.</summary>
    static readonly ObjectIdentifier Copy = Cisco.Append(9, 96, 1, 1, 1, 1);
    const uint CopySource = 3, CopyDestination = 4, CopyState = 10, CopyRowStatus = 14;
    const int StartUp = 3, Running = 4, Successful = 3, Failed = 4;
    static readonly TimeSpan CopyPatience = TimeSpan.FromSeconds(60), CopyLook = TimeSpan.FromSeconds(1);

    public async Task<SwitchIdentity> ReadIdentityAsync(CancellationToken cancellationToken)
    {
        var cells = await session.GetAsync([Description, QBridgeMib.SysObjectId, UpTime, Contact, Name, BridgeAddress, LldpChassisSubtype, LldpChassis], cancellationToken);
        var isMac = cells[6].Value.TryGetInt32(out var subtype) && subtype == ChassisIsMac;
        return new()
        {
            Description = cells[0].Value.AsText,
            Make = cells[1].Value.AsIdentifier,
            UpTime = TimeSpan.FromMilliseconds(cells[2].Value.AsUInt64 * 10.0),
            Contact = cells[3].Value.AsText,
            Name = cells[4].Value.AsText,
            BridgeAddress = Mac(cells[5].Value),
            Chassis = LldpRows.Identifier(cells[7].Value),
            ChassisMac = isMac ? Mac(cells[7].Value) : null,
        };
    }

    /// <summary>The pulse of a device whose ports are told by some columns.</summary>
    public async Task<SwitchPulse> ReadPulseAsync(IReadOnlyList<ObjectIdentifier> columns, CancellationToken cancellationToken)
    {
        var who = session.GetAsync([UpTime, Contact], cancellationToken);
        var rows = await Task.WhenAll(columns.Select(column => session.WalkAsync(column, cancellationToken)));
        var up = TimeSpan.FromMilliseconds((await who)[0].Value.AsUInt64 * 10.0);
        return new([.. rows.SelectMany(r => r)], (await who)[1].Value.AsText, (long)(session.Clock.GetUtcNow() - DateTimeOffset.UnixEpoch - up).TotalMinutes);
    }

    static MacAddress? Mac(SnmpValue value) => value.AsOctets.Length == MacAddress.Length && MacAddress.Read(value.AsOctets) is { IsZero: false } mac ? mac : null;

    public async Task<string?> WriteContactAsync(string contact, CancellationToken cancellationToken)
    {
        var outcome = await session.SetAsync([new(Contact, SnmpValue.Text(contact))], cancellationToken);
        return outcome.IsDone ? null : outcome.ToString();
    }

    public async Task<SaveOutcome> SaveAsync(CancellationToken cancellationToken)
    {
        var make = (await session.GetAsync([QBridgeMib.SysObjectId], cancellationToken))[0].Value.AsIdentifier;
        if (!make.StartsWith(Cisco)) return SaveOutcome.NotKnown;
        // A number that no row of somebody else's is likely to have, as the MIB asks for.
        var row = (uint)Random.Shared.Next(1, int.MaxValue);
        var outcome = await session.SetAsync(
        [
            new(Copy.Append(CopySource, row), SnmpValue.Integer(Running)), new(Copy.Append(CopyDestination, row), SnmpValue.Integer(StartUp)),
            new(Copy.Append(CopyRowStatus, row), SnmpValue.Integer(RowStatus.CreateAndGo)),
        ], cancellationToken);
        if (!outcome.IsDone) return SaveOutcome.Failed;
        var state = await EndOfCopyAsync(row, cancellationToken);
        // Rows age out by themselves; whether this one goes now is not important.
        await session.SetAsync([new(Copy.Append(CopyRowStatus, row), SnmpValue.Integer(RowStatus.Destroy))], cancellationToken);
        return state == Successful ? SaveOutcome.Saved : SaveOutcome.Failed;
    }

    async Task<int> EndOfCopyAsync(uint row, CancellationToken cancellationToken)
    {
        var giveUp = session.Clock.GetUtcNow() + CopyPatience;
        while (true)
        {
            var value = (await session.GetAsync([Copy.Append(CopyState, row)], cancellationToken))[0].Value;
            if (value.TryGetInt32(out var state) && state is Successful or Failed) return state;
            if (session.Clock.GetUtcNow() >= giveUp) return Failed;
            await Task.Delay(CopyLook, session.Clock, cancellationToken);
        }
    }
}
