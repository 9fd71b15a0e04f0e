using System.Collections.Immutable;
using GridAppliance.Protocols.Snmp;

namespace GridAppliance.Switches.QBridge;

/// <summary>
/// Plans a change of a Q-BRIDGE switch. Membership is a bitmap for each VLAN, so every list is read, changed in our ports' bits and written whole; the bits
/// of everybody else's ports stay as they were. Pure.
/// </summary>
/// <remarks>
/// The order, over all PDUs: VLANs are made; ports are added to their new VLANs; their PVIDs are set; they are taken out of the old ones; VLANs are removed. At no
/// time is an egress list without a port that it had and keeps, and no PVID names a VLAN that is not there. Untagged lists stay subsets of egress lists: added
/// after, taken away before.
/// </remarks>
sealed class VlanChangePlan(QBridgeTables tables, VlanIntent intent, SwitchPolicy policy, int room)
{
    /// <summary>Agents with fixed tables of variables hold at least so many.</summary>
    const int MostVarbinds = 64;

    readonly List<string> reasons = [];
    readonly WriteBatches batches = new(room, MostVarbinds);
    readonly SortedDictionary<VlanId, (PortList Egress, PortList Untagged)> wanted = [];

    public VlanPlan Make()
    {
        Judge();
        if (reasons.Count > 0) return new VlanPlan.Refused([.. reasons]);
        foreach (var (vlan, row) in tables.Vlans) wanted[vlan] = (row.Egress!.Value, row.Untagged!.Value);
        foreach (var vlan in NewVlans()) wanted[vlan] = default;
        foreach (var port in Changes) Move(port.Port, port.Vlans!);
        JudgeRemoval();
        foreach (var (vlan, _) in tables.Vlans.Where(v => v.Value.Row is null && wanted[v.Key] != (v.Value.Egress!.Value, v.Value.Untagged!.Value))) reasons.Add($"VLAN {vlan} is not one that was configured on this switch, which has it from another: who is in it is not written");
        if (reasons.Count > 0) return new VlanPlan.Refused([.. reasons]);
        Write();
        return new VlanPlan.Ready(batches.Finish(), Expected());
    }

    IEnumerable<PortIntent> Changes => intent.Ports.Where(p => p.Vlans is not null);

    void Judge()
    {
        if (tables.WhyNotWritable is { } why) reasons.Add($"this switch is not written to: {why}");
        foreach (var port in intent.Ports) Judge(port);
        foreach (var vlan in intent.Create.Keys.Concat(intent.Remove).Where(v => !policy.Vlans.Contains(v))) reasons.Add($"VLAN {vlan} is not ours");
    }

    void Judge(PortIntent wish)
    {
        if (tables.Snapshot.Ports.ContainsKey(wish.Port) && !tables.BasePorts.ContainsKey(wish.Port)) { reasons.Add($"there is no port {wish.Port}"); return; }
        if (PortRules.Judge(tables.Snapshot, wish, policy, reasons) is not { } port || wish.Vlans is not { } vlans) return;
        // Q-BRIDGE-MIB has no "nowhere": frames without a tag always go to the PVID.
        if (vlans.Pvid is not { } pvid || vlans.Untagged.Count != 1 || vlans.Untagged[0] != pvid) reasons.Add($"{port.Name} needs one VLAN for frames without a tag, the same in and out");
    }

    void JudgeRemoval()
    {
        foreach (var vlan in intent.Remove.Where(wanted.ContainsKey))
        {
            var left = wanted[vlan].Egress.Ports.Concat(Pvids().Where(p => p.Value == vlan).Select(p => p.Key)).Distinct().Order().ToList();
            if (left.Count > 0) reasons.Add($"VLAN {vlan} is not removed while ports are in it: {string.Join(", ", left.Select(p => tables.Snapshot.Ports.TryGetValue(p, out var port) ? port.Name : $"port {p}"))}");
        }
    }

    IEnumerable<VlanId> NewVlans() => intent.Needed.Where(v => !tables.Vlans.ContainsKey(v));

    void Move(int port, PortVlans vlans)
    {
        foreach (var vlan in wanted.Keys.ToList())
        {
            var (egress, untagged) = wanted[vlan];
            var isBare = vlans.Untagged.Contains(vlan);
            wanted[vlan] = (isBare || vlans.Tagged.Contains(vlan) ? egress.With(port) : egress.Without(port), isBare ? untagged.With(port) : untagged.Without(port));
        }
    }

