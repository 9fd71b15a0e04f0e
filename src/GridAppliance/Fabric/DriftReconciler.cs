using System.Collections.Immutable;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Switches;
using GridAppliance.Switches.Fleet;
using GridAppliance.Switches.Snmp;

namespace GridAppliance.Fabric;

/// <summary>
/// Compares a switch, each time that it was read whole, with how it was left; tells each difference once when it comes and once when it is gone, and does what the switch's policy
/// says. A switch that has forgotten everything is told apart from one on which somebody has changed a port.
/// </summary>
sealed class DriftReconciler(SwitchIntents intents, Timeline timeline, ApplianceProblems problems, TimeProvider clock)
{
    /// <summary>After a mending that went wrong, until the next one.</summary>
    static readonly TimeSpan Pause = TimeSpan.FromMinutes(5);

    ImmutableDictionary<string, State> states = ImmutableDictionary.Create<string, State>(StringComparer.OrdinalIgnoreCase);

    /// <param name="Drifts">What differed when it was last compared.</param>
    /// <param name="Identity">Who it said it was.</param>
    /// <param name="WasOurs">Our mark was on it.</param>
    /// <param name="NotBefore">When it may be mended again.</param>
    sealed record State(ImmutableArray<PortDrift> Drifts, SwitchIdentity Identity, bool WasOurs, DateTimeOffset NotBefore);

    public IEnumerable<PortDrift> Current => Volatile.Read(ref states).Values.SelectMany(s => s.Drifts).OrderBy(d => d.Switch, StringComparer.Ordinal).ThenBy(d => d.Port, StringComparer.Ordinal);

    /// <summary>Called after each full reading, for one switch at a time.</summary>
    /// <exception cref="DeviceException">A mending did not get through.</exception>
    public async Task ReconcileAsync(ManagedSwitch one, CancellationToken cancellationToken)
    {
        // While a change is being written the switch is between two states, and neither is drift.
        if (one.Reading is not { } reading || one.IsChanging) return;
        var policy = one.PolicyOn(reading.Snapshot);
        var known = states.GetValueOrDefault(one.Name);
        await AdoptTheUnknownAsync(one, reading.Snapshot, policy, cancellationToken);
        var drifts = Drift.Of(one.Record, reading.Snapshot, policy, intents.Of(one.Name));
        var state = new State(drifts, reading.Identity, one.Ownership?.State == Ownership.Ours || known is { WasOurs: true }, known?.NotBefore ?? DateTimeOffset.MinValue);
        Remember(one.Name, state);
        await timeline.AppendAsync([.. Tell(one, known, state)], cancellationToken);
        TellOfLoss(one, state);
        if (drifts.IsEmpty || clock.GetUtcNow() < state.NotBefore) return;
        switch (one.Record.Drift)
        {
            case DriftPolicy.Report: return;
            case DriftPolicy.Adopt: await AdoptAsync(one, "appliance", cancellationToken); return;
            case DriftPolicy.Assert:
                var outcome = await AssertAsync(one, "appliance", cancellationToken);
                if (outcome.Ending is not (ChangeEnding.Done or ChangeEnding.Unchanged)) Remember(one.Name, state with { NotBefore = clock.GetUtcNow() + Pause });
                return;
        }
    }

    /// <summary>Makes the switch as it was left.</summary>
    /// <exception cref="DeviceException">It cannot be reached.</exception>
    public async Task<ChangeOutcome> AssertAsync(ManagedSwitch one, string actor, CancellationToken cancellationToken)
    {
        if (one.Reading is not { } reading) return new(ChangeEnding.Refused, "the switch has not been read yet", 0);
        var drifts = Drift.Of(one.Record, reading.Snapshot, one.PolicyOn(reading.Snapshot), intents.Of(one.Name));
        var mending = Drift.Mending(drifts, reading.Snapshot, one.Record.VlanNames);
        if (mending.Ports.IsEmpty) return new(ChangeEnding.Unchanged, null, 0);
        var outcome = await one.ApplyAsync(mending, actor, cancellationToken);
        var severity = outcome.Ending is ChangeEnding.Done or ChangeEnding.Unchanged ? EventSeverity.Info : EventSeverity.Warning;
        var message = severity == EventSeverity.Info ? $"{mending.Ports.Length} ports of switch {one.Name} are again as they were left" : $"switch {one.Name} was not made as it was left: {outcome.Reason}";
        await timeline.AppendAsync(new NewEvent("switch.drift-asserted", message) { Actor = actor, Severity = severity }, cancellationToken);
        await CompareAgainAsync(one, cancellationToken);
        return outcome;
    }

