using System.Collections.Immutable;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Switches.QBridge;

namespace GridAppliance.Switches.Cisco;

/// <summary>
/// What a change that was left half done still needs to be taken back, against what the switch holds now. Everything but the list of VLANs is a port's own here. Made again against a reading after it
/// was written, nothing is left of it. Pure.
/// </summary>
sealed class CiscoTakeBack(CiscoTables tables, UnfinishedChange change, SwitchPolicy policy)
{
    readonly List<string> left = [];

    public TakeBackPlan Make()
    {
        var writes = change.Undo.Select(step => VtpEditor.IsEdit(step.Set) ? Edit(step) : new VlanWrite([.. step.Set.Select(Step).OfType<Varbind>()], [])).Where(w => !w.Set.IsEmpty).ToImmutableArray();
        return new(writes, [.. left.Distinct()]);
    }

    // One VLAN, its row's status first.
    VlanWrite Edit(VlanWrite step)
    {
        if (step.Set[0].Name.Below(CiscoMib.EditRowStatus) is not [_, var index] || VlanId.From(index) is not { } vlan) return step;
        var isRemoval = step.Set[0].Value == SnmpValue.Integer(RowStatus.Destroy);
        if (tables.Snapshot.Vlans.ContainsKey(vlan) != isRemoval) return new([], []);
        if (policy.Vlans.Contains(vlan)) return step;
        left.Add($"VLAN {vlan} is not ours any more");
        return new([], []);
    }

    Varbind? Step(Varbind undo)
    {
        if (undo.Name.StartsWith(QBridgeMib.InterfaceAlias) || undo.Name.StartsWith(QBridgeMib.InterfaceAdminStatus)) return TakeBackPlan.InterfaceStep(undo, tables.Snapshot, policy, left);
        var port = (int)undo.Name[^1];
        if (IsSo(undo, port)) return null;
        if (policy.MayWrite(port)) return undo;
        left.Add($"{(tables.Snapshot.Ports.TryGetValue(port, out var known) ? known.Name : $"port {port}")} is not ours to write any more");
        return null;
    }

    bool IsSo(Varbind undo, int port)
    {
        var trunk = tables.Trunk(port);
        for (var c = 0; c < VlanBits.Columns; c++)
        {
            if (undo.Name.StartsWith(CiscoMib.TrunkVlans[c])) return trunk?.Vlans[c] is { } now && VlanBits.Read(now.AsOctets.ToArray(), c).SequenceEqual(VlanBits.Read(undo.Value.AsOctets.ToArray(), c));
        }
        return undo.Value.TryGetInt32(out var value) && value == Current(undo.Name, port, trunk);
    }

    int? Current(ObjectIdentifier name, int port, TrunkRow? trunk) =>
        name.StartsWith(CiscoMib.AccessVlan) ? tables.AccessVlan(port)?.Value
        : name.StartsWith(CiscoMib.TrunkNative) ? trunk?.Native
        : name.StartsWith(CiscoMib.TrunkEncapsulation) ? trunk?.Encapsulation
        : name.StartsWith(CiscoMib.TrunkState) ? (int?)trunk?.Mode
        : null;
}
