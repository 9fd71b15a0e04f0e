using System.Collections.Immutable;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Switches;
using GridAppliance.Switches.Fleet;

namespace GridAppliance.San.Vlans;

/// <summary>
/// Storage on Ethernet, kept apart by VLANs: <c>vlan+switches:///300-319/999</c>. A zone is a VLAN of that range which bears the zone's name; initiators (nodes, or <c>SWITCH/PORT</c>) are in
/// it without a tag, storage with one, so that an array can be in many zones. Whoever is put out goes to the last VLAN, where nobody is. Between switches the VLAN has to be carried by
/// uplinks that are already so: those are never written.
/// </summary>
sealed class VlanFabric : ISanFabric
{
    readonly SwitchFleet fleet;
    readonly NodeDirectory nodes;
    readonly ImmutableSortedSet<VlanId> pool;
    readonly VlanId idle;
    readonly SemaphoreSlim turn = new(1, 1);

    /// <exception cref="NotSupportedException">The path is no range and an idle VLAN outside it.</exception>
    public VlanFabric(Uri address, SwitchFleet fleet, NodeDirectory nodes)
    {
        (Address, this.fleet, this.nodes) = (address, fleet, nodes);
        if (address.AbsolutePath.Trim('/').Split('/') is not [var range, var rest] || VlanText.Range(range) is not { } vlans || !VlanId.TryParse(rest, null, out idle) || vlans.Contains(idle))
            throw new NotSupportedException($"{address}: the path is a range of VLANs and the idle one, such as /300-319/999");
        pool = [.. vlans];
    }

    public Uri Address { get; }

    /// <summary>Who is in a zone on one switch, and what the switch was read as.</summary>
    sealed record Part(ManagedSwitch Switch, SwitchSnapshot Snapshot, ImmutableSortedSet<int> Bare, ImmutableSortedSet<int> Tagged)
    {
        public bool IsEmpty => Bare.IsEmpty && Tagged.IsEmpty;
    }

    public async Task<IReadOnlyList<SanZone>> ReadAsync(CancellationToken cancellationToken)
    {
        var snapshots = await ReadSwitchesAsync(cancellationToken);
        var names = snapshots.SelectMany(s => s.Snapshot.Vlans.Values).Where(IsZone).Select(v => v.Name).Distinct().Order(StringComparer.Ordinal);
        return [.. names.Select(name => Zone(name, VlanOf(name, snapshots)!.Value, snapshots))];
    }

    bool IsZone(SwitchVlan vlan) => pool.Contains(vlan.Id) && SanNames.ProblemOf(vlan.Name) is null;

    static SanZone Zone(string name, VlanId vlan, List<(ManagedSwitch Switch, SwitchSnapshot Snapshot)> snapshots)
    {
        var parts = snapshots.Select(s => PartOf(s.Switch, s.Snapshot, vlan)).ToList();
        return new(name, [.. parts.SelectMany(p => p.Bare.Select(n => Where(p, n)))], [.. parts.SelectMany(p => p.Tagged.Select(n => Where(p, n)))]);
    }

    static string Where(Part part, int port) => $"{part.Switch.Name}/{part.Snapshot.Ports[port].Name}";

    static Part PartOf(ManagedSwitch one, SwitchSnapshot snapshot, VlanId vlan)
    {
        var policy = one.PolicyOn(snapshot);
        var ours = snapshot.Ports.Values.Where(p => policy.MayWrite(p.Number)).ToList();
        return new(one, snapshot, [.. ours.Where(p => p.Vlans.Untagged.Contains(vlan)).Select(p => p.Number)], [.. ours.Where(p => p.Vlans.Tagged.Contains(vlan)).Select(p => p.Number)]);
    }

    async Task<List<(ManagedSwitch Switch, SwitchSnapshot Snapshot)>> ReadSwitchesAsync(CancellationToken cancellationToken)
    {
        var read = new List<(ManagedSwitch, SwitchSnapshot)>();
        foreach (var one in fleet.Current.Values) read.Add((one, (await one.ReadAsync(cancellationToken)).Snapshot));
        return read;
    }

    static VlanId? VlanOf(string zone, List<(ManagedSwitch Switch, SwitchSnapshot Snapshot)> snapshots) =>
        snapshots.SelectMany(s => s.Snapshot.Vlans.Values).FirstOrDefault(v => v.Name == zone)?.Id;

    public async Task<SanOutcome> ConnectAsync(SanZone zone, CancellationToken cancellationToken)
    {
        if (SanNames.ProblemOf(zone.Name) is { } problem) return SanOutcome.Refused(problem);
        // IEEE 802.1Q, section 12.10.2: a VLAN's name has 32 characters at the most.
        if (zone.Name.Length > 32) return SanOutcome.Refused($"'{zone.Name}' is longer than the name of a VLAN can be");
        if (zone.Initiators.IsEmpty || zone.Storage.IsEmpty) return SanOutcome.Refused("a zone has at least one initiator and one storage port");
        return await InTurnAsync(async () =>
        {
            var snapshots = await ReadSwitchesAsync(cancellationToken);
            var reasons = new List<string>();
            var bare = Find(zone.Initiators, reasons);
            var tagged = Find(zone.Storage, reasons);
            if (bare.Any(tagged.Contains)) reasons.Add("a port is either an initiator's or storage's");
            var taken = snapshots.SelectMany(s => s.Snapshot.Vlans.Keys).ToHashSet();
            if ((VlanOf(zone.Name, snapshots) ?? pool.Where(v => !taken.Contains(v)).Select(v => (VlanId?)v).FirstOrDefault()) is not { } vlan) reasons.Add("every VLAN of the range is taken");
            else if (!pool.Contains(vlan)) reasons.Add($"VLAN {vlan} bears that name and is not in the range");
            else if (reasons.Count == 0) return await CarryOutAsync(zone.Name, vlan, snapshots, bare, tagged, isRemoval: false);
            return SanOutcome.Refused(string.Join("; ", reasons));
        }, cancellationToken);
    }

