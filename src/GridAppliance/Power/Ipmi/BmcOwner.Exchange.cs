using System.Net.Sockets;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Ipmi;
using GridAppliance.Protocols.Ipmi.Commands;
using GridAppliance.Protocols.Ipmi.Session;

namespace GridAppliance.Power.Ipmi;

/// <summary>Sending, waiting and recognising.</summary>
sealed partial class BmcOwner
{
    const int MaxDatagram = 1024;
    const int BusyAttempts = 4;

    readonly byte[] outgoing = new byte[MaxDatagram];
    readonly byte[] clear = new byte[2048];
    /// <summary>The request that waits for its answer.</summary>
    Exchange? asked;
    byte sequence;

    /// <summary>Does a command in a session, which is opened when there is none. Runs on the owner's task only.</summary>
    /// <exception cref="DeviceException">No answer, no session, or a BMC that stays busy.</exception>
    public async Task<CommandExchange> CommandAsync(IpmiRequest request)
    {
        if (!request.IsRepeatable) await ProveSessionAsync();
        for (var busy = 1; ; busy++)
        {
            var exchange = await AnsweredAsync(request);
            if (exchange.Code != CompletionCode.NodeBusy || busy == BusyAttempts) return exchange;
            await PauseAsync(Stretch(timings.BusyWait * busy));
        }
    }

    async Task<CommandExchange> AnsweredAsync(IpmiRequest request)
    {
        while (true)
        {
            await PauseAsync(limit.Take());
            var wasOpen = session is not null;
            var opened = session ??= await OpenSessionAsync();
            var exchange = new CommandExchange(request, NextSequence(), opened);
            // A session that was open may have died with the BMC's last restart: that is found out sooner than silence is believed.
            var attempts = wasOpen ? Math.Max(1, timings.Attempts - 1) : timings.Attempts;
            if (request.IsRepeatable ? await ExchangeAsync(exchange, attempts) : await OnceAsync(exchange))
            {
                opened.LastUse = clock.GetTimestamp();
                return exchange;
            }
            DropSession();
            if (!wasOpen || !request.IsRepeatable) throw Silence($"did not answer {request.GetType().Name}");
        }
    }

    /// <summary>Makes sure that a request which must not be repeated goes into a session that is alive.</summary>
    async Task ProveSessionAsync()
    {
        if (session is null || clock.GetElapsedTime(session.LastHeard) < timings.Doubtful) return;
        await AnsweredAsync(new GetDeviceId());
    }

    /// <summary>Sends until answered, each time waiting longer; false when all attempts met silence.</summary>
    async Task<bool> ExchangeAsync(Exchange exchange, int attempts)
    {
        var wait = timings.FirstWait;
        for (var attempt = 0; attempt < attempts; attempt++, wait *= 2)
        {
            if (attempt > 0) Telemetry.BmcRetries.Add(1);
            if (await AttemptAsync(exchange, Stretch(wait))) return true;
        }
        return false;
    }

    Task<bool> OnceAsync(Exchange exchange) => AttemptAsync(exchange, timings.SingleWait);

    async Task<bool> AttemptAsync(Exchange exchange, TimeSpan wait)
    {
        var started = clock.GetTimestamp();
        // Armed before sending: whoever drives the clock may move it as soon as the datagram is out.
        timer.Change(wait, Timeout.InfiniteTimeSpan);
        bool isAnswered;
        try
        {
            Ask(exchange);
            while (!IsAnswered && await WaitAsync(started, wait)) { }
        }
        finally
        {
            isAnswered = StopAsking();
        }
        return isAnswered;
    }

    void Ask(Exchange exchange)
    {
        lock (gate)
        {
            Send(outgoing.AsSpan(0, exchange.Write(outgoing)));
            asked = exchange;
        }
    }

    /// <summary>What comes from now on comes too late; true when the answer came before.</summary>
    bool StopAsking()
    {
        lock (gate)
        {
            var isAnswered = asked is null;
            asked = null;
            return isAnswered;
        }
    }

    bool IsAnswered
    {
        get { lock (gate) return asked is null; }
    }

    void Send(ReadOnlySpan<byte> datagram)
    {
        try
        {
            socket.Send(datagram, address);
        }
        catch (SocketException e)
        {
            throw new DeviceException(DeviceFault.Unreachable, device, $"cannot be sent to: {e.SocketErrorCode}", isTransient: true, e);
        }
    }

    /// <summary>Takes a datagram from the BMC. Runs on the thread that read it.</summary>
    void Take(ReadOnlySpan<byte> datagram)
    {
        lock (gate)
        {
            if (!IsAnswer(datagram)) return;
            asked = null;
        }
        bell.Ring();
    }

    /// <summary>Looks at a datagram; true when it is what <see cref="asked"/> waits for.</summary>
    bool IsAnswer(ReadOnlySpan<byte> datagram)
    {
        if (!RmcpPlusPacket.TryRead(datagram, out var packet, out _) || packet.SessionId == 0)
        {
            if (asked?.TryTakeClear(datagram) == true) return true;
            Stray("late-or-double");
            return false;
        }
        if (session is null || packet.SessionId != session.ConsoleId)
        {
            Stray("wrong-session");
            return false;
        }
        if (packet.Payload.Length > clear.Length || !session.TryOpen(packet, clear, out var length, out _))
        {
            Stray("not-genuine");
            return false;
        }
        session.LastHeard = clock.GetTimestamp();
        if (packet.Type == PayloadType.SerialOverLan)
        {
            HearConsole(clear.AsSpan(0, length));
            return false;
        }
        if (packet.Type == PayloadType.IpmiMessage && IpmbMessage.TryRead(clear.AsSpan(0, length), out var message, out _) && asked?.TryTakeMessage(message) == true) return true;
        Stray("late-or-double");
        return false;
    }

    void Stray(string reason)
    {
        Telemetry.BmcStrays.Add(1, Telemetry.Reason(reason));
        LogStray(device, reason);
    }

    async Task PauseAsync(TimeSpan wait)
    {
        var started = clock.GetTimestamp();
        while (await WaitAsync(started, wait)) { }
    }

    /// <summary>Waits for the bell; false when the time is over.</summary>
    async ValueTask<bool> WaitAsync(long started, TimeSpan wait)
    {
        ObjectDisposedException.ThrowIf(stopping, this);
        var left = wait - clock.GetElapsedTime(started);
        if (left <= TimeSpan.Zero) return false;
        // Each time anew: timers count milliseconds, and one that rings a little early must not be the last.
        PumpConsole();
        timer.Change(Soonest(left, ConsolePacketDue), Timeout.InfiniteTimeSpan);
        await bell.WaitAsync();
        return true;
    }

    TimeSpan Stretch(TimeSpan wait) => wait * (1 + Random.Shared.NextDouble() * timings.Jitter);

    byte NextSequence() => sequence = (byte)(sequence + 1 & 0x3F);

    DeviceException Silence(string message) => new(session is null && !hasEverAnswered ? DeviceFault.Unreachable : DeviceFault.TimedOut, device, message, isTransient: true);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Device}: dropped a datagram, {Reason}")]
    partial void LogStray(string device, string reason);
}
