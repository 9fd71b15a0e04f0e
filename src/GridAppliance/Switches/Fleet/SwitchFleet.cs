using System.Collections.Immutable;
using System.Text;
using GridAppliance.Hosting;
using GridAppliance.Nodes;

namespace GridAppliance.Switches.Fleet;

/// <summary>How an enrolment ended.</summary>
abstract record SwitchEnrolment
{
    public sealed record Accepted(ManagedSwitch Switch) : SwitchEnrolment;

    public sealed record Refused(string Reason, string NextStep) : SwitchEnrolment;
}

/// <summary>All enrolled switches: those of the configuration file and those that people added. Reading is a snapshot; changes are one after the other.</summary>
sealed partial class SwitchFleet : IHostedService, IAsyncDisposable
{
    readonly ApplianceOptions options;
    readonly SwitchFamily family;
    readonly SecretSeal seal;
    readonly SwitchSurroundings around;
    readonly ILogger<SwitchFleet> logger;
    readonly SemaphoreSlim changing = new(1, 1);
    ImmutableSortedDictionary<string, ManagedSwitch> switches = ImmutableSortedDictionary.Create<string, ManagedSwitch>(StringComparer.OrdinalIgnoreCase);

    public SwitchFleet(ApplianceOptions options, SwitchFamily family, SecretSeal seal, SwitchSurroundings around, ILogger<SwitchFleet> logger) =>
        (this.options, this.family, this.seal, this.around, this.logger) = (options, family, seal, around, logger);

    /// <summary>By name.</summary>
    public IReadOnlyDictionary<string, ManagedSwitch> Current => Volatile.Read(ref switches);

