using System.Net;
using System.Net.Sockets;
using System.Text;
using GridAppliance.Protocols.Tftp;

namespace GridAppliance.Boot.Tftp;

/// <summary>
/// One file on its way to one client: a socket of its own (whose port is our transfer ID, RFC 1350 section 4) and one task that owns all of it.
/// Lock-step is the case of a window of one block (RFC 7440 section 4). Nothing is allocated per block.
/// </summary>
/// <param name="socket">Bound but not connected: a packet from elsewhere has to be answered too. Owned from here on.</param>
/// <param name="peer">The client's transfer ID.</param>
/// <param name="content">The octets to send, on the pinned heap.</param>
/// <param name="accepted">The OACK; empty when there is none.</param>
/// <param name="settings">Patience.</param>
/// <param name="counters">Shared by all transfers.</param>
/// <param name="clock">For retransmission.</param>
sealed class TftpTransfer(Socket socket, SocketAddress peer, byte[] content, TftpOptions accepted, TftpSettings settings, TftpCounters counters, TimeProvider clock) : IDisposable
{
    const int LongestPeerMessage = 80;

    enum Reaction { Wait, Advanced, Resend, Aborted }

    readonly int blockSize = accepted.BlockSize ?? TftpOptions.DefaultBlockSize;
    readonly int window = accepted.WindowSize ?? 1;
    // A file that fills its last block is ended by an empty one.
    readonly long lastBlock = content.Length / (accepted.BlockSize ?? TftpOptions.DefaultBlockSize) + 1;
    readonly byte[] inbox = GC.AllocateUninitializedArray<byte>(TftpRequest.MaxLength, pinned: true);
    readonly SocketAddress from = new(AddressFamily.InterNetwork);
    readonly TftpBurst burst = new(socket, content, accepted.BlockSize ?? TftpOptions.DefaultBlockSize, accepted.WindowSize ?? 1, peer);
    readonly CancellationTokenSource stopping = new();
    CancellationTokenSource patience = new(Timeout.InfiniteTimeSpan, clock);

    // Block numbers here never wrap; on the wire they do, 65535 to 0, as every server and boot ROM has it.
    long acknowledged = accepted.IsEmpty ? 0 : -1;
    long sent = accepted.IsEmpty ? 0 : -1;
    bool gapFilled;
    volatile bool established;

    /// <summary>Whether the client acknowledged anything yet; read by the listener's task.</summary>
    public bool IsEstablished => established;

    /// <summary>When the first answer left, on the clock's <see cref="TimeProvider.GetTimestamp"/>; 0 before.</summary>
    public long FirstAnswerAt { get; private set; }

    /// <summary>File octets that the client acknowledged.</summary>
    public long BytesAcknowledged => Math.Min(Math.Max(acknowledged, 0) * blockSize, content.Length);

    /// <summary>The client's words when it aborted, printable ASCII only; else null.</summary>
    public string? PeerMessage { get; private set; }

    /// <summary>Ends the transfer from outside; its task returns <see cref="TftpEnding.Stopped"/>.</summary>
    public void Stop() => stopping.Cancel();

    /// <summary>Gets the OACK acknowledged, where there is one.</summary>
    /// <returns>Null when the client goes on to want the file, else how it ended.</returns>
    public async Task<TftpEnding?> NegotiateAsync()
    {
        if (acknowledged == 0) return null;
        var ending = await RunAsync(until: 0);
        return ending switch
        {
            TftpEnding.Completed => null,
            TftpEnding.Aborted => TftpEnding.SizeProbe,
            TftpEnding.SizeProbe or TftpEnding.TimedOut or TftpEnding.Stopped => ending,
        };
    }

    /// <summary>Sends the file.</summary>
    public Task<TftpEnding> SendFileAsync() => RunAsync(until: lastBlock);

    public void Dispose()
    {
        socket.Dispose();
        stopping.Dispose();
        patience.Dispose();
    }

    async Task<TftpEnding> RunAsync(long until)
    {
        using var closing = stopping.Token.UnsafeRegister(static s => ((Socket)s!).Dispose(), socket);
        try
        {
            var timeout = FirstTimeout;
            var attempts = 0;
            while (acknowledged < until)
            {
                if (attempts++ == settings.Attempts) return await GiveUpAsync();
                await SendNextAsync();
                Rearm();
                var armed = false;
                for (var reaction = Reaction.Wait; reaction == Reaction.Wait;)
                {
                    int length;
                    try
                    {
                        var receiving = socket.ReceiveFromAsync(inbox, SocketFlags.None, from, patience.Token);
                        // Armed once per window, so that strays cannot put the retransmission off; not at all when the answer is there already.
                        if (!armed && !receiving.IsCompleted)
                        {
                            patience.CancelAfter(timeout);
                            armed = true;
                        }
                        length = await receiving;
                    }
                    catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
                    {
                        counters.AddRetransmission();
                        timeout = Min(timeout * 2, settings.LongestTimeout);
                        break;
                    }
                    reaction = from.Equals(peer) ? React(inbox.AsSpan(0, length)) : await TurnAwayAsync();
                    if (reaction == Reaction.Aborted) return TftpEnding.Aborted;
                    if (reaction == Reaction.Advanced) (attempts, timeout) = (0, FirstTimeout);
                }
            }
            return TftpEnding.Completed;
        }
        catch (Exception e) when (stopping.IsCancellationRequested && e is ObjectDisposedException or SocketException or OperationCanceledException)
        {
            return TftpEnding.Stopped;
        }
    }

