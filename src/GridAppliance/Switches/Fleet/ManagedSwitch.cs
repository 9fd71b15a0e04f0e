using System.Collections.Immutable;
using GridAppliance.Fabric;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Switches.Snmp;

namespace GridAppliance.Switches.Fleet;

/// <summary>What a change would come to, for people who ask first.</summary>
/// <param name="Refusals">Why nothing would be written; empty when it would be done.</param>
/// <param name="Pdus">SET requests that it would take.</param>
/// <param name="Before">The switch as it is.</param>
sealed record ChangePreview(ImmutableArray<string> Refusals, int Pdus, SwitchSnapshot Before);

/// <summary>What a <see cref="ManagedSwitch"/> shares with the others.</summary>
sealed record SwitchSurroundings(ISwitchJournal Journal, SwitchStore Store, Timeline Timeline, SwitchIntents Intents, SwitchMark Mark, UplinkRecogniser Uplinks, TimeProvider Clock, ILoggerFactory Loggers);

/// <summary>One enrolled switch: its driver, the actor that alone writes to it, what was read of it last, and whose it is.</summary>
sealed class ManagedSwitch : IWriteGuard, IAsyncDisposable
{
    /// <summary>Everything is read so often although nothing seems to have changed: links, neighbours, names and descriptions are not in the pulse.</summary>
    static readonly TimeSpan MostlyFull = TimeSpan.FromMinutes(5);
    static readonly TimeSpan UplinkMemory = TimeSpan.FromDays(1);

    readonly IVlanWriter device;
    readonly SwitchActor changes;
    readonly SwitchSurroundings around;
    readonly StartUpSaver? saver;
    readonly SemaphoreSlim reading = new(1, 1);
    SwitchRecord record;
    SwitchReading? lastReading;
    SwitchTrouble? trouble;
    SwitchPulse? pulse;
    int changing;

    public ManagedSwitch(SwitchRecord record, bool hasUnsaved, IVlanWriter device, SnmpCredentials credentials, SwitchSurroundings around)
    {
        (this.record, this.device, this.around, Credentials) = (record, device, around, credentials);
        if (device is IIdentifiedSwitch identified) Ownership = new(identified, around.Mark);
        if (device is IStartUpStore store) saver = new(record.Name, store, hasUnsaved, around.Store, around.Timeline, around.Clock, around.Loggers.CreateLogger<StartUpSaver>());
        changes = new(device, PolicyOn, this, around.Journal, around.Loggers.CreateLogger<SwitchActor>());
    }

    public string Name => record.Name;

    public SwitchRecord Record => Volatile.Read(ref record);

    /// <summary>The last reading that went well; null before the first.</summary>
    public SwitchReading? Reading => Volatile.Read(ref lastReading);

    /// <summary>Null while the switch answers.</summary>
    public SwitchTrouble? Trouble => Volatile.Read(ref trouble);

    public SwitchOwnership? Ownership { get; }

    /// <summary>How it is logged in to; what it signs itself is checked with the same.</summary>
    public SnmpCredentials Credentials { get; }

    public bool HasUnsaved => saver?.HasUnsaved ?? false;

    /// <summary>Changes the record in memory; whoever calls writes it down.</summary>
    public SwitchRecord Change(Func<SwitchRecord, SwitchRecord> change)
    {
        while (true)
        {
            var before = Record;
            var after = change(before);
            if (Interlocked.CompareExchange(ref record, after, before) == before) return after;
        }
    }

    public SwitchPolicy PolicyOn(SwitchSnapshot snapshot) => Record.Ours.On(snapshot, Record.RecognisedUplinks.Keys);

    /// <summary>Reads everything anew.</summary>
    /// <exception cref="DeviceException">It cannot be read; <see cref="Trouble"/> says so until it can.</exception>
    public Task<SwitchReading> ReadAsync(CancellationToken cancellationToken) => ReadingAsync(async () =>
    {
        var began = around.Clock.GetTimestamp();
        var identity = (device as IIdentifiedSwitch)?.ReadIdentityAsync(cancellationToken) ?? Task.FromResult(new SwitchIdentity());
        var snapshot = await device.ReadAsync(cancellationToken);
        var forwarding = (device as IPortMap)?.ReadForwardingAsync(snapshot, cancellationToken) ?? Task.FromResult<IReadOnlyList<ForwardingEntry>>([]);
        var neighbours = (device as IPortMap)?.ReadNeighboursAsync(snapshot, cancellationToken) ?? Task.FromResult<IReadOnlyList<SwitchNeighbour>>([]);
        await Task.WhenAll(identity, forwarding, neighbours);
        Ownership?.Saw((await identity).Contact);
        var now = around.Clock.GetUtcNow();
        return new SwitchReading
        {
            At = now, ForwardingAt = now, Took = around.Clock.GetElapsedTime(began),
            Identity = await identity, Snapshot = snapshot, Forwarding = await forwarding, Neighbours = await neighbours,
        };
    }, cancellationToken);

