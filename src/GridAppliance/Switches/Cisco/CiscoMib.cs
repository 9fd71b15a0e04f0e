using GridAppliance.Protocols.Snmp;

namespace GridAppliance.Switches.Cisco;

/// <summary>What Cisco's switches have in place of Q-BRIDGE-MIB: CISCO-VTP-MIB and CISCO-VLAN-MEMBERSHIP-MIB.</summary>
static class CiscoMib
{
    static readonly ObjectIdentifier Cisco = new(1, 3, 6, 1, 4, 1, 9, 9);
    static readonly ObjectIdentifier Domain = Cisco.Append(46, 1, 2, 1, 1);
    static readonly ObjectIdentifier EditControl = Cisco.Append(46, 1, 4, 1, 1);
    static readonly ObjectIdentifier TrunkPort = Cisco.Append(46, 1, 6, 1, 1);

    /// <summary>.domain</summary>
    public static ObjectIdentifier DomainName { get; } = Domain.Append(2);
    public static ObjectIdentifier DomainMode { get; } = Domain.Append(3);

    /// <summary>.domain.vlan</summary>
    public static ObjectIdentifier VlanType { get; } = Cisco.Append(46, 1, 3, 1, 1, 3);
    public static ObjectIdentifier VlanName { get; } = Cisco.Append(46, 1, 3, 1, 1, 4);

    /// <summary>.domain: the edit buffer, which one at a time may use.</summary>
    public static ObjectIdentifier EditOperation { get; } = EditControl.Append(1);
    public static ObjectIdentifier ApplyStatus { get; } = EditControl.Append(2);
    public static ObjectIdentifier EditOwner { get; } = EditControl.Append(3);
    /// <summary>.domain.vlan: what is in the buffer.</summary>
    public static ObjectIdentifier EditEntry { get; } = Cisco.Append(46, 1, 4, 2, 1);
    public static ObjectIdentifier EditType { get; } = EditEntry.Append(3);
    public static ObjectIdentifier EditName { get; } = EditEntry.Append(4);
    public static ObjectIdentifier EditSaid { get; } = EditEntry.Append(6);
    public static ObjectIdentifier EditRowStatus { get; } = EditEntry.Append(11);

    /// <summary>.ifIndex</summary>
    public static ObjectIdentifier AccessType { get; } = Cisco.Append(68, 1, 2, 2, 1, 1);
    /// <summary>.ifIndex = vlan</summary>
    public static ObjectIdentifier AccessVlan { get; } = Cisco.Append(68, 1, 2, 2, 1, 2);

    /// <summary>.ifIndex</summary>
    public static ObjectIdentifier TrunkEncapsulation { get; } = TrunkPort.Append(3);
    /// <summary>.ifIndex; columns of VLANs 0–1023, 1024–2047 …</summary>
    public static ObjectIdentifier[] TrunkVlans { get; } = [TrunkPort.Append(4), TrunkPort.Append(17), TrunkPort.Append(18), TrunkPort.Append(19)];
    public static ObjectIdentifier TrunkNative { get; } = TrunkPort.Append(5);
    /// <summary>What the port was told.</summary>
    public static ObjectIdentifier TrunkState { get; } = TrunkPort.Append(13);
    /// <summary>What came of it.</summary>
    public static ObjectIdentifier TrunkStatus { get; } = TrunkPort.Append(14);
    /// <summary>TestAndIncr: goes up with each write of a trunk's VLANs, and such a write has to name it as it is.</summary>
    public static ObjectIdentifier TrunkSerial { get; } = Cisco.Append(46, 1, 6, 2, 0);

    public const int Ethernet = 1;
    public const int Trunking = 1;
    public const int Dot1Q = 4;
    public const int StaticMembership = 1;

    /// <summary>VLANs that every such switch has, and that are neither made nor removed: the default, and those of FDDI and token ring.</summary>
    public static bool IsBuiltIn(VlanId vlan) => vlan.Value is 1 or (>= 1002 and <= 1005);
}

/// <summary>managementDomainLocalMode.</summary>
enum VtpMode
{
    Client = 1,
    Server = 2,
    Transparent = 3,
    Off = 4,
}

/// <summary>vtpVlanEditOperation.</summary>
enum VtpEditOperation
{
    Copy = 2,
    Apply = 3,
    Release = 4,
}

/// <summary>vtpVlanApplyStatus.</summary>
enum VtpApplyStatus
{
    InProgress = 1,
    Succeeded = 2,
    ConfigNumberError = 3,
    InconsistentEdit = 4,
    TooBig = 5,
    LocalStoreFailed = 6,
    RemoteStoreFailed = 7,
    EditBufferEmpty = 8,
    OtherError = 9,
    NotPrimaryServer = 10,
}

/// <summary>vlanTrunkPortDynamicState.</summary>
enum TrunkMode
{
    On = 1,
    Off = 2,
    Desirable = 3,
    Auto = 4,
    OnWithoutAsking = 5,
}
