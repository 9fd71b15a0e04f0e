using System.Collections.Immutable;
using GridAppliance.Protocols.Snmp;

namespace GridAppliance.Switches.QBridge;

/// <summary>
/// What a change that was left half done still needs to be taken back, against what the switch holds now: somebody may have been at it since. Of a VLAN's lists only the bits of the ports that the
/// change moved are put back; everybody else's stay as they are now. Made again against a reading after it was written, nothing is left of it. Pure.
/// </summary>
sealed class QBridgeTakeBack(QBridgeTables tables, UnfinishedChange change, SwitchPolicy policy)
{
    readonly List<string> left = [];
    /// <summary>The lists as they will be after the steps so far.</summary>
    readonly Dictionary<ObjectIdentifier, PortList> lists = [];

    public TakeBackPlan Make()
    {
        var writes = change.Undo.Select(step => new VlanWrite([.. step.Set.Select(Step).OfType<Varbind>()], [])).Where(w => !w.Set.IsEmpty).ToImmutableArray();
        return new(writes, [.. left.Distinct()]);
    }

    Varbind? Step(Varbind undo)
    {
        if (undo.Name.Below(QBridgeMib.StaticEgress) is [var egress]) return PutBack(undo, egress, static row => row.Egress);
        if (undo.Name.Below(QBridgeMib.StaticUntagged) is [var untagged]) return PutBack(undo, untagged, static row => row.Untagged);
        if (undo.Name.Below(QBridgeMib.StaticRowStatus) is [var row]) return MakeOrRemove(undo, row);
        if (undo.Name.Below(QBridgeMib.StaticName) is [var named]) return PutBackName(undo, named);
        if (undo.Name.Below(QBridgeMib.Pvid) is [var port]) return PutBackPvid(undo, (int)port);
        return TakeBackPlan.InterfaceStep(undo, tables.Snapshot, policy, left);
    }

    Varbind? PutBack(Varbind undo, uint index, Func<QBridgeVlan, PortList?> list)
    {
        var values = change.ValuesOf(undo.Name).Select(v => new PortList(v.AsOctets)).ToList();
        // The last step that takes it back writes what was there first.
        var first = new PortList(change.Undo.SelectMany(s => s.Set).Last(v => v.Name == undo.Name).Value.AsOctets);
        // An entry of a version that did not write down what it was going to write: any port of ours may have been meant.
        IEnumerable<int> moved = change.Set.IsEmpty ? policy.Ports.Where(policy.MayWrite) : values.SelectMany(v => v.Ports).Distinct().Where(p => !values.TrueForAll(v => v.Contains(p))).ToList();
        if (VlanId.From(index) is not { } vlan || !tables.Vlans.TryGetValue(vlan, out var row) || list(row) is not { } now)
        {
            // One that the change made and that is not there is taken back already; one that is made again has its lists put back when it is there.
            if (moved.Any(first.Contains) && !change.Names(QBridgeMib.StaticRowStatus.Append(index))) left.Add($"VLAN {index} is not there any more");
            return null;
        }
        var wrong = moved.Where(p => now.Contains(p) != first.Contains(p)).ToList();
        var ours = wrong.Where(p => policy.MayWrite(p) && policy.Vlans.Contains(vlan)).ToList();
        left.AddRange(wrong.Except(ours).Select(p => $"{Name(p)} in VLAN {vlan} is not ours to write any more"));
        if (ours.Count == 0) return null;
        var before = lists.GetValueOrDefault(undo.Name, now);
        var step = new PortList(undo.Value.AsOctets);
        var after = ours.Aggregate(before, (all, p) => step.Contains(p) ? all.With(p) : all.Without(p));
        lists[undo.Name] = after;
        return after == before ? null : undo with { Value = SnmpValue.Octets(after.PaddedTo(Math.Max(row.Octets, undo.Value.AsOctets.Length)).Octets) };
    }

    Varbind? MakeOrRemove(Varbind undo, uint index)
    {
        if (VlanId.From(index) is not { } vlan) return null;
        var isRemoval = undo.Value == SnmpValue.Integer(RowStatus.Destroy);
        if (tables.Vlans.TryGetValue(vlan, out var row) != isRemoval) return null;
        if (!policy.Vlans.Contains(vlan))
        {
            left.Add($"VLAN {vlan} is not ours any more");
            return null;
        }
        if (!isRemoval) return undo;
        // Somebody may have put a port into it since.
        var members = lists.GetValueOrDefault(QBridgeMib.StaticEgress.Append(index), row!.Egress ?? default).Ports.Concat(tables.Pvids.Where(p => p.Value == vlan && !change.Names(QBridgeMib.Pvid.Append((uint)p.Key))).Select(p => p.Key)).Distinct().Order().ToList();
        if (members.Count == 0) return undo;
        left.Add($"VLAN {vlan} is not removed while ports are in it: {string.Join(", ", members.Select(Name))}");
        return null;
    }

    // The row that bears it is made again in the same step, or is there.
    Varbind? PutBackName(Varbind undo, uint index) =>
        VlanId.From(index) is { } vlan && policy.Vlans.Contains(vlan) && tables.Vlans.GetValueOrDefault(vlan)?.Name != undo.Value.AsText ? undo : null;

    Varbind? PutBackPvid(Varbind undo, int port)
    {
        if (undo.Value.TryGetUInt32(out var vlan) && tables.Pvids.GetValueOrDefault(port) is { } now && now == VlanId.From(vlan)) return null;
        if (policy.MayWrite(port)) return undo;
        left.Add($"{Name(port)} is not ours to write any more");
        return null;
    }

    string Name(int port) => tables.Snapshot.Ports.TryGetValue(port, out var known) ? known.Name : $"port {port}";
}