    /// <summary>Reads anew what changes often, and everything only if something else has changed: the cheap look of every minute.</summary>
    /// <returns>Whether everything was read.</returns>
    /// <exception cref="DeviceException">It cannot be read.</exception>
    public async Task<bool> GlanceAsync(CancellationToken cancellationToken)
    {
        if (Reading is not { } known || device is not IPulsingSwitch pulsing || around.Clock.GetUtcNow() - known.At > MostlyFull)
        {
            await ReadAsync(cancellationToken);
            return true;
        }
        var now = await pulsing.ReadPulseAsync(cancellationToken);
        if (pulse is null || !pulse.Equals(now))
        {
            await ReadAsync(cancellationToken);
            pulse = now;
            return true;
        }
        await ReadForwardingAsync(cancellationToken);
        return false;
    }

    /// <summary>Reads anew who is behind which port, and nothing else but for what that shows to be out of date: when somebody new has shown up.</summary>
    /// <exception cref="DeviceException">It cannot be read.</exception>
    public async Task<SwitchReading> ReadForwardingAsync(CancellationToken cancellationToken)
    {
        if (Reading is null || device is not IPortMap map) return await ReadAsync(cancellationToken);
        var (before, now) = (Reading, await ReadingAsync(async () =>
        {
            var known = Reading!;
            return known with { Forwarding = await map.ReadForwardingAsync(known.Snapshot, cancellationToken), ForwardingAt = around.Clock.GetUtcNow() };
        }, cancellationToken));
        // A newcomer behind a port that had no link, or was not there: the server was switched on after the ports were read.
        return now.Forwarding.Except(before.Forwarding).Any(e => e.Port > 0 && (!now.Snapshot.Ports.TryGetValue(e.Port, out var port) || port.HasLink == false)) ? await ReadAsync(cancellationToken) : now;
    }

    /// <summary>A change is under way.</summary>
    public bool IsChanging => Volatile.Read(ref changing) > 0;

