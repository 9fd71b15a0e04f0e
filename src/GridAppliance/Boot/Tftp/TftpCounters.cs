using GridAppliance.Protocols.Tftp;

namespace GridAppliance.Boot.Tftp;

/// <summary>What the TFTP server counts; written by its tasks, read by metrics.</summary>
sealed class TftpCounters
{
    readonly long[] defects = new long[Enum.GetValues<TftpDefect>().Length];
    long started, completed, failed, refused, turnedAway, bytes, retransmissions;

    public long Started => Interlocked.Read(ref started);
    public long Completed => Interlocked.Read(ref completed);
    public long Failed => Interlocked.Read(ref failed);
    /// <summary>Requests answered with an ERROR: unknown key, write, mode.</summary>
    public long Refused => Interlocked.Read(ref refused);
    /// <summary>Requests not answered because a bound was reached.</summary>
    public long TurnedAway => Interlocked.Read(ref turnedAway);
    /// <summary>Acknowledged file octets.</summary>
    public long Bytes => Interlocked.Read(ref bytes);
    public long Retransmissions => Interlocked.Read(ref retransmissions);
    public long Defects(TftpDefect defect) => Interlocked.Read(ref defects[(int)defect]);

    public void AddStarted() => Interlocked.Increment(ref started);
    public void AddCompleted() => Interlocked.Increment(ref completed);
    public void AddFailed() => Interlocked.Increment(ref failed);
    public void AddRefused() => Interlocked.Increment(ref refused);
    public void AddTurnedAway() => Interlocked.Increment(ref turnedAway);
    public void AddBytes(long count) => Interlocked.Add(ref bytes, count);
    public void AddRetransmission() => Interlocked.Increment(ref retransmissions);
    public void Add(TftpDefect defect) => Interlocked.Increment(ref defects[(int)defect]);
}
