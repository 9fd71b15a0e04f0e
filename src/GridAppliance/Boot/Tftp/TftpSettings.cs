namespace GridAppliance.Boot.Tftp;

/// <summary>Bounds and patience of the TFTP server. Not configuration: nobody should have to know them; tests and benchmarks do.</summary>
sealed record TftpSettings
{
    public int Port { get; init; } = 69;

    /// <summary>A rack that is switched on at once boots from this many at a time; the others' ROMs ask again.</summary>
    public int MaxTransfers { get; init; } = 512;

    /// <summary>A machine loads one file at a time, a few where NICs of one bond or a VM host's guests share an address.</summary>
    public int MaxTransfersPerClient { get; init; } = 16;

    /// <summary>Longest window granted; more only risks the client's receive buffer.</summary>
    public int MaxWindow { get; init; } = 64;

    /// <summary>First wait for an acknowledgement where the client asks for none of its own (RFC 2349).</summary>
    public TimeSpan FirstTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The wait doubles up to this.</summary>
    public TimeSpan LongestTimeout { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>How often one window is sent in vain before the client is taken for gone.</summary>
    public int Attempts { get; init; } = 6;
}