    /// <summary>Does it, or says why not; see <see cref="SwitchActor"/>. What was done is how the ports are to be from now on.</summary>
    /// <exception cref="DeviceException">The switch cannot be reached, and nothing was written.</exception>
    public async Task<ChangeOutcome> ApplyAsync(VlanIntent intent, string actor, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref changing);
        try
        {
            var outcome = await changes.ApplyAsync(intent, cancellationToken);
            if (outcome.Ending is ChangeEnding.Done or ChangeEnding.Unchanged && Reading is { } known)
            {
                var left = intent.Ports.Where(p => known.Snapshot.Ports.ContainsKey(p.Port)).Select(p => KeyValuePair.Create(known.Snapshot.Ports[p.Port].Name, p));
                await around.Intents.RecordAsync(Name, left, actor, CancellationToken.None);
            }
            return outcome;
        }
        finally
        {
            Interlocked.Decrement(ref changing);
        }
    }

    /// <summary>Takes back what was left half done, and reads the switch again when there was something.</summary>
    /// <exception cref="DeviceException">The switch cannot be reached: it is kept for the next time.</exception>
    public async Task TakeBackUnfinishedAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref changing);
        try
        {
            if (await changes.RecoverAsync(cancellationToken)) await ReadAsync(cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref changing);
        }
    }

    /// <exception cref="DeviceException">The switch cannot be reached.</exception>
    public async Task<ChangePreview> PreviewAsync(VlanIntent intent, CancellationToken cancellationToken)
    {
        var state = await device.ReadStateAsync(cancellationToken);
        var refusals = ImmutableArray.CreateBuilder<string>();
        if (NotAble is { } unable) refusals.Add(unable);
        if (Ownership is { State: Fleet.Ownership.Theirs, Owner: { } owner }) refusals.Add($"it belongs to the appliance '{owner.Name}' ({owner.Id})");
        var pdus = 0;
        switch (state.Plan(intent, PolicyOn(state.Snapshot)))
        {
            case VlanPlan.Refused refused: refusals.AddRange(refused.Reasons); break;
            case VlanPlan.Ready ready: pdus = ready.Writes.Length; break;
        }
        return new(refusals.DrainToImmutable(), pdus, state.Snapshot);
    }

    /// <summary>Finds out what the switch can do: reads it, puts our mark on it and writes to it what it holds already, where something of it is ours.</summary>
    /// <exception cref="DeviceException">It cannot be asked.</exception>
    public async Task<SwitchAbilities> ProbeAsync(CancellationToken cancellationToken)
    {
        var snapshot = (await ReadAsync(cancellationToken)).Snapshot;
        var policy = PolicyOn(snapshot);
        var port = policy.Ports.FirstOrDefault(policy.MayWrite);
        if (port == 0)
        {
            return new(snapshot.Ports.Values.Any(p => p.Vlans.IsKnown), null,
                [$"It has {snapshot.Ports.Count} ports and {snapshot.Vlans.Count} VLANs.", .. snapshot.Quirks.Select(q => $"{SwitchQuirks.Table[q].Symptom}: {SwitchQuirks.Table[q].Treatment}."), "No port of it is ours to write: whether it takes a change was not tried."]);
        }
        if (Ownership is not null && await Ownership.ClaimAsync(isTakeOver: false, cancellationToken) is { } refusal)
            return new(true, null, [$"It is not tried whether it takes a change: {refusal}."]);
        var abilities = await device.ProbeAsync(port, cancellationToken);
        return Ownership?.State == Fleet.Ownership.Unmarkable
            ? abilities with { Words = [.. abilities.Words, "It takes no mark of who owns it: nothing keeps a second appliance away."] }
            : abilities;
    }

    string? NotAble => Record.Abilities is { CanWrite: false } abilities ? $"it took no change when it was tried: {abilities.Words[^1]}" : null;

    async Task<string?> IWriteGuard.RefusalAsync(CancellationToken cancellationToken) =>
        NotAble ?? (Reading is null ? "it has not been read yet: its uplinks are not known" : null) ?? (Ownership is null ? null : await Ownership.ClaimAsync(isTakeOver: false, cancellationToken));

    Task IWriteGuard.WritingAsync(CancellationToken cancellationToken) => saver?.WritingAsync(cancellationToken) ?? Task.CompletedTask;

    Task IWriteGuard.TookBackAsync(string? trouble, CancellationToken cancellationToken) => around.Timeline.AppendAsync(trouble is null
        ? new NewEvent("switch.taken-back", $"a change of switch {Name} that had been left half done was taken back")
        : new NewEvent("switch.taken-back-damaged", $"a change of switch {Name} had been left half done, and not all of it could be taken back: {trouble}") { Severity = EventSeverity.Error }, cancellationToken);

    async Task<SwitchReading> ReadingAsync(Func<Task<SwitchReading>> read, CancellationToken cancellationToken)
    {
        await reading.WaitAsync(cancellationToken);
        try
        {
            var now = await read();
            await RecogniseUplinksAsync(now, cancellationToken);
            await RememberNamesAsync(now.Snapshot, cancellationToken);
            Volatile.Write(ref lastReading, now);
            Volatile.Write(ref trouble, null);
            return now;
        }
        catch (DeviceException e)
        {
            Volatile.Write(ref trouble, Trouble is { } known && known.Fault == e.Fault ? known with { Message = e.Message } : new(e.Fault, e.Message, around.Clock.GetUtcNow()));
            throw;
        }
        finally
        {
            reading.Release();
        }
    }

    // An address that has aged out makes an uplink no less one: only a day without any sign of it does.
    async Task RecogniseUplinksAsync(SwitchReading now, CancellationToken cancellationToken)
    {
        var before = Record.RecognisedUplinks;
        var found = around.Uplinks.Recognise(Name, now, before).Select(u => KeyValuePair.Create(u.Key, new RecognisedUplink(u.Value, now.ForwardingAt)));
        var after = before.RemoveRange(before.Where(u => now.ForwardingAt - u.Value.Seen > UplinkMemory).Select(u => u.Key)).SetItems(found);
        Change(latest => latest with { RecognisedUplinks = after });
        // What the first reading finds is how the switch stands; what comes later is news, and a port that could be written a moment ago cannot any more.
        if (Reading is not null)
            await around.Timeline.AppendAsync([.. after.Where(u => !before.ContainsKey(u.Key)).Select(u => new NewEvent("switch.uplink", $"port {u.Key} of switch {Name} is an uplink from now on, and is not written: {u.Value.Why}") { Severity = EventSeverity.Warning })], cancellationToken);
        // Written down when there are others; when each was last seen is not worth a write a minute.
        if (!after.Keys.ToHashSet().SetEquals(before.Keys)) await around.Store.UpdateAsync(Record, cancellationToken);
    }

    async Task RememberNamesAsync(SwitchSnapshot now, CancellationToken cancellationToken)
    {
        if (Ownership?.State != Fleet.Ownership.Ours) return;
        var ours = PolicyOn(now).Vlans;
        var names = now.Vlans.Values.Where(v => v.Name.Length > 0 && ours.Contains(v.Id)).Select(v => KeyValuePair.Create(v.Id.Value, v.Name)).ToList();
        if (names.All(n => Record.VlanNames.TryGetValue(n.Key, out var known) && known == n.Value)) return;
        await around.Store.UpdateAsync(Change(latest => latest with { VlanNames = latest.VlanNames.SetItems(names) }), cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await changes.DisposeAsync();
        if (saver is not null) await saver.DisposeAsync();
        (device as IDisposable)?.Dispose();
    }
}
