using System.Threading.Channels;
using GridAppliance.Protocols.Ipmi.Sol;

namespace GridAppliance.Power.Ipmi;

/// <summary>
/// A serial-over-LAN line: numbers, acknowledgements and repeats of both directions (IPMI 2.0, sections 15.7 to 15.11). The BMC's owner drives it, on its
/// task; readers and writers are at the other ends of its queues.
/// </summary>
sealed class SolLine(int chunk, IpmiTimings timings, TimeProvider clock)
{
    /// <summary>Packets that wait for the reader. Full: a packet is not acknowledged, so the BMC keeps it and sends it again, and at last holds the port.</summary>
    const int Unread = 256;
    /// <summary>Pieces of typing that wait. Full: the typist waits.</summary>
    const int Untyped = 16;

    readonly Channel<byte[]> incoming = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(Unread) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true, SingleWriter = true });
    readonly Channel<Typing> outgoing = Channel.CreateBounded<Typing>(new BoundedChannelOptions(Untyped) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });

    byte seen;
    int seenLength;
    byte number;
    Typing? typing;
    int typed, underway;
    bool isUnderway;
    int attempts;
    long sentAt, pausedAt;
    bool isPaused;

    /// <summary>Characters to send, or a break when there are none.</summary>
    public sealed record Typing(ReadOnlyMemory<byte> Characters)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public ChannelReader<byte[]> Incoming => incoming.Reader;
    public ChannelWriter<Typing> Outgoing => outgoing.Writer;
    public bool IsLost { get; private set; }
    /// <summary>When the BMC last said that the line is ours, as a timestamp of the clock.</summary>
    public long LastHeard { get; set; } = clock.GetTimestamp();

    /// <summary>How long until <see cref="Pump"/> has to be called without anything having arrived.</summary>
    public TimeSpan Due =>
        isUnderway ? timings.SolWait - clock.GetElapsedTime(sentAt)
        : isPaused ? timings.SolPause - clock.GetElapsedTime(pausedAt)
        : Timeout.InfiniteTimeSpan;

    /// <summary>Takes a packet from the BMC; returns the length of the answer that it wants, or zero.</summary>
    public int Take(ReadOnlySpan<byte> payload, Span<byte> reply)
    {
        if (IsLost || !SolPacket.TryRead(payload, out var packet, out _)) return 0;
        LastHeard = clock.GetTimestamp();
        if (isUnderway && packet.Acknowledged == number) Acknowledge(packet);
        if ((packet.Condition & SolCondition.Deactivating) != 0)
        {
            Lose("the BMC has ended the console");
            return 0;
        }
        if (packet.Sequence == 0) return 0;
        // A repeat may have grown: what was taken before is not taken again.
        var known = packet.Sequence == seen ? Math.Min(seenLength, packet.Characters.Length) : 0;
        var fresh = packet.Characters[known..];
        if (fresh.Length > 0 && !incoming.Writer.TryWrite(fresh.ToArray())) return 0;
        (seen, seenLength) = (packet.Sequence, packet.Characters.Length);
        return new SolPacket { Acknowledged = packet.Sequence, Accepted = (byte)Math.Min(packet.Characters.Length, byte.MaxValue) }.Write(reply);
    }

    /// <summary>Writes the packet that has to go now; returns its length, or zero. Called until it returns zero.</summary>
    public int Pump(Span<byte> payload)
    {
        if (IsLost) return 0;
        if (isUnderway)
        {
            if (clock.GetElapsedTime(sentAt) < timings.SolWait) return 0;
            if (++attempts < timings.SolAttempts) return Write(payload);
            Lose("the BMC does not take what is typed");
            return 0;
        }
        if (isPaused && clock.GetElapsedTime(pausedAt) < timings.SolPause) return 0;
        isPaused = false;
        if (typing is null)
        {
            if (!outgoing.Reader.TryRead(out typing)) return 0;
            typed = 0;
        }
        number = SolPacket.Next(number);
        underway = Math.Min(chunk, typing.Characters.Length - typed);
        (isUnderway, attempts) = (true, 0);
        return Write(payload);
    }

    /// <summary>The line is gone: readers and typists are told why.</summary>
    public void Lose(string reason)
    {
        if (IsLost) return;
        IsLost = true;
        var loss = new IOException(reason);
        incoming.Writer.TryComplete(loss);
        outgoing.Writer.TryComplete(loss);
        typing?.Done.TrySetException(loss);
        while (outgoing.Reader.TryRead(out var waiting)) waiting.Done.TrySetException(loss);
    }

    int Write(Span<byte> payload)
    {
        sentAt = clock.GetTimestamp();
        var characters = typing!.Characters.Span.Slice(typed, underway);
        return new SolPacket { Sequence = number, Flags = (byte)(typing.Characters.IsEmpty ? SolOperation.Break : SolOperation.None), Characters = characters }.Write(payload);
    }

    void Acknowledge(in SolPacket packet)
    {
        isUnderway = false;
        var isRefused = (packet.Condition & (SolCondition.Nack | SolCondition.TransferUnavailable)) != 0;
        typed += Math.Min(packet.Accepted, underway);
        if (packet.Accepted < underway || isRefused)
        {
            // What was not taken goes again, with a number of its own, when the port has had a moment.
            (isPaused, pausedAt) = (true, clock.GetTimestamp());
            if (typed < typing!.Characters.Length || typing.Characters.IsEmpty) return;
        }
        if (typed < typing!.Characters.Length) return;
        typing.Done.TrySetResult();
        typing = null;
    }
}
