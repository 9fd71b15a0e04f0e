namespace GridAppliance.Protocols.Snmp;

/// <summary>What a row of a table is ordered to do, and how it stands (RowStatus, RFC 2579 section 2).</summary>
public static class RowStatus
{
    public const int Active = 1;
    public const int CreateAndGo = 4;
    public const int CreateAndWait = 5;
    public const int Destroy = 6;
}
