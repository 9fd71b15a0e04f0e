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
    SolLine? console;

    /// <summary>Takes the console, from whoever has it. Runs on the owner's task only.</summary>
    /// <exception cref="Hosting.DeviceException">The BMC has no console, or does not give it.</exception>
    public async Task<SolLine> ActivateConsoleAsync()
    {
        LoseConsole("another has opened the console");
        for (var attempt = 0; ; attempt++)
        {
            if (session is null) await CommandAsync(new GetDeviceId());
            var suite = session!.Suite;
            var request = new ActivateSol(Instance, suite.Confidentiality != ConfidentialityAlgorithm.None, suite.Integrity != IntegrityAlgorithm.None);
            var exchange = await CommandAsync(request);
            if ((byte)exchange.Code == SolActivation.AlreadyActive && attempt == 0)
            {
                await CommandAsync(new DeactivateSol(Instance));
                continue;
            }
            if (exchange.Code != CompletionCode.Ok) throw Refusal(request, exchange.Code);
            if (!request.TryReadAnswer(exchange.Data.Span, out var activation)) throw Nonsense("opened a console and did not say how to use it");
            var largest = Math.Clamp(activation.MaxToBmc, (ushort)SmallestPacket, (ushort)(SolPacket.HeaderLength + byte.MaxValue));
            return console = new(largest - SolPacket.HeaderLength, timings, clock);
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

    /// <summary>Until the console needs the owner, whatever else there is.</summary>
    TimeSpan ConsoleDue => console is null ? Timeout.InfiniteTimeSpan : Soonest(console.Due, timings.SolCheck - clock.GetElapsedTime(console.LastHeard));

    bool ConsoleCheckIsDue => console is not null && clock.GetElapsedTime(console.LastHeard) >= timings.SolCheck;

    void TakeConsolePacket(ReadOnlySpan<byte> payload)
    {
        if (console is null) return;
        var length = console.Take(payload, consolePayload);
        if (length > 0) SendConsole(length);
        ForgetLostConsole();
    }

    void PumpConsole()
    {
        if (console is null) return;
        while (session is not null && console.Pump(consolePayload) is > 0 and var length) SendConsole(length);
        ForgetLostConsole();
    }

    void SendConsole(int length) => Send(consoleDatagram.AsSpan(0, session!.Seal(consoleDatagram, PayloadType.SerialOverLan, consolePayload.AsSpan(0, length))));

    /// <summary>A silent line may be a quiet machine, a dead BMC, or one that has given the console to somebody else.</summary>
    async Task CheckConsoleAsync()
    {
        var request = new GetSolInstance(Instance);
        var exchange = new CommandExchange(request, NextSequence(), session);
        bool answered;
        try
        {
            answered = await ExchangeAsync(exchange, timings.Attempts);
        }
        catch (Hosting.DeviceException)
        {
            answered = false;
        }
        catch (ObjectDisposedException) when (stopping)
        {
            return;
        }
        if (!answered)
        {
            DropSession();
            return;
        }
        if (console is null) return;
        // A BMC without this command has at least kept the session.
        var isOurs = exchange.Code != CompletionCode.Ok || !request.TryReadAnswer(exchange.Data.Span, out var instance) || instance.SessionId == session!.BmcId;
        if (isOurs) console.LastHeard = clock.GetTimestamp();
        else LoseConsole("the BMC has given the console to another");
    }

    void LoseConsole(string reason)
    {
        console?.Lose(reason);
        console = null;
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
