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
    /// <summary>Characters of a packet that a BMC would not have made much larger by waiting: 255 fit.</summary>
    const int FullPacket = 250;
    static readonly TimeSpan Never = TimeSpan.MaxValue;

    readonly byte[] consolePayload = new byte[SolPacket.HeaderLength + byte.MaxValue];
    readonly byte[] consoleDatagram = new byte[SolPacket.HeaderLength + byte.MaxValue + SessionCipher.MaxOverhead];
    readonly SolHabits habits = new();
    /// <summary>The acknowledgement that is kept back, of a line that is busy.</summary>
    readonly byte[] owed = new byte[SolPacket.HeaderLength];
    bool owes, isBusy, isAtTurnEnd;
    long owedSince, delivered;
    TimeSpan owedFor;
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
            if (early is not null && TakeConsolePacket(early) is > 0 and var length) SendConsole(consolePayload.AsSpan(0, length));
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
        if (TakeConsolePacket(payload) is > 0 and var length) Thank(consolePayload.AsSpan(0, length), isFull: payload.Length >= SolPacket.HeaderLength + FullPacket);
        if (isAtTurnEnd || (console is not { HasNews: true } && !owes)) return;
        isAtTurnEnd = true;
        socket.AtTurnEnd(address, this);
    }

    /// <summary>Returns the length of the acknowledgement, or zero.</summary>
    int TakeConsolePacket(ReadOnlySpan<byte> payload)
    {
        var length = console!.Take(payload, consolePayload);
        if (console.WantsPump) bell.Ring();
        ForgetLostConsole();
        return length;
    }

    /// <summary>Acknowledges a packet: at once, or when the line has had its share of acknowledgements. A BMC that says more or repeats itself meanwhile does not wait for it, and gets what it wants.</summary>
    void Thank(ReadOnlySpan<byte> acknowledgement, bool isFull)
    {
        var wait = TimeSpan.Zero;
        if (isFull || owes) thanks.TakeAtOnce();
        else wait = thanks.Take();
        if (wait <= TimeSpan.Zero)
        {
            Settle();
            SendConsole(acknowledgement);
            return;
        }
        owes = isBusy = true;
        acknowledgement.CopyTo(owed);
        (owedSince, owedFor) = (clock.GetTimestamp(), wait);
    }

    void Settle()
    {
        if (owes) SendConsole(owed);
        owes = false;
    }

    /// <summary>
    /// Readers are woken for all consoles one after the other: a task that is woken for one finds the others', where it would sleep again in between. Those of a busy line are woken for several packets at once.
    /// </summary>
    TimeSpan? Hosting.DeviceSocket.ITurnEnd.EndTurn()
    {
        lock (gate)
        {
            // One that makes a mistake is not called again: what comes next asks for it anew.
            isAtTurnEnd = false;
            if (UntilDelivery <= TimeSpan.Zero) DeliverConsole();
            if (UntilThanks <= TimeSpan.Zero) Settle();
            var (delivery, acknowledgement) = (UntilDelivery, UntilThanks);
            var next = delivery < acknowledgement ? delivery : acknowledgement;
            isAtTurnEnd = next < Never;
            return isAtTurnEnd ? next : null;
        }
    }

    TimeSpan UntilDelivery => console is not { HasNews: true } ? Never : isBusy ? timings.SolGathering - clock.GetElapsedTime(delivered) : TimeSpan.Zero;

    TimeSpan UntilThanks => owes ? owedFor - clock.GetElapsedTime(owedSince) : Never;

    void DeliverConsole()
    {
        console!.Deliver();
        delivered = clock.GetTimestamp();
        isBusy = owes;
    }

    void PumpConsole()
    {
        lock (gate)
        {
            while (session is not null && console is not null && console.Pump(consolePayload) is > 0 and var length)
            {
                // Armed before sending, as for a request.
                timer.Change(timings.SolWait, Timeout.InfiniteTimeSpan);
                SendConsole(consolePayload.AsSpan(0, length));
            }
            ForgetLostConsole();
        }
    }

    void SendConsole(ReadOnlySpan<byte> payload)
    {
        if (session is null) return;
        try
        {
            Send(consoleDatagram.AsSpan(0, session.Seal(consoleDatagram, PayloadType.SerialOverLan, payload)));
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
            // What was taken is acknowledged: whoever opens the line next would get it again.
            Settle();
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