    public Task<SanOutcome> DisconnectAsync(string zone, CancellationToken cancellationToken) => SanNames.ProblemOf(zone) is { } problem
        ? Task.FromResult(SanOutcome.Refused(problem))
        : InTurnAsync(async () =>
        {
            var snapshots = await ReadSwitchesAsync(cancellationToken);
            return VlanOf(zone, snapshots) is { } vlan && pool.Contains(vlan) ? await CarryOutAsync(zone, vlan, snapshots, [], [], isRemoval: true) : SanOutcome.Unchanged;
        }, cancellationToken);

    HashSet<(string Switch, int Port)> Find(IEnumerable<string> names, List<string> reasons)
    {
        var found = new HashSet<(string, int)>();
        foreach (var name in names)
        {
            var target = PortTarget.Find(name, fleet, nodes.Current);
            if (target is { Switch: { } one, Port: { } port }) found.Add((one.Name, port.Number));
            else reasons.Add($"{name}: {target.Reason}");
        }
        return found;
    }

    // One switch after the other; when one says no, those before it are made as they were.
    async Task<SanOutcome> CarryOutAsync(string zone, VlanId vlan, List<(ManagedSwitch Switch, SwitchSnapshot Snapshot)> snapshots, HashSet<(string Switch, int Port)> bare, HashSet<(string Switch, int Port)> tagged, bool isRemoval)
    {
        var done = new Stack<(ManagedSwitch Switch, VlanIntent Undo)>();
        var isChanged = false;
        foreach (var (one, snapshot) in snapshots)
        {
            var intent = Intent(zone, vlan, PartOf(one, snapshot, vlan), [.. bare.Where(b => b.Switch == one.Name).Select(b => b.Port)], [.. tagged.Where(t => t.Switch == one.Name).Select(t => t.Port)], isRemoval);
            if (intent is null) continue;
            var outcome = await one.ApplyAsync(intent, $"zone {zone}", CancellationToken.None);
            if (outcome.Ending is ChangeEnding.Done or ChangeEnding.Unchanged)
            {
                isChanged |= outcome.Ending == ChangeEnding.Done;
                done.Push((one, new() { Ports = [.. intent.Ports.Select(p => new PortIntent(p.Port) { Vlans = snapshot.Ports[p.Port].Vlans })], Remove = isRemoval || snapshot.Vlans.ContainsKey(vlan) ? [] : [vlan] }));
                continue;
            }
            var isWhole = outcome.Ending is ChangeEnding.Refused or ChangeEnding.RolledBack;
            while (done.TryPop(out var earlier)) isWhole &= (await earlier.Switch.ApplyAsync(earlier.Undo, $"zone {zone}, taken back", CancellationToken.None)).Ending is ChangeEnding.Done or ChangeEnding.Unchanged;
            return new(!isWhole ? SanEnding.Damaged : outcome.Ending == ChangeEnding.Refused ? SanEnding.Refused : SanEnding.RolledBack, $"switch {one.Name}: {outcome.Reason}");
        }
        return isChanged ? SanOutcome.Done : SanOutcome.Unchanged;
    }

    VlanIntent? Intent(string zone, VlanId vlan, Part now, ImmutableSortedSet<int> bare, ImmutableSortedSet<int> tagged, bool isRemoval)
    {
        var ports = new List<PortIntent>();
        foreach (var port in bare.Union(tagged).Union(now.Bare).Union(now.Tagged))
        {
            var was = now.Snapshot.Ports[port].Vlans;
            var wanted = bare.Contains(port) ? PortVlans.Access(vlan)
                : tagged.Contains(port) ? With(was, vlan)
                : now.Bare.Contains(port) ? PortVlans.Access(idle)
                : was with { Tagged = was.Tagged.Remove(vlan) };
            if (wanted != was) ports.Add(new(port) { Vlans = wanted });
        }
        var isThere = now.Snapshot.Vlans.TryGetValue(vlan, out var known);
        if (isRemoval) return isThere || ports.Count > 0 ? new() { Ports = [.. ports], Remove = isThere ? [vlan] : [] } : null;
        if (ports.Count == 0) return null;
        return new() { Ports = [.. ports], Create = isThere && known!.Name == zone ? ImmutableSortedDictionary<VlanId, string>.Empty : ImmutableSortedDictionary<VlanId, string>.Empty.Add(vlan, zone) };
    }

    // An array's port that was in one VLAN alone keeps that as its native one.
    static PortVlans With(PortVlans was, VlanId vlan) => was with { Untagged = was.Untagged.Remove(vlan), Tagged = was.Tagged.Add(vlan) };

    async Task<SanOutcome> InTurnAsync(Func<Task<SanOutcome>> change, CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            return await change();
        }
        finally
        {
            turn.Release();
        }
    }
}