    /// <summary>Takes what the switch has for what is wanted.</summary>
    /// <returns>How many ports were adopted.</returns>
    /// <exception cref="DeviceException">It cannot be reached.</exception>
    public async Task<int> AdoptAsync(ManagedSwitch one, string actor, CancellationToken cancellationToken)
    {
        if (one.Reading is not { } reading) return 0;
        var drifts = Drift.Of(one.Record, reading.Snapshot, one.PolicyOn(reading.Snapshot), intents.Of(one.Name)).Where(d => d.Actual is not null).ToList();
        await intents.RecordAsync(one.Name, drifts.Select(d => KeyValuePair.Create(d.Port, d.Actual!)), actor, cancellationToken);
        if (drifts.Count == 0) return 0;
        await timeline.AppendAsync(new NewEvent("switch.drift-adopted", $"{drifts.Count} ports of switch {one.Name} are from now on to be as they are") { Actor = actor }, cancellationToken);
        await CompareAgainAsync(one, cancellationToken);
        return drifts.Count;
    }

    /// <summary>Forgets switches that are no longer looked after.</summary>
    public void ForgetAllBut(IReadOnlyDictionary<string, ManagedSwitch> fleet)
    {
        foreach (var gone in Volatile.Read(ref states).Keys.Where(name => !fleet.ContainsKey(name)))
        {
            ImmutableInterlocked.TryRemove(ref states, gone, out _);
            problems.Clear(LossCode(gone));
        }
    }

    async Task CompareAgainAsync(ManagedSwitch one, CancellationToken cancellationToken)
    {
        var reading = await one.ReadAsync(cancellationToken);
        var known = states.GetValueOrDefault(one.Name);
        var drifts = Drift.Of(one.Record, reading.Snapshot, one.PolicyOn(reading.Snapshot), intents.Of(one.Name));
        var state = new State(drifts, reading.Identity, known?.WasOurs ?? false, known?.NotBefore ?? DateTimeOffset.MinValue);
        Remember(one.Name, state);
        await timeline.AppendAsync([.. Tell(one, known, state)], cancellationToken);
        TellOfLoss(one, state);
    }

    // A port that is ours and that nobody has spoken of is to stay as it was found; so is what an earlier version did not write down of one.
    async Task AdoptTheUnknownAsync(ManagedSwitch one, SwitchSnapshot snapshot, SwitchPolicy policy, CancellationToken cancellationToken)
    {
        var left = intents.Of(one.Name);
        var ours = snapshot.Ports.Values.Where(p => policy.MayWrite(p.Number)).ToLookup(p => left.GetValueOrDefault(p.Name));
        await intents.RecordAsync(one.Name, ours[null].Where(p => p.Vlans.IsKnown).Select(p => KeyValuePair.Create(p.Name, new PortIntent(p.Number) { Vlans = p.Vlans, IsEnabled = p.IsEnabled, Description = p.Description })), "enrolment", cancellationToken);
        foreach (var port in ours.Where(p => p.Key is { Description: null } or { IsEnabled: null }).SelectMany(p => p))
        {
            var known = left[port.Name];
            var found = new PortIntent(port.Number) { IsEnabled = known.IsEnabled is null ? port.IsEnabled : null, Description = known.Description is null ? port.Description : null };
            if (!found.IsNothing) await intents.RecordAsync(one.Name, [KeyValuePair.Create(port.Name, found)], known.By, cancellationToken);
        }
    }

    void Remember(string name, State state) => ImmutableInterlocked.AddOrUpdate(ref states, name, state, (_, _) => state);

    static bool HasLostItsConfiguration(ManagedSwitch one, State state) => state.WasOurs && one.Ownership?.State == Ownership.Free && !state.Drifts.IsEmpty;

    static string LossCode(string name) => $"switch.lost-configuration.{name}";

    void TellOfLoss(ManagedSwitch one, State state)
    {
        if (HasLostItsConfiguration(one, state))
        {
            problems.Raise(LossCode(one.Name), $"switch {one.Name} has lost its configuration: our mark is gone from it, and {state.Drifts.Length} ports are not as they were left", $"Make it as it was with `gridctl fabric drift {one.Name} --assert`.");
        }
        else problems.Clear(LossCode(one.Name));
    }

    static IEnumerable<NewEvent> Tell(ManagedSwitch one, State? before, State now)
    {
        if (before is not null && now.Identity.UpTime < before.Identity.UpTime) yield return new("switch.restarted", $"switch {one.Name} has restarted") { Severity = EventSeverity.Warning };
        var known = before?.Drifts.Select(d => (d.Port, d.Actual)).ToHashSet() ?? [];
        foreach (var drift in now.Drifts.Where(d => !known.Contains((d.Port, d.Actual)))) yield return new("switch.drift", drift.Message) { Severity = EventSeverity.Warning };
        var still = now.Drifts.Select(d => d.Port).ToHashSet();
        foreach (var drift in before?.Drifts.Where(d => !still.Contains(d.Port)) ?? []) yield return new("switch.drift-gone", $"port {drift.Port} of switch {one.Name} is as it should be again");
    }
}
