namespace GridAppliance.Protocols.Snmp.Usm;

/// <summary>What an engine says about a message that it did not take (RFC 3414, section 5: the usmStats counters; RFC 3412: the first two).</summary>
public enum UsmReport
{
    /// <summary>A report that we do not know.</summary>
    Unknown,
    UnknownContext,
    UnavailableContext,
    UnsupportedSecurityLevel,
    NotInTimeWindow,
    UnknownUserName,
    UnknownEngineId,
    WrongDigest,
    DecryptionError,
}

/// <summary>Reports on the wire: one varbind, the counter that went up.</summary>
public static class UsmReports
{
    static readonly ObjectIdentifier UsmStats = new(1, 3, 6, 1, 6, 3, 15, 1, 1);
    static readonly ObjectIdentifier UnavailableContexts = new(1, 3, 6, 1, 6, 3, 12, 1, 4);
    static readonly ObjectIdentifier UnknownContexts = new(1, 3, 6, 1, 6, 3, 12, 1, 5);

    public static UsmReport Of(SnmpPdu report)
    {
        if (report.Varbinds is not [var first, ..]) return UsmReport.Unknown;
        if (first.Name.StartsWith(UnavailableContexts)) return UsmReport.UnavailableContext;
        if (first.Name.StartsWith(UnknownContexts)) return UsmReport.UnknownContext;
        return first.Name.Below(UsmStats) switch
        {
            [1, ..] => UsmReport.UnsupportedSecurityLevel,
            [2, ..] => UsmReport.NotInTimeWindow,
            [3, ..] => UsmReport.UnknownUserName,
            [4, ..] => UsmReport.UnknownEngineId,
            [5, ..] => UsmReport.WrongDigest,
            [6, ..] => UsmReport.DecryptionError,
            _ => UsmReport.Unknown,
        };
    }

    /// <summary>The report that an agent sends.</summary>
    public static SnmpPdu Create(UsmReport report, int requestId, uint count)
    {
        var name = report switch
        {
            UsmReport.UnavailableContext => UnavailableContexts.Append(0),
            UsmReport.UnknownContext => UnknownContexts.Append(0),
            UsmReport.UnsupportedSecurityLevel => UsmStats.Append(1, 0),
            UsmReport.NotInTimeWindow => UsmStats.Append(2, 0),
            UsmReport.UnknownUserName => UsmStats.Append(3, 0),
            UsmReport.UnknownEngineId => UsmStats.Append(4, 0),
            UsmReport.WrongDigest => UsmStats.Append(5, 0),
            UsmReport.DecryptionError => UsmStats.Append(6, 0),
            UsmReport.Unknown => throw new ArgumentOutOfRangeException(nameof(report)),
        };
        return new() { Type = SnmpPduType.Report, RequestId = requestId, Varbinds = [new(name, SnmpValue.Counter(count))] };
    }
}
