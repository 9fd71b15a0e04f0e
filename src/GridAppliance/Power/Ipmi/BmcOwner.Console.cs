using GridAppliance.Protocols.Ipmi;
using GridAppliance.Protocols.Ipmi.Commands;
using GridAppliance.Protocols.Ipmi.Session;
using GridAppliance.Protocols.Ipmi.Sol;

namespace GridAppliance.Power.Ipmi;

/// <summary>The console as a second payload of the same session: it takes no session slot of its own, and its packets pass between errands and during them.</summary>
sealed partial class BmcOwner
{
    const byte Instance = 1;
    /// <summary>What every BMC takes in one packet, header included, when it gives no sensible number.</summary>
    const int SmallestPacket = 16;

    readonly byte[] consolePayload = new byte[SolPacket.HeaderLength + byte.MaxValue];
    readonly byte[] consoleDatagram = new byte[SolPacket.HeaderLength + byte.MaxValue + SessionCipher.MaxOverhead];
    readonly SolHabits habits = new();
    SolLine? console;
    /// <summary>The console was asked for and is not there yet.</summary>
    bool isOpening;
    /// <summary>What the node said on the heels of the answer to that, or before it: a BMC has one packet under way, and keeps it until it is acknowledged.</summary>
    byte[]? early;

    /// <summary>Takes the console, from whoever has it. Runs on the owner's task only.</summary>
    /// <exception cref="Hosting.DeviceException">The BMC has no console, or does not give it.</exception>
    public async Task<SolLine> ActivateConsoleAsync()
    {
        LoseConsole("another has opened the console");
        try
        {
            for (var attempt = 0; ; attempt++)
            {
                if (session is null) await CommandAsync(new GetDeviceId());
                var suite = session!.Suite;
                var request = new ActivateSol(Instance, suite.Confidentiality != ConfidentialityAlgorithm.None, suite.Integrity != IntegrityAlgorithm.None);
                lock (gate) (isOpening, early) = (true, null);
                var exchange = await CommandAsync(request);
                if ((byte)exchange.Code == SolActivation.AlreadyActive && attempt == 0)
                {
                    await CommandAsync(new DeactivateSol(Instance));
                    continue;
                }
                if (exchange.Code != CompletionCode.Ok) throw Refusal(request, exchange.Code);
                if (!request.TryReadAnswer(exchange.Data.Span, out var activation)) throw Nonsense("opened a console and did not say how to use it");
                var largest = Math.Clamp(activation.MaxToBmc, (ushort)SmallestPacket, (ushort)(SolPacket.HeaderLength + byte.MaxValue));
                return OpenLine(largest - SolPacket.HeaderLength);
            }
        }
        finally
        {
            lock (gate) (isOpening, early) = (false, null);
        }
    }

    SolLine OpenLine(int chunk)
    {
        lock (gate)
        {
            var line = console = new(chunk, habits, timings, clock);
            if (habits.NeedsTrial) line.Probe(trial: true);
            habits.NeedsTrial = false;
            if (early is not null) TakeConsolePacket(early);
            line.Deliver();
            return line;
        }
    }

    /// <summary>Gives the console back, if <paramref name="line"/> still is the one. Runs on the owner's task only.</summary>
    public async Task DeactivateConsoleAsync(SolLine line)
    {
        if (console != line) return;
        LoseConsole("the console was closed");
        await CommandAsync(new DeactivateSol(Instance));
    }

    /// <summary>Something was put into the line's queue.</summary>
    public void Poke() => bell.Ring();

    /// <summary>Until a packet of the console's has to go, whatever else is under way.</summary>
    TimeSpan ConsolePacketDue
    {
        get { lock (gate) return console?.Due ?? Timeout.InfiniteTimeSpan; }
    }

    /// <summary>Until the console needs the owner, who has nothing else to do.</summary>
    TimeSpan ConsoleDue
    {
        get { lock (gate) return console is null ? Timeout.InfiniteTimeSpan : Soonest(console.Due, timings.SolCheck - clock.GetElapsedTime(console.LastHeard)); }
    }

    bool ConsoleCheckIsDue
    {
        get { lock (gate) return console is not null && clock.GetElapsedTime(console.LastHeard) >= timings.SolCheck; }
    }

