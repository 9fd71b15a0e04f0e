using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Lldp;
using GridAppliance.Protocols.Snmp;

namespace GridAppliance.Lab.Switches.Snmp;

/// <summary>A model as the rows of SNMPv2-MIB, IF-MIB, BRIDGE-MIB, Q-BRIDGE-MIB and LLDP-MIB. Pure.</summary>
static class BridgeRows
{
    static readonly ObjectIdentifier System = new(1, 3, 6, 1, 2, 1, 1);
    static readonly ObjectIdentifier IfEntry = new(1, 3, 6, 1, 2, 1, 2, 2, 1);
    static readonly ObjectIdentifier IfXEntry = new(1, 3, 6, 1, 2, 1, 31, 1, 1, 1);
    static readonly ObjectIdentifier Bridge = new(1, 3, 6, 1, 2, 1, 17);
    static readonly ObjectIdentifier QBridge = Bridge.Append(7, 1);
    static readonly ObjectIdentifier Lldp = new(1, 0, 8802, 1, 1, 2, 1);

    public static ObjectIdentifier UpTime { get; } = System.Append(3, 0);
    public static ObjectIdentifier Contact { get; } = System.Append(4, 0);
    public static ObjectIdentifier IfAdminStatus { get; } = IfEntry.Append(7);
    public static ObjectIdentifier IfAlias { get; } = IfXEntry.Append(18);
    public static ObjectIdentifier StaticName { get; } = QBridge.Append(4, 3, 1, 1);
    public static ObjectIdentifier StaticEgress { get; } = QBridge.Append(4, 3, 1, 2);
    public static ObjectIdentifier StaticForbidden { get; } = QBridge.Append(4, 3, 1, 3);
    public static ObjectIdentifier StaticUntagged { get; } = QBridge.Append(4, 3, 1, 4);
    public static ObjectIdentifier StaticStatus { get; } = QBridge.Append(4, 3, 1, 5);
    /// <summary>.column.timeMark.vlan</summary>
    public static ObjectIdentifier Current { get; } = QBridge.Append(4, 2, 1);
    public static ObjectIdentifier Pvid { get; } = QBridge.Append(4, 5, 1, 1);

    /// <param name="model">The switch.</param>
    /// <param name="name">What it calls itself.</param>
    /// <param name="changes">When its VLANs changed.</param>
    /// <param name="uptime">Hundredths of a second since the agent started.</param>
    public static IEnumerable<Varbind> Of(BridgeModel model, string name, VlanTimes changes, uint uptime) =>
        SystemRows(model, name, uptime).Concat(Interfaces(model)).Concat(BridgeTables(model)).Concat(VlanTables(model, changes)).Concat(LldpTables(model, name));

    static IEnumerable<Varbind> SystemRows(BridgeModel model, string name, uint uptime) =>
    [
        new(System.Append(1, 0), SnmpValue.Text("GridAppliance lab switch")),
        new(System.Append(2, 0), SnmpValue.Identifier(new(1, 3, 6, 1, 4, 1, 8072, 3, 2, 10))),
        new(UpTime, SnmpValue.TimeTicks(uptime)),
        new(Contact, SnmpValue.Text(model.Contact)),
        new(System.Append(5, 0), SnmpValue.Text(name)),
        new(System.Append(6, 0), SnmpValue.Text("lab")),
    ];

    static IEnumerable<Varbind> Interfaces(BridgeModel model)
    {
        yield return new(new(1, 3, 6, 1, 2, 1, 2, 1, 0), SnmpValue.Integer(model.Ports.Count));
        foreach (var port in model.Ports.Values)
        {
            var index = (uint)port.IfIndex;
            yield return new(IfEntry.Append(1, index), SnmpValue.Integer(port.IfIndex));
            yield return new(IfEntry.Append(2, index), SnmpValue.Text(port.Name));
            yield return new(IfEntry.Append(3, index), SnmpValue.Integer(6)); // ethernetCsmacd
            yield return new(IfEntry.Append(5, index), SnmpValue.Gauge(1_000_000_000));
            yield return new(IfAdminStatus.Append(index), SnmpValue.Integer(port.IsEnabled ? 1 : 2));
            yield return new(IfEntry.Append(8, index), SnmpValue.Integer(port.IsEnabled && port.HasLink ? 1 : 2));
            yield return new(IfXEntry.Append(1, index), SnmpValue.Text(port.Name));
            yield return new(IfXEntry.Append(15, index), SnmpValue.Gauge(1000));
            yield return new(IfAlias.Append(index), SnmpValue.Text(port.Alias));
        }
    }

    static IEnumerable<Varbind> BridgeTables(BridgeModel model)
    {
        if (model.Address is { } own) yield return new(Bridge.Append(1, 1, 0), SnmpValue.Octets(Octets(own)));
        yield return new(Bridge.Append(1, 2, 0), SnmpValue.Integer(model.Ports.Count));
        yield return new(Bridge.Append(1, 3, 0), SnmpValue.Integer(2)); // transparent only
        foreach (var port in model.Ports.Values)
        {
            yield return new(Bridge.Append(1, 4, 1, 1, (uint)port.Number), SnmpValue.Integer(port.Number));
            yield return new(Bridge.Append(1, 4, 1, 2, (uint)port.Number), SnmpValue.Integer(port.IfIndex));
        }
        foreach (var address in model.Addresses)
        {
            var row = QBridge.Append([2, 2, 1, 2, (uint)address.Vlan, .. Parts(address.Mac)]);
            yield return new(row, SnmpValue.Integer(address.Port));
            yield return new(QBridge.Append([2, 2, 1, 3, (uint)address.Vlan, .. Parts(address.Mac)]), SnmpValue.Integer(3)); // learned
        }
    }

