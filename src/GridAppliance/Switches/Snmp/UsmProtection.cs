using System.Security.Cryptography;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Protocols.Snmp.Usm;

namespace GridAppliance.Switches.Snmp;

/// <summary>Version 3: one user at one engine, whose clock is kept in step.</summary>
sealed class UsmProtection(SnmpCredentials.User credentials, TimeProvider clock) : SnmpProtection
{
    readonly Lock gate = new();
    byte[] engineId = [];
    UsmUser? user;
    EngineClock engine;
    // What discovery said was not signed: the first signed message replaces it, in whichever direction.
    bool isClockProven;
    // A salt must not come twice under one key: from a random start, 64 bits do not come round.
    ulong salt = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));

    public override int Overhead => V3Envelope.Overhead;

    public override bool NeedsDiscovery { get { lock (gate) return user is null; } }

    public void Discovered(byte[] id, int boots, int time)
    {
        lock (gate)
        {
            user?.Dispose();
            user = credentials.At(id);
            (engineId, engine, isClockProven) = (id, new(Math.Max(0, boots), Math.Max(0, time), Now), false);
        }
    }

    public override void Forget()
    {
        lock (gate)
        {
            user?.Dispose();
            user = null;
        }
    }

    public override int Write(Span<byte> destination, int id, SnmpPdu pdu, SnmpContext context)
    {
        lock (gate)
        {
            if (user is null) throw new InvalidOperationException("the engine has not been discovered");
            var envelope = new V3Envelope
            {
                MessageId = id,
                MaximumSize = ushort.MaxValue,
                IsReportable = true,
                EngineId = engineId,
                Boots = engine.Boots,
                Time = engine.TimeAt(Now),
                Salt = salt++,
            };
            return envelope.Write(destination, user, new() { ContextEngineId = engineId, ContextName = context.Name, Pdu = pdu });
        }
    }

    public override bool TryRead(ReadOnlySpan<byte> datagram, int id, out SnmpPdu? pdu)
    {
        pdu = null;
        if (!V3Message.TryRead(datagram, out var message, out _) || message.MessageId != id) return false;
        lock (gate)
        {
            if (user is null) return false;
            if (message.Level == V3Flags.None) return TryReadUnsigned(message, out pdu);
            if (!message.EngineId.SequenceEqual(engineId) || !message.TryOpen(user, out var scoped, out _)) return false;
            pdu = scoped!.Pdu;
            if (pdu.Type == SnmpPduType.Report)
            {
                // Signed, and for a message of ours that is under way: it is the engine itself that says what time it has.
                if (UsmReports.Of(pdu) == UsmReport.NotInTimeWindow) (engine, isClockProven) = (new(message.Boots, message.Time, Now), true);
                return true;
            }
            return pdu.Type == SnmpPduType.Response && pdu.RequestId == id && message.Level == user.Level && IsTimely(message);
        }
    }

    // An engine cannot sign what it says to a user it does not know, or whose key it does not share. Nothing else is believed unsigned: not even
    // that our clock is wrong.
    bool TryReadUnsigned(in V3Message message, out SnmpPdu? pdu)
    {
        using var plain = new UsmUser(message.UserName, UsmAuthentication.None, default, UsmPrivacy.None, default);
        pdu = message.TryOpen(plain, out var scoped, out _) ? scoped!.Pdu : null;
        return pdu is { Type: SnmpPduType.Report } && UsmReports.Of(pdu) is not (UsmReport.NotInTimeWindow or UsmReport.Unknown);
    }

    bool IsTimely(in V3Message message)
    {
        if (!isClockProven)
        {
            (engine, isClockProven) = (new(message.Boots, message.Time, Now), true);
            return true;
        }
        var isTimely = engine.TryAdvance(message.Boots, message.Time, Now, out var next);
        engine = next;
        return isTimely;
    }

    long Now => (long)clock.GetElapsedTime(0).TotalSeconds;

    public override void Dispose() => Forget();
}