    TimeSpan FirstTimeout => accepted.TimeoutSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : settings.FirstTimeout;

    Reaction React(ReadOnlySpan<byte> packet)
    {
        if (!TftpPacket.TryReadOpcode(packet, out var opcode, out var defect)) return Ignore(defect);
        if (opcode == TftpOpcode.Error)
        {
            PeerMessage = TftpPacket.TryReadError(packet, out var code, out var message, out _) ? $"error {(ushort)code}: {Printable(message)}" : "error";
            return Reaction.Aborted;
        }
        if (!TftpPacket.TryReadAcknowledgement(packet, out var block, out defect)) return Ignore(defect);

        var ahead = (ushort)(block - (ushort)acknowledged);
        if (ahead == 0) return FillGap();
        // An acknowledgement of what was not sent, or of a window long past.
        if (ahead > sent - acknowledged) return Reaction.Wait;
        acknowledged += ahead;
        established = true;
        gapFilled = false;
        return Reaction.Advanced;
    }

    /// <summary>
    /// The last acknowledgement again. Lock-step never answers that (a resend for every duplicate doubles all traffic to the end, the Sorcerer's Apprentice);
    /// with a window it says that the window's first block is missing, and is believed once.
    /// </summary>
    Reaction FillGap()
    {
        if (window == 1 || gapFilled || acknowledged < 0 || sent == acknowledged) return Reaction.Wait;
        gapFilled = true;
        counters.AddRetransmission();
        return Reaction.Resend;
    }

    Reaction Ignore(TftpDefect defect)
    {
        counters.Add(defect);
        return Reaction.Wait;
    }

    async ValueTask SendNextAsync()
    {
        if (acknowledged < 0)
        {
            var oack = new byte[TftpRequest.MaxLength];
            await socket.SendToAsync(oack.AsMemory(0, TftpPacket.WriteOptionAcknowledgement(oack, accepted)), SocketFlags.None, peer);
            sent = 0;
        }
        else
        {
            var count = (int)Math.Min(window, lastBlock - acknowledged);
            var taken = burst.Send(socket, acknowledged + 1, count);
            if (taken < count) await SendSlowlyAsync(acknowledged + 1 + taken, count - taken);
            sent = acknowledged + count;
        }
        if (FirstAnswerAt == 0) FirstAnswerAt = clock.GetTimestamp();
    }

    /// <summary>The socket's buffer is full: the runtime waits for room, a block at a time.</summary>
    async Task SendSlowlyAsync(long first, int count)
    {
        var datagram = new byte[TftpPacket.HeaderLength + blockSize];
        for (var block = first; block < first + count; block++)
            await socket.SendToAsync(datagram.AsMemory(0, burst.Copy(block, datagram)), SocketFlags.None, peer);
    }

    /// <summary>RFC 1350 section 4: a packet from another port is answered with error 5 and disturbs nothing.</summary>
    async ValueTask<Reaction> TurnAwayAsync()
    {
        var error = new byte[64];
        await socket.SendToAsync(error.AsMemory(0, TftpPacket.WriteError(error, TftpErrorCode.UnknownTransfer, "not your transfer"u8)), SocketFlags.None, from);
        return Reaction.Wait;
    }

    async ValueTask<TftpEnding> GiveUpAsync()
    {
        var error = new byte[64];
        await socket.SendToAsync(error.AsMemory(0, TftpPacket.WriteError(error, TftpErrorCode.Undefined, "no acknowledgement"u8)), SocketFlags.None, peer);
        return TftpEnding.TimedOut;
    }

    /// <summary>A token source that fired is spent; one that did not is used for the next window too.</summary>
    void Rearm()
    {
        if (!patience.IsCancellationRequested) return;
        patience.Dispose();
        patience = new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock);
    }

    static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    static string Printable(ReadOnlySpan<byte> message)
    {
        var text = new StringBuilder(Math.Min(message.Length, LongestPeerMessage));
        foreach (var octet in message[..Math.Min(message.Length, LongestPeerMessage)]) text.Append(octet is >= 0x20 and < 0x7F ? (char)octet : '?');
        return text.ToString();
    }
}
