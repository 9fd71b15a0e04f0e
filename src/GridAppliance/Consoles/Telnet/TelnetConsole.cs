using System.Net.Sockets;
using GridAppliance.Consoles.Serial;
using GridAppliance.Protocols.Telnet;
using Codes = GridAppliance.Protocols.Telnet.Telnet;

namespace GridAppliance.Consoles.Telnet;

/// <summary>A serial line behind telnet. The reader answers negotiations as they come; settings are sent once the far end has agreed to take them.</summary>
sealed class TelnetConsole(NetworkStream stream, SerialSettings settings, TimeProvider time) : IConsole, ISerialBreak, IWindowSize
{
    const int LargestPiece = 2048;

    static readonly TimeSpan BreakLength = TimeSpan.FromMilliseconds(300);

    readonly TelnetReader reader = new();
    readonly TelnetOptions options = new(willing: [Codes.Binary, Codes.SuppressGoAhead, Codes.ComPort, Codes.WindowSize], wanted: [Codes.Binary, Codes.SuppressGoAhead, Codes.Echo]);
    readonly SemaphoreSlim sending = new(1, 1);
    readonly byte[] received = new byte[4096];
    int receivedFrom, receivedTo;
    bool lastWasReturn;
    // The window's size, for a far end that asks for it later than it is known.
    readonly Lock sizing = new();
    TerminalSize? window;
    // Completed while the far end takes what is typed.
    volatile TaskCompletionSource flow = Flowing();