    /// <summary>A switch came, went, or is another's to write now.</summary>
    public event Action? Changed;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var stored = around.Store.Load().ToDictionary(s => s.Record.Name, StringComparer.OrdinalIgnoreCase);
        foreach (var declared in options.Switches)
        {
            var known = stored.GetValueOrDefault(declared.Record.Name);
            // What a probe found holds as long as it is the same device.
            var record = known?.Record.Address != declared.Record.Address ? declared.Record : declared.Record with { Abilities = known.Record.Abilities, RecognisedUplinks = known.Record.RecognisedUplinks };
            stored[record.Name] = new(record, Seal(record.Name, declared.Secrets), known?.HasUnsaved ?? false);
            await around.Store.SaveAsync(record, stored[record.Name].Secrets, cancellationToken);
        }
        foreach (var one in stored.Values)
        {
            if (one.Record.IsFromFile && options.Switches.All(s => !s.Record.Name.Equals(one.Record.Name, StringComparison.OrdinalIgnoreCase))) await around.Store.RemoveAsync(one.Record.Name, cancellationToken);
            else if (TryOpen(one, out var reason) is { } opened) switches = switches.Add(opened.Name, opened);
            else LogNotOpened(one.Record.Name, reason);
        }
        Changed?.Invoke();
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Takes a switch in when it answers; what it can do is found out, and stands in its record afterwards.</summary>
    public async Task<SwitchEnrolment> AddAsync(SwitchRecord record, string secrets, string actor, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken);
        ManagedSwitch? opened = null;
        try
        {
            if (Current.ContainsKey(record.Name)) return new SwitchEnrolment.Refused($"there is a switch '{record.Name}' already", "choose another name, or remove that one first");
            if (Current.Values.FirstOrDefault(s => s.Record.Address == record.Address) is { } same) return new SwitchEnrolment.Refused($"{record.Address} is the switch '{same.Name}'", "look with `gridctl switch list`");
            var stored = new StoredSwitch(record, Seal(record.Name, secrets), false);
            opened = TryOpen(stored, out var reason);
            if (opened is null) return new SwitchEnrolment.Refused(reason, "see `gridctl switch add --help`");
            var abilities = await opened.ProbeAsync(cancellationToken);
            opened.Change(latest => latest with { Abilities = abilities });
            await around.Store.SaveAsync(opened.Record, stored.Secrets, cancellationToken);
            Volatile.Write(ref switches, switches.Add(record.Name, opened));
            var added = opened;
            opened = null;
            await around.Timeline.AppendAsync(new NewEvent("switch.added", $"switch {record.Name} at {record.Address}: {string.Join(' ', abilities.Words)}") { Actor = actor }, cancellationToken);
            Changed?.Invoke();
            return new SwitchEnrolment.Accepted(added);
        }
        catch (DeviceException e)
        {
            return new SwitchEnrolment.Refused(e.Message, e.Fault == DeviceFault.CredentialsRefused ? "check the user and the secret" : "check the address, and that the switch answers SNMP from here");
        }
        finally
        {
            changing.Release();
            if (opened is not null) await opened.DisposeAsync();
        }
    }

    /// <summary>Changes what of a switch is ours and who is right about it, and tries it again.</summary>
    /// <exception cref="DeviceException">The change is stored; the switch could not be asked what it can do.</exception>
    public async Task<ManagedSwitch?> ChangeAsync(string name, Func<SwitchRecord, SwitchRecord> change, string what, string actor, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken);
        try
        {
            if (Find(name) is not { } known) return null;
            known.Change(latest => change(latest) with { Abilities = null });
            await around.Store.UpdateAsync(known.Record, cancellationToken);
            await around.Timeline.AppendAsync(new NewEvent("switch.changed", $"switch {known.Name}: {what}") { Actor = actor }, cancellationToken);
            await ProbeAsync(known, cancellationToken);
            return known;
        }
        finally
        {
            changing.Release();
        }
    }

    /// <summary>Finds out what a switch can do, and keeps it.</summary>
    /// <exception cref="DeviceException">It cannot be asked.</exception>
    public async Task ProbeAsync(ManagedSwitch known, CancellationToken cancellationToken)
    {
        var abilities = await known.ProbeAsync(cancellationToken);
        known.Change(latest => latest with { Abilities = abilities });
        await around.Store.UpdateAsync(known.Record, cancellationToken);
        Changed?.Invoke();
    }

    /// <summary>Makes a switch ours that is another's. For people who know that the other is gone.</summary>
    /// <exception cref="DeviceException">It cannot be asked.</exception>
    public async Task<ManagedSwitch?> TakeOverAsync(string name, string actor, CancellationToken cancellationToken)
    {
        if (Find(name) is not { Ownership: { } ownership } known) return null;
        var before = ownership.Owner;
        await ownership.ClaimAsync(isTakeOver: true, cancellationToken);
        await around.Timeline.AppendAsync(new NewEvent("switch.taken", $"switch {known.Name} was taken over{(before is null ? "" : $" from the appliance '{before.Name}'")}") { Actor = actor, Severity = EventSeverity.Warning }, cancellationToken);
        await ProbeAsync(known, cancellationToken);
        return known;
    }

    /// <returns>False when there is none, or it stands in the configuration file.</returns>
    public async Task<bool> RemoveAsync(string name, string actor, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken);
        try
        {
            if (Find(name) is not { Record.IsFromFile: false } known) return false;
            try
            {
                if (known.Ownership is { } ownership) await ownership.ReleaseAsync(cancellationToken);
            }
            catch (DeviceException e)
            {
                // Gone for good, perhaps: it keeps our mark, and whoever gets it takes it over.
                LogKeepsMark(known.Name, e.Message);
            }
            await around.Store.RemoveAsync(known.Name, cancellationToken);
            await around.Intents.ForgetAsync(known.Name, cancellationToken);
            Volatile.Write(ref switches, switches.Remove(known.Name));
            around.Uplinks.Forget(known.Name);
            await known.DisposeAsync();
            await around.Timeline.AppendAsync(new NewEvent("switch.removed", $"switch {known.Name} is no longer looked after") { Actor = actor }, cancellationToken);
            Changed?.Invoke();
            return true;
        }
        finally
        {
            changing.Release();
        }
    }

    public ManagedSwitch? Find(string name) => Current.TryGetValue(name, out var found) ? found : null;

    public async ValueTask DisposeAsync()
    {
        // Twice when it is both a singleton and a hosted service: the second time there is nothing left.
        foreach (var one in Interlocked.Exchange(ref switches, switches.Clear()).Values) await one.DisposeAsync();
    }

    SealedSecret Seal(string name, string secrets) => seal.Seal(Encoding.UTF8.GetBytes(secrets), SwitchStore.Purpose(name));

    ManagedSwitch? TryOpen(StoredSwitch stored, out string reason)
    {
        reason = "";
        try
        {
            if (seal.Unseal(stored.Secrets, SwitchStore.Purpose(stored.Record.Name)) is { } secrets)
            {
                var credentials = stored.Record.Account.With(Encoding.UTF8.GetString(secrets));
                return new(stored.Record, stored.HasUnsaved, family.Open(stored.Record.Address, credentials), credentials, around);
            }
            reason = "its secret cannot be unsealed with this appliance's key";
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            reason = e.Message;
        }
        return null;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Switch {Name} is not looked after: {Reason}")]
    partial void LogNotOpened(string name, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Switch {Name} is let go, and keeps our mark: {Reason}")]
    partial void LogKeepsMark(string name, string reason);
}