    void Write()
    {
        foreach (var vlan in NewVlans()) Create(vlan);
        foreach (var (vlan, lists) in wanted) Grow(vlan, lists.Egress, lists.Untagged);
        foreach (var (port, pvid) in Pvids())
        {
            if (tables.Pvids.GetValueOrDefault(port) is var before && before != pvid) batches.Add(PvidOf(port, pvid), before is { } old ? PvidOf(port, old) : null);
        }
        foreach (var (vlan, lists) in wanted) Shrink(vlan, lists.Egress, lists.Untagged);
        foreach (var vlan in intent.Remove.Where(tables.Vlans.ContainsKey)) Destroy(vlan);
        foreach (var wish in intent.Ports) PortRules.WriteInterface(tables.Snapshot.Ports[wish.Port], wish, batches);
    }

    void Create(VlanId vlan)
    {
        var status = new Varbind(QBridgeMib.StaticRowStatus.Append((uint)vlan.Value), SnmpValue.Integer(RowStatus.CreateAndGo));
        batches.Add(status, status with { Value = SnmpValue.Integer(RowStatus.Destroy) });
        if (intent.Create.TryGetValue(vlan, out var name) && name.Length > 0) batches.Add(new(QBridgeMib.StaticName.Append((uint)vlan.Value), SnmpValue.Text(name)), null);
    }

    void Grow(VlanId vlan, PortList egress, PortList untagged)
    {
        var (oldEgress, oldUntagged) = Before(vlan);
        // A port that loses its tag, or gets one, is moved between the lists in the same step.
        WriteList(QBridgeMib.StaticEgress, vlan, oldEgress, Union(oldEgress, egress));
        WriteList(QBridgeMib.StaticUntagged, vlan, oldUntagged, Union(oldUntagged, untagged));
    }

    void Shrink(VlanId vlan, PortList egress, PortList untagged)
    {
        var (oldEgress, oldUntagged) = Before(vlan);
        WriteList(QBridgeMib.StaticUntagged, vlan, Union(oldUntagged, untagged), untagged);
        WriteList(QBridgeMib.StaticEgress, vlan, Union(oldEgress, egress), egress);
    }

    void Destroy(VlanId vlan)
    {
        var status = new Varbind(QBridgeMib.StaticRowStatus.Append((uint)vlan.Value), SnmpValue.Integer(RowStatus.Destroy));
        // Nobody is in it any more: an empty one with its name is all that there was.
        Varbind? named = tables.Vlans[vlan].Name is { Length: > 0 } name ? new(QBridgeMib.StaticName.Append((uint)vlan.Value), SnmpValue.Text(name)) : null;
        batches.Add(status, status with { Value = SnmpValue.Integer(RowStatus.CreateAndGo) }, named);
    }

    void WriteList(ObjectIdentifier column, VlanId vlan, PortList from, PortList to)
    {
        if (from == to) return;
        var length = Math.Max((tables.BasePorts.Keys.Max() + 7) / 8, tables.Vlans.Values.Max(v => v.Octets));
        var name = column.Append((uint)vlan.Value);
        batches.Add(new(name, SnmpValue.Octets(to.PaddedTo(length).Octets)), new(name, SnmpValue.Octets(from.PaddedTo(length).Octets)));
    }

    (PortList Egress, PortList Untagged) Before(VlanId vlan) => tables.Vlans.TryGetValue(vlan, out var row) ? (row.Egress!.Value, row.Untagged!.Value) : default;

    Dictionary<int, VlanId> Pvids()
    {
        var result = tables.Pvids.Where(p => p.Value is not null).ToDictionary(p => p.Key, p => p.Value!.Value);
        foreach (var port in Changes) result[port.Port] = port.Vlans!.Pvid!.Value;
        return result;
    }

    ImmutableSortedDictionary<int, PortVlans> Expected() => Changes.ToImmutableSortedDictionary(p => p.Port, p => p.Vlans!);

    static Varbind PvidOf(int port, VlanId vlan) => new(QBridgeMib.Pvid.Append((uint)port), SnmpValue.Gauge((uint)vlan.Value));

    static PortList Union(PortList a, PortList b)
    {
        var result = a;
        foreach (var port in b.Ports) result = result.With(port);
        return result;
    }
}
