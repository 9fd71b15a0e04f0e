using System.Collections.Immutable;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Switches.QBridge;

namespace GridAppliance.Switches.Cisco;

/// <summary>The tables of a Cisco switch as they came.</summary>
sealed record CiscoRows
{
    public required IReadOnlyList<Varbind> VlanTypes { get; init; }
    public required IReadOnlyList<Varbind> VlanNames { get; init; }
    public required IReadOnlyList<Varbind> AccessVlans { get; init; }
    public required IReadOnlyList<Varbind> TrunkNatives { get; init; }
    public required IReadOnlyList<Varbind> TrunkStatuses { get; init; }
    /// <summary>Column by column.</summary>
    public required IReadOnlyList<IReadOnlyList<Varbind>> TrunkVlans { get; init; }
    public required IReadOnlyList<Varbind> InterfaceNames { get; init; }
    public required IReadOnlyList<Varbind> InterfaceAliases { get; init; }
    public IReadOnlyList<Varbind> InterfaceAdminStatus { get; init; } = [];
    public IReadOnlyList<Varbind> InterfaceOperStatus { get; init; } = [];
}

/// <summary>What they mean: ports are numbered by interface. Pure.</summary>
static class CiscoTables
{
    public static SwitchSnapshot From(CiscoRows rows)
    {
        var vlans = Vlans(rows);
        var access = ByInterface(CiscoMib.AccessVlan, rows.AccessVlans);
        var natives = ByInterface(CiscoMib.TrunkNative, rows.TrunkNatives);
        var statuses = ByInterface(CiscoMib.TrunkStatus, rows.TrunkStatuses);
        var allowed = Enumerable.Range(0, VlanBits.Columns).Select(c => ByInterface(CiscoMib.TrunkVlans[c], rows.TrunkVlans[c])).ToArray();
        var names = ByInterface(QBridgeMib.InterfaceName, rows.InterfaceNames);
        var aliases = ByInterface(QBridgeMib.InterfaceAlias, rows.InterfaceAliases);
        var admin = ByInterface(QBridgeMib.InterfaceAdminStatus, rows.InterfaceAdminStatus);
        var oper = ByInterface(QBridgeMib.InterfaceOperStatus, rows.InterfaceOperStatus);
        var ports = access.Keys.Union(natives.Keys).ToImmutableSortedDictionary(index => index, index => new SwitchPort
        {
            Number = index,
            IfIndex = index,
            Name = names.GetValueOrDefault(index).AsText is { Length: > 0 } name ? name : $"interface {index}",
            Description = aliases.GetValueOrDefault(index).AsText,
            IsEnabled = Status(admin, index),
            HasLink = Status(oper, index),
            Vlans = VlansOf(index, vlans, access, natives, statuses, allowed),
        });
        return new() { Ports = ports, Vlans = vlans };
    }

    // FDDI and token ring have VLANs of their own there, which no port is ever in.
    static ImmutableSortedDictionary<VlanId, SwitchVlan> Vlans(CiscoRows rows)
    {
        var others = new HashSet<uint>();
        foreach (var cell in rows.VlanTypes)
        {
            if (cell.Name.Below(CiscoMib.VlanType) is [_, var number] && cell.Value.TryGetInt32(out var type) && type != CiscoMib.Ethernet) others.Add(number);
        }
        var found = ImmutableSortedDictionary.CreateBuilder<VlanId, SwitchVlan>();
        foreach (var cell in rows.VlanNames)
        {
            if (cell.Name.Below(CiscoMib.VlanName) is [_, var number] && !others.Contains(number) && VlanId.From(number) is { } vlan) found[vlan] = new(vlan, cell.Value.AsText);
        }
        return found.ToImmutable();
    }

    static PortVlans VlansOf(
        int index, ImmutableSortedDictionary<VlanId, SwitchVlan> vlans, Dictionary<int, SnmpValue> access, Dictionary<int, SnmpValue> natives, Dictionary<int, SnmpValue> statuses, Dictionary<int, SnmpValue>[] allowed)
    {
        if (statuses.TryGetValue(index, out var status) && status.TryGetInt32(out var trunking) && trunking == CiscoMib.Trunking)
        {
            // All 4,094 are allowed where nothing was said: those that the switch has are meant.
            var tagged = allowed.SelectMany((column, i) => VlanBits.Read(column.GetValueOrDefault(index).AsOctets.ToArray(), i))
                .Select(v => VlanId.From(v)).OfType<VlanId>().Where(vlans.ContainsKey).ToList();
            var native = natives.GetValueOrDefault(index).TryGetInt32(out var number) ? VlanId.From(number) : null;
            // A native VLAN that is not among the allowed ones carries nothing.
            return PortVlans.Trunk(native is { } vlan && tagged.Contains(vlan) ? native : null, tagged);
        }
        return access.TryGetValue(index, out var member) && member.TryGetInt32(out var id) && VlanId.From(id) is { } only ? PortVlans.Access(only) : PortVlans.Unknown;
    }

    static Dictionary<int, SnmpValue> ByInterface(ObjectIdentifier column, IReadOnlyList<Varbind> cells)
    {
        var found = new Dictionary<int, SnmpValue>();
        foreach (var cell in cells)
        {
            if (cell.Name.Below(column) is [<= int.MaxValue and var index]) found[(int)index] = cell.Value;
        }
        return found;
    }

    static bool? Status(Dictionary<int, SnmpValue> cells, int index) => cells.GetValueOrDefault(index).TryGetInt32(out var status) ? status == 1 : null;
}
