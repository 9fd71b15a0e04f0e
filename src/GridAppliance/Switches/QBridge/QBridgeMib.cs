using GridAppliance.Protocols.Snmp;

namespace GridAppliance.Switches.QBridge;

/// <summary>The objects that are read and written (BRIDGE-MIB: RFC 4188; Q-BRIDGE-MIB: RFC 4363; IF-MIB: RFC 2863; LLDP-MIB: IEEE 802.1AB).</summary>
static class QBridgeMib
{
    static readonly ObjectIdentifier Bridge = new(1, 3, 6, 1, 2, 1, 17);
    static readonly ObjectIdentifier QBridge = Bridge.Append(7, 1);
    static readonly ObjectIdentifier Lldp = new(1, 0, 8802, 1, 1, 2, 1);

    public static ObjectIdentifier SysUpTime { get; } = new(1, 3, 6, 1, 2, 1, 1, 3, 0);
    public static ObjectIdentifier SysObjectId { get; } = new(1, 3, 6, 1, 2, 1, 1, 2, 0);

    /// <summary>.port = ifIndex</summary>
    public static ObjectIdentifier BasePortIfIndex { get; } = Bridge.Append(1, 4, 1, 2);
    /// <summary>.mac = port: the table of switches without VLANs.</summary>
    public static ObjectIdentifier ForwardingPort { get; } = Bridge.Append(4, 3, 1, 2);

    /// <summary>.fdb.mac = port</summary>
    public static ObjectIdentifier VlanForwardingPort { get; } = QBridge.Append(2, 2, 1, 2);
    /// <summary>.timeMark.vlan …</summary>
    public static ObjectIdentifier CurrentEntry { get; } = QBridge.Append(4, 2, 1);
    /// <summary>How many rows of the current table have gone: their absence has no time mark.</summary>
    public static ObjectIdentifier VlanDeletes { get; } = QBridge.Append(4, 1, 0);
    public static ObjectIdentifier CurrentFdb { get; } = CurrentEntry.Append(3);
    public static ObjectIdentifier CurrentEgress { get; } = CurrentEntry.Append(4);
    public static ObjectIdentifier CurrentUntagged { get; } = CurrentEntry.Append(5);
    /// <summary>.vlan …</summary>
    public static ObjectIdentifier StaticEntry { get; } = QBridge.Append(4, 3, 1);
    public static ObjectIdentifier StaticName { get; } = StaticEntry.Append(1);
    public static ObjectIdentifier StaticEgress { get; } = StaticEntry.Append(2);
    public static ObjectIdentifier StaticUntagged { get; } = StaticEntry.Append(4);
    public static ObjectIdentifier StaticRowStatus { get; } = StaticEntry.Append(5);
    /// <summary>.port = vlan</summary>
    public static ObjectIdentifier Pvid { get; } = QBridge.Append(4, 5, 1, 1);

    public static ObjectIdentifier InterfaceDescription { get; } = new(1, 3, 6, 1, 2, 1, 2, 2, 1, 2);
    public static ObjectIdentifier InterfaceAdminStatus { get; } = new(1, 3, 6, 1, 2, 1, 2, 2, 1, 7);
    public static ObjectIdentifier InterfaceOperStatus { get; } = new(1, 3, 6, 1, 2, 1, 2, 2, 1, 8);
    public static ObjectIdentifier InterfaceName { get; } = new(1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1);
    public static ObjectIdentifier InterfaceAlias { get; } = new(1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 18);

    /// <summary>.localPort …</summary>
    public static ObjectIdentifier LldpLocalPort { get; } = Lldp.Append(3, 7, 1);
    /// <summary>.timeMark.localPort.index …</summary>
    public static ObjectIdentifier LldpRemote { get; } = Lldp.Append(4, 1, 1);

    /// <summary>The enterprise whose port lists may be text although they have one number only.</summary>
    public static ObjectIdentifier Juniper { get; } = new(1, 3, 6, 1, 4, 1, 2636);
}