    static IEnumerable<Varbind> VlanTables(BridgeModel model, VlanTimes changes)
    {
        var octets = ListLength(model);
        yield return new(QBridge.Append(1, 1, 0), SnmpValue.Integer(1)); // version1
        yield return new(QBridge.Append(1, 2, 0), SnmpValue.Integer(4094));
        yield return new(QBridge.Append(1, 3, 0), SnmpValue.Gauge(4094));
        yield return new(QBridge.Append(1, 4, 0), SnmpValue.Gauge((uint)model.Vlans.Count));
        yield return new(QBridge.Append(1, 5, 0), SnmpValue.Integer(2)); // no GVRP
        yield return new(QBridge.Append(4, 1, 0), SnmpValue.Counter(changes.Deletes));
        foreach (var (vlan, row) in model.Vlans)
        {
            var (id, since) = ((uint)vlan, changes.Since(vlan));
            yield return new(Current.Append(3, since, id), SnmpValue.Gauge(id));
            yield return new(Current.Append(4, since, id), SnmpValue.Octets(row.Egress.PaddedTo(octets).Octets));
            yield return new(Current.Append(5, since, id), SnmpValue.Octets(row.Untagged.PaddedTo(octets).Octets));
            yield return new(Current.Append(6, since, id), SnmpValue.Integer(2)); // permanent
            yield return new(StaticName.Append(id), SnmpValue.Text(row.Name));
            yield return new(StaticEgress.Append(id), SnmpValue.Octets(row.Egress.PaddedTo(octets).Octets));
            yield return new(StaticForbidden.Append(id), SnmpValue.Octets(new byte[octets]));
            yield return new(StaticUntagged.Append(id), SnmpValue.Octets(row.Untagged.PaddedTo(octets).Octets));
            yield return new(StaticStatus.Append(id), SnmpValue.Integer(1)); // active
        }
        foreach (var port in model.Ports.Values)
        {
            yield return new(Pvid.Append((uint)port.Number), SnmpValue.Gauge((uint)port.Pvid));
            yield return new(QBridge.Append(4, 5, 1, 2, (uint)port.Number), SnmpValue.Integer(1)); // admitAll
            yield return new(QBridge.Append(4, 5, 1, 3, (uint)port.Number), SnmpValue.Integer(1)); // ingress filtering
        }
    }

    static IEnumerable<Varbind> LldpTables(BridgeModel model, string name)
    {
        if (model.Address is { } own)
        {
            yield return new(Lldp.Append(3, 1, 0), SnmpValue.Integer((int)LldpChassisKind.MacAddress));
            yield return new(Lldp.Append(3, 2, 0), SnmpValue.Octets(Octets(own)));
        }
        yield return new(Lldp.Append(3, 3, 0), SnmpValue.Text(name));
        foreach (var port in model.Ports.Values)
        {
            yield return new(Lldp.Append(3, 7, 1, 2, (uint)port.Number), SnmpValue.Integer(5)); // interfaceName
            yield return new(Lldp.Append(3, 7, 1, 3, (uint)port.Number), SnmpValue.Text(port.Name));
            yield return new(Lldp.Append(3, 7, 1, 4, (uint)port.Number), SnmpValue.Text(port.Alias));
        }
        for (var i = 0; i < model.Neighbours.Length; i++)
        {
            var neighbour = model.Neighbours[i];
            uint[] row = [0, (uint)neighbour.Port, (uint)i + 1];
            yield return new(Lldp.Append([4, 1, 1, 4, .. row]), SnmpValue.Integer((int)neighbour.ChassisKind));
            yield return new(Lldp.Append([4, 1, 1, 5, .. row]), SnmpValue.Octets(neighbour.ChassisId.AsSpan()));
            yield return new(Lldp.Append([4, 1, 1, 6, .. row]), SnmpValue.Integer((int)neighbour.PortKind));
            yield return new(Lldp.Append([4, 1, 1, 7, .. row]), SnmpValue.Octets(neighbour.PortId.AsSpan()));
            yield return new(Lldp.Append([4, 1, 1, 8, .. row]), SnmpValue.Text(neighbour.PortDescription));
            yield return new(Lldp.Append([4, 1, 1, 9, .. row]), SnmpValue.Text(neighbour.SystemName));
            yield return new(Lldp.Append([4, 1, 1, 10, .. row]), SnmpValue.Text(neighbour.SystemDescription));
        }
    }

    public static int ListLength(BridgeModel model) => (model.Ports.Keys.Max() + 7) / 8;

    static byte[] Octets(MacAddress mac)
    {
        var octets = new byte[MacAddress.Length];
        mac.Write(octets);
        return octets;
    }

    static uint[] Parts(MacAddress mac) => [.. Octets(mac).Select(o => (uint)o)];
}
