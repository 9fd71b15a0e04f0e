using GridAppliance.Protocols.Snmp;

namespace GridAppliance.San.Mds;

/// <summary>What is read and written of CISCO-ZS-MIB (revision 201411250000Z). Rows are indexed by VSAN first.</summary>
static class ZoneServerMib
{
    static readonly ObjectIdentifier Configuration = new(1, 3, 6, 1, 4, 1, 9, 9, 294, 1, 1);

    /// <summary>.vsan = permit(1), deny(2)</summary>
    public static ObjectIdentifier DefaultZoneBehaviour { get; } = Configuration.Append(1, 1, 1);

    /// <summary>.vsan.zoneSet</summary>
    public static ObjectIdentifier ZoneSetName { get; } = Configuration.Append(4, 1, 2);
    public static ObjectIdentifier ZoneSetZones { get; } = Configuration.Append(4, 1, 3);
    public static ObjectIdentifier ZoneSetStatus { get; } = Configuration.Append(4, 1, 5);

    /// <summary>.vsan; writing a zone set's index clones it and puts the clone in force.</summary>
    public static ObjectIdentifier Activate { get; } = Configuration.Append(5, 1, 1);
    public static ObjectIdentifier ActivateResult { get; } = Configuration.Append(5, 1, 2);
    public static ObjectIdentifier Deactivate { get; } = Configuration.Append(5, 1, 3);
    public static ObjectIdentifier ActivateStatus { get; } = Configuration.Append(5, 1, 4);
    public static ObjectIdentifier ActivateFailure { get; } = Configuration.Append(5, 1, 5);

    /// <summary>.vsan.zone</summary>
    public static ObjectIdentifier ZoneName { get; } = Configuration.Append(7, 1, 2);
    public static ObjectIdentifier ZoneStatus { get; } = Configuration.Append(7, 1, 6);

    /// <summary>.vsan.zone(1).parent.member</summary>
    public static ObjectIdentifier MemberFormat { get; } = Configuration.Append(11, 1, 4);
    public static ObjectIdentifier MemberId { get; } = Configuration.Append(11, 1, 5);
    public static ObjectIdentifier MemberStatus { get; } = Configuration.Append(11, 1, 7);

    /// <summary>.vsan: the zone set in force. Empty when none is.</summary>
    public static ObjectIdentifier EnforcedSetName { get; } = Configuration.Append(13, 1, 1);

    /// <summary>.vsan.zone: the zones in force, as they were when their set was activated.</summary>
    public static ObjectIdentifier EnforcedZoneName { get; } = Configuration.Append(15, 1, 1);
    /// <summary>.vsan.zone(1).parent.member</summary>
    public static ObjectIdentifier EnforcedMemberFormat { get; } = Configuration.Append(19, 1, 1);
    public static ObjectIdentifier EnforcedMemberId { get; } = Configuration.Append(19, 1, 2);

    /// <summary>Writing a VSAN's number copies what is written down for it to all switches of the fabric.</summary>
    public static ObjectIdentifier Distribute { get; } = Configuration.Append(34, 0);
    public static ObjectIdentifier DistributeResult { get; } = Configuration.Append(35, 0);
    public static ObjectIdentifier DistributeFailure { get; } = Configuration.Append(36, 0);
    public const int DistributeSuccess = 1, DistributeFailed = 2;

    /// <summary>CISCO-ZS-EXT-MIB, .vsan = basic(1), enhanced(2)</summary>
    public static ObjectIdentifier OperationMode { get; } = new(1, 3, 6, 1, 4, 1, 9, 9, 427, 1, 1, 2, 1, 1);
    public const int Enhanced = 2;

    /// <summary>ZoneMemberType wwn.</summary>
    public const int PortName = 1;
    /// <summary>zoneMemberTypeIndex zone.</summary>
    public const uint OfZone = 1;
    public const int ActivateSuccess = 1, ActivateFailed = 2, DeactivateSuccess = 3, DeactivateFailed = 4;
    public const int LargestZoneSet = 2048, LargestZone = 8192, LargestMember = 2048;
    /// <summary>FcChangeProtoFailCause zsetUnchangedAndActive and zsetNotActive: what was asked for is so already.</summary>
    public const int UnchangedAndActive = 21, NotActive = 17;

    public static bool IsRowStatus(ObjectIdentifier name) => name.StartsWith(ZoneStatus) || name.StartsWith(MemberStatus) || name.StartsWith(ZoneSetStatus) || name.StartsWith(ActivateStatus);
}
