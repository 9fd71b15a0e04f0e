using System.Threading.Channels;
using GridAppliance.Protocols.Ipmi.Sol;

namespace GridAppliance.Power.Ipmi;

/// <summary>
/// A serial-over-LAN line: numbers, acknowledgements and repeats of both directions (IPMI 2.0, sections 15.7 to 15.11). The BMC's owner drives it, behind
/// its gate; readers and writers are at the other ends of its queues.
/// </summary>
sealed class SolLine(int chunk, SolHabits habits, IpmiTimings timings, TimeProvider clock)
{
    /// <summary>Packets that wait for the reader. Full: a packet is not acknowledged, so the BMC keeps it and sends it again, and at last holds the port.</summary>
    const int Unread = 256;
    /// <summary>Pieces of typing that wait. Full: the typist waits.</summary>
    const int Untyped = 16;

    readonly Channel<byte[]> incoming = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(Unread) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true, SingleWriter = true });
    readonly Channel<Typing> outgoing = Channel.CreateBounded<Typing>(new BoundedChannelOptions(Untyped) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });

    // Taken, and not shown to the reader yet.
    readonly List<byte[]> news = [];

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
        /// <summary>Neither: a packet that only wants to be acknowledged.</summary>
        public bool IsProbe { get; init; }
        /// <summary>A probe of a line that is ours for certain.</summary>
        public bool IsTrial { get; init; }
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public ChannelReader<byte[]> Incoming => incoming.Reader;
    public ChannelWriter<Typing> Outgoing => outgoing.Writer;
    public bool IsLost { get; private set; }
    /// <summary>There is something to be typed, and nothing on its way: <see cref="Pump"/> may be called, or be <see cref="Due"/> anew.</summary>
    public bool WantsPump => !isUnderway && (typing is not null || outgoing.Reader.Count > 0);
    /// <summary>When the BMC last said that the line is ours, as a timestamp of the clock.</summary>
    public long LastHeard { get; set; } = clock.GetTimestamp();

    public bool HasNews => news.Count > 0;

    /// <summary>How long until <see cref="Pump"/> has to be called without anything having arrived.</summary>
    public TimeSpan Due =>
        isUnderway ? timings.SolWait - clock.GetElapsedTime(sentAt)
        : isPaused ? timings.SolPause - clock.GetElapsedTime(pausedAt)
        : Timeout.InfiniteTimeSpan;

    /// <summary>Takes a packet from the BMC; returns the length of the answer that it wants, or zero. The reader sees its characters with the next <see cref="Deliver"/>.</summary>
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
        if (fresh.Length > 0)
        {
            if (news.Count + incoming.Reader.Count >= Unread) return 0;
            news.Add(fresh.ToArray());
        }
        (seen, seenLength) = (packet.Sequence, packet.Characters.Length);
        return new SolPacket { Acknowledged = packet.Sequence, Accepted = (byte)Math.Min(packet.Characters.Length, byte.MaxValue) }.Write(reply);
    }

    /// <summary>Hands what was taken to the reader.</summary>
    public void Deliver()
    {
        foreach (var piece in news) incoming.Writer.TryWrite(piece);
        news.Clear();
    }

    /// <summary>Writes the packet that has to go now; returns its length, or zero. Called until it returns zero.</summary>
    public int Pump(Span<byte> payload)
    {
        if (IsLost) return 0;
        if (isUnderway)
        {
            if (clock.GetElapsedTime(sentAt) < timings.SolWait) return 0;
            if (++attempts < timings.SolAttempts) return Write(payload);
            if (typing is not { IsTrial: true })
            {
                GiveUp();
                return 0;
            }
            // The line was ours beyond doubt: this BMC says nothing to nothing, and its silence means nothing either.
            habits.AcknowledgesProbes = isUnderway = false;
            typing = null;
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

    /// <summary>
    /// Asks whether the line is still ours, of a BMC that has no word for it: a packet without characters, which only the session that has the console gets an acknowledgement of. Whoever types asks the
    /// same thing with every key.
    /// </summary>
    /// <param name="trial">The line is ours for certain; what is asked is whether this BMC acknowledges such packets at all.</param>
    public void Probe(bool trial)
    {
        if (!IsLost && typing is null) outgoing.Writer.TryWrite(new(default) { IsProbe = true, IsTrial = trial });
    }

    void GiveUp()
    {
        if (!typing!.IsProbe)
        {
            Lose("the BMC does not take what is typed");
            return;
        }
        // It may be a thief, or a BMC that never acknowledges such packets: a trial on the next line tells.
        habits.NeedsTrial = habits.AcknowledgesProbes is null;
        Lose("the BMC has given the console to another, or forgotten it");
    }

    /// <summary>The line is gone: readers and typists are told why.</summary>
    public void Lose(string reason)
    {
        if (IsLost) return;
        IsLost = true;
        Deliver();
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
        return new SolPacket { Sequence = number, Flags = (byte)(typing is { Characters.IsEmpty: true, IsProbe: false } ? SolOperation.Break : SolOperation.None), Characters = characters }.Write(payload);
    }

    void Acknowledge(in SolPacket packet)
    {
        isUnderway = false;
        if (typing!.IsProbe)
        {
            // Whatever it says about its serial port, it says it to us.
            habits.AcknowledgesProbes = true;
            typing = null;
            return;
        }
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

/// <summary>What was learned of how a BMC goes about serial over LAN, for the lines after this one. Owned by the BMC's owner.</summary>
sealed class SolHabits
{
    /// <summary>Whether it acknowledges packets without characters; null while that is not known.</summary>
    public bool? AcknowledgesProbes { get; set; }
    /// <summary>One was not acknowledged and the line was given up for it: the next line, which is ours to begin with, is tried first.</summary>
    public bool NeedsTrial { get; set; }
}
