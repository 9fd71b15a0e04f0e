using GridAppliance.Protocols.Snmp;

namespace GridAppliance.Switches.Cisco;

/// <summary>What Cisco's switches have in place of Q-BRIDGE-MIB: CISCO-VTP-MIB and CISCO-VLAN-MEMBERSHIP-MIB.</summary>
static class CiscoMib
{
    static readonly ObjectIdentifier Cisco = new(1, 3, 6, 1, 4, 1, 9, 9);
    static readonly ObjectIdentifier TrunkPort = Cisco.Append(46, 1, 6, 1, 1);

    /// <summary>.domain.vlan</summary>
    public static ObjectIdentifier VlanType { get; } = Cisco.Append(46, 1, 3, 1, 1, 3);
    public static ObjectIdentifier VlanName { get; } = Cisco.Append(46, 1, 3, 1, 1, 4);
    /// <summary>.ifIndex = vlan</summary>
    public static ObjectIdentifier AccessVlan { get; } = Cisco.Append(68, 1, 2, 2, 1, 2);

    /// <summary>.ifIndex; columns of VLANs 0–1023, 1024–2047 …</summary>
    public static ObjectIdentifier[] TrunkVlans { get; } = [TrunkPort.Append(4), TrunkPort.Append(17), TrunkPort.Append(18), TrunkPort.Append(19)];
    public static ObjectIdentifier TrunkNative { get; } = TrunkPort.Append(5);
    public static ObjectIdentifier TrunkStatus { get; } = TrunkPort.Append(14);

    public const int Ethernet = 1;
    public const int Trunking = 1;
}
