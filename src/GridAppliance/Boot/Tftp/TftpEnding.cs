namespace GridAppliance.Boot.Tftp;

/// <summary>Why a transfer ended.</summary>
enum TftpEnding
{
    /// <summary>The last block was acknowledged.</summary>
    Completed,
    /// <summary>The client heard the file's size in the OACK and hung up, as OVMF does on purpose before it asks again.</summary>
    SizeProbe,
    /// <summary>The client sent an ERROR on the way.</summary>
    Aborted,
    /// <summary>No acknowledgement in spite of every retransmission.</summary>
    TimedOut,
    /// <summary>A new request came from the same port, or the daemon stops.</summary>
    Stopped,
}