    /// <summary>Takes what the node said and acknowledges it. Runs on the thread that read it.</summary>
    void HearConsole(ReadOnlySpan<byte> payload)
    {
        if (console is null)
        {
            if (isOpening && SolPacket.TryRead(payload, out var packet, out _) && packet.Sequence != 0 && (packet.Condition & SolCondition.Deactivating) == 0) early = payload.ToArray();
            return;
        }
        var hadNews = console.HasNews;
        TakeConsolePacket(payload);
        if (console is { HasNews: true } && !hadNews) socket.AtTurnEnd(address, this);
    }

    void TakeConsolePacket(ReadOnlySpan<byte> payload)
    {
        var length = console!.Take(payload, consolePayload);
        if (length > 0) SendConsole(length);
        if (console.WantsPump) bell.Ring();
        ForgetLostConsole();
    }

    /// <summary>Readers are woken for all consoles one after the other: a task that is woken for one finds the others', where it would sleep again in between.</summary>
    void Hosting.DeviceSocket.ITurnEnd.EndTurn()
    {
        lock (gate) console?.Deliver();
    }

    void PumpConsole()
    {
        lock (gate)
        {
            while (session is not null && console is not null && console.Pump(consolePayload) is > 0 and var length)
            {
                // Armed before sending, as for a request.
                timer.Change(timings.SolWait, Timeout.InfiniteTimeSpan);
                SendConsole(length);
            }
            ForgetLostConsole();
        }
    }

    void SendConsole(int length)
    {
        try
        {
            Send(consoleDatagram.AsSpan(0, session!.Seal(consoleDatagram, PayloadType.SerialOverLan, consolePayload.AsSpan(0, length))));
        }
        catch (Hosting.DeviceException)
        {
            // As good as lost on the way: the BMC says again what it was not acknowledged, and we what we were not.
        }
    }

    /// <summary>A silent line may be a quiet machine, a dead BMC, or one that has given the console to somebody else.</summary>
    async Task CheckConsoleAsync()
    {
        var who = new GetSolInstance(Instance);
        if (await AskAboutConsoleAsync(who) is not { } told) return;
        if (told.Code == CompletionCode.Ok && who.TryReadAnswer(told.Data.Span, out var instance))
        {
            if (instance.SessionId == session!.BmcId) HearOfConsole(probes: false);
            else LoseConsole("the BMC has given the console to another");
            return;
        }
        // A BMC that does not say whose it is has at least kept the session, and may say whether it is anybody's.
        var anybody = new GetSolActivation(Instance);
        if (await AskAboutConsoleAsync(anybody) is not { } status) return;
        if (status.Code == CompletionCode.Ok && anybody.TryReadAnswer(status.Data.Span, out var isActive) && !isActive)
        {
            LoseConsole("the BMC has ended the console");
            return;
        }
        HearOfConsole(probes: true);
    }

    void HearOfConsole(bool probes)
    {
        lock (gate)
        {
            if (console is null) return;
            console.LastHeard = clock.GetTimestamp();
            if (probes && habits.AcknowledgesProbes != false) console.Probe(trial: false);
        }
    }

    /// <summary>Null when there is no answer, and with that no session any more.</summary>
    async Task<CommandExchange?> AskAboutConsoleAsync(IpmiRequest request)
    {
        try
        {
            var exchange = new CommandExchange(request, NextSequence(), session);
            if (await ExchangeAsync(exchange, timings.Attempts)) return exchange;
        }
        catch (Hosting.DeviceException)
        {
            // No way there: as good as no answer.
        }
        catch (ObjectDisposedException) when (stopping)
        {
            return null;
        }
        DropSession();
        return null;
    }

    void LoseConsole(string reason)
    {
        lock (gate)
        {
            console?.Lose(reason);
            console = null;
        }
    }

    void ForgetLostConsole()
    {
        if (console is { IsLost: true }) console = null;
    }

    static TimeSpan Soonest(TimeSpan one, TimeSpan other)
    {
        if (one == Timeout.InfiniteTimeSpan) return other < TimeSpan.Zero && other != Timeout.InfiniteTimeSpan ? TimeSpan.Zero : other;
        if (other == Timeout.InfiniteTimeSpan) return one < TimeSpan.Zero ? TimeSpan.Zero : one;
        var soonest = one < other ? one : other;
        return soonest < TimeSpan.Zero ? TimeSpan.Zero : soonest;
    }
}
