namespace GridAppliance.Switches.Snmp;

/// <summary>How patient and how greedy we are with a device.</summary>
sealed record SnmpTimings
{
    public const int Port = 161;

    /// <summary>How long the first answer may take; each further attempt waits twice as long.</summary>
    public TimeSpan FirstWait { get; init; } = TimeSpan.FromSeconds(1);
    /// <summary>How often a request is sent before the device counts as silent.</summary>
    public int Attempts { get; init; } = 4;
    /// <summary>Requests under way at one device. Switch processors are slow, and drop what they cannot queue.</summary>
    public int InFlight { get; init; } = 4;
    /// <summary>Rows that the first GETBULK asks for.</summary>
    public int FirstBulk { get; init; } = 24;
    /// <summary>Cells of one table that are taken before a device counts as making them up: the largest switches know some hundred thousand addresses.</summary>
    public int LargestTable { get; init; } = 1_000_000;
    public int LargestBulk { get; init; } = 128;
    /// <summary>Octets that an answer should have at most: what goes through any network in one piece. Fragments get lost.</summary>
    public int ComfortableAnswer { get; init; } = 1400;
    /// <summary>Octets that a request has at most, for the same reason and because small agents have small buffers.</summary>
    public int LargestRequest { get; init; } = 1400;
}