    public Task GreetAsync(CancellationToken cancellationToken)
    {
        options.Offer(Codes.ComPort);
        options.Offer(Codes.Binary);
        options.Ask(Codes.Binary);
        options.Ask(Codes.SuppressGoAhead);
        return SendAsync(new byte[]
        {
            Codes.Iac, Codes.Will, Codes.ComPort, Codes.Iac, Codes.Will, Codes.Binary, Codes.Iac, Codes.Do, Codes.Binary, Codes.Iac, Codes.Do, Codes.SuppressGoAhead,
        }, cancellationToken);
    }

    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (receivedFrom == receivedTo)
            {
                receivedFrom = 0;
                receivedTo = await stream.ReadAsync(received, cancellationToken);
                if (receivedTo == 0) return 0;
            }
            var replies = new List<byte[]>();
            var count = Take(buffer.Span, replies);
            foreach (var reply in replies) await SendAsync(reply, cancellationToken);
            if (count > 0) return count;
        }
    }

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> octets, CancellationToken cancellationToken)
    {
        var escaped = new byte[2 * LargestPiece];
        while (!octets.IsEmpty)
        {
            await flow.Task.WaitAsync(cancellationToken);
            var piece = octets[..Math.Min(octets.Length, LargestPiece)];
            octets = octets[piece.Length..];
            var length = Codes.WriteData(escaped, piece.Span, options.IsOurs(Codes.Binary));
            await SendAsync(escaped.AsMemory(0, length), cancellationToken);
        }
    }

    public async ValueTask SendBreakAsync(CancellationToken cancellationToken)
    {
        if (!options.IsOurs(Codes.ComPort))
        {
            await SendAsync(new[] { Codes.Iac, Codes.Break }, cancellationToken);
            return;
        }
        await SendAsync(Command(ComPortCommand.SetControl, (byte)ComPortControl.BreakOn), cancellationToken);
        await Task.Delay(BreakLength, time, cancellationToken);
        await SendAsync(Command(ComPortCommand.SetControl, (byte)ComPortControl.BreakOff), cancellationToken);
    }

    public async ValueTask ResizeAsync(TerminalSize size, CancellationToken cancellationToken)
    {
        lock (sizing) window = size;
        if (options.IsOurs(Codes.WindowSize)) await SendAsync(WindowSize(size), cancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        flow.TrySetResult();
        return stream.DisposeAsync();
    }

    /// <summary>Data of what was received, into <paramref name="buffer"/>, until it is full or there is no more; what is to be answered goes onto <paramref name="replies"/>.</summary>
    int Take(Span<byte> buffer, List<byte[]> replies)
    {
        var count = 0;
        while (receivedFrom < receivedTo && count < buffer.Length)
        {
            // A token never holds more data than there is room for.
            var source = received.AsSpan(receivedFrom, Math.Min(receivedTo - receivedFrom, buffer.Length - count));
            ReadOnlySpan<byte> left = source;
            switch (reader.Read(ref left, out var octets))
            {
                case TelnetToken.Data:
                    count += Copy(octets, buffer[count..]);
                    break;
                case TelnetToken.Negotiation:
                    Negotiate(replies);
                    break;
                case TelnetToken.Subnegotiation when reader.Option == Codes.ComPort && ComPort.TryRead(octets, out var answer):
                    Hear(answer);
                    break;
                case TelnetToken.None or TelnetToken.Command or TelnetToken.Subnegotiation:
                    break;
            }
            receivedFrom += source.Length - left.Length;
        }
        return count;
    }

    /// <summary>Without RFC 856, the NUL behind a carriage return is not the line's (RFC 854).</summary>
    int Copy(ReadOnlySpan<byte> octets, Span<byte> buffer)
    {
        if (options.IsTheirs(Codes.Binary))
        {
            octets.CopyTo(buffer);
            return octets.Length;
        }
        var count = 0;
        foreach (var octet in octets)
        {
            if (octet != 0 || !lastWasReturn) buffer[count++] = octet;
            lastWasReturn = octet == '\r';
        }
        return count;
    }

    void Negotiate(List<byte[]> replies)
    {
        var (verb, option) = (reader.Command, reader.Option);
        if (verb == Codes.Dont && option == Codes.ComPort) throw new IOException("the far end does not speak RFC 2217: give its port as tcp:// if it is a raw one");
        var (hadComPort, hadWindow) = (options.IsOurs(Codes.ComPort), options.IsOurs(Codes.WindowSize));
        if (options.Hear(verb, option) is { } reply) replies.Add([Codes.Iac, reply, option]);
        if (!hadComPort && options.IsOurs(Codes.ComPort)) replies.AddRange(Settings());
        if (hadWindow || !options.IsOurs(Codes.WindowSize)) return;
        lock (sizing)
        {
            if (window is { } size) replies.Add(WindowSize(size));
        }
    }

    static byte[] WindowSize(TerminalSize size)
    {
        var command = new byte[ComPort.LargestCommand];
        return command[..Codes.WriteWindowSize(command, size.Columns, size.Rows)];
    }

    IEnumerable<byte[]> Settings()
    {
        var speed = new byte[ComPort.LargestCommand];
        yield return speed[..ComPort.WriteBaudRate(speed, (uint)settings.Speed)];
        yield return Command(ComPortCommand.SetDataSize, (byte)settings.Bits);
        yield return Command(ComPortCommand.SetParity, (byte)(settings.Parity switch
        {
            SerialParity.None => ComPortParity.None,
            SerialParity.Odd => ComPortParity.Odd,
            SerialParity.Even => ComPortParity.Even,
            SerialParity.Mark => ComPortParity.Mark,
            SerialParity.Space => ComPortParity.Space,
        }));
        yield return Command(ComPortCommand.SetStopSize, (byte)(settings.StopBits == 2 ? ComPortStop.Two : ComPortStop.One));
        yield return Command(ComPortCommand.SetControl, (byte)(settings.Flow switch
        {
            SerialFlow.None => ComPortControl.NoFlowControl,
            SerialFlow.RtsCts => ComPortControl.HardwareFlowControl,
            SerialFlow.XonXoff => ComPortControl.SoftwareFlowControl,
        }));
        yield return Command(ComPortCommand.SetControl, (byte)(settings.Dtr ? ComPortControl.DtrOn : ComPortControl.DtrOff));
        yield return Command(ComPortCommand.SetControl, (byte)(settings.Rts ? ComPortControl.RtsOn : ComPortControl.RtsOff));
        // Changes of wires are no octets of the line; nobody here waits for them.
        yield return Command(ComPortCommand.SetModemStateMask, 0);
        yield return Command(ComPortCommand.SetLineStateMask, 0);
    }

    void Hear(ComPortAnswer answer)
    {
        if (answer.Command == ComPortCommand.SuspendFlow && flow.Task.IsCompleted) flow = new(TaskCreationOptions.RunContinuationsAsynchronously);
        else if (answer.Command == ComPortCommand.ResumeFlow) flow.TrySetResult();
    }

    static byte[] Command(ComPortCommand command, byte value)
    {
        var octets = new byte[ComPort.LargestCommand];
        return octets[..ComPort.Write(octets, command, value)];
    }

    async Task SendAsync(ReadOnlyMemory<byte> octets, CancellationToken cancellationToken)
    {
        // A reply of the reader's and what is typed must not be cut into each other.
        await sending.WaitAsync(cancellationToken);
        try
        {
            await stream.WriteAsync(octets, cancellationToken);
        }
        finally
        {
            sending.Release();
        }
    }

    static TaskCompletionSource Flowing()
    {
        var open = new TaskCompletionSource();
        open.SetResult();
        return open;
    }
}
