using System.Security.Cryptography;
using System.Text;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Protocols.Snmp.Usm;
using GridAppliance.Switches.Snmp;

namespace GridAppliance.Fabric.Traps;

enum TrapVerdict
{
    /// <summary>It is from the switch; somebody should look at it.</summary>
    Taken,
    /// <summary>A question about who we are, answered.</summary>
    Discovery,
    /// <summary>Not from anybody whose key we share, or out of time, or not a notification at all.</summary>
    Refused,
    Malformed,
}

/// <summary>
/// Reads notifications of one switch: traps and informs of version 2c, traps of version 1 and 3, informs of version 3. Of version 3 only what the switch's own user has signed is
/// taken; for an inform we are the authoritative engine (RFC 3414, section 1.5.1) and say who we are and what time we have. Not thread-safe: the listener's one task calls.
/// </summary>
sealed class TrapEngine(byte[] engineId, int boots, TimeProvider clock) : IDisposable
{
    /// <summary>Keys for so many engines of one switch: it has one, and another after its supervisor was replaced.</summary>
    const int MostEngines = 4;

    readonly long started = clock.GetTimestamp();
    readonly Dictionary<(SnmpCredentials.User Who, string Engine), UsmUser> users = [];
    uint reports;
    ulong salt = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));

    int Time => (int)clock.GetElapsedTime(started).TotalSeconds;

    /// <param name="datagram">As it came.</param>
    /// <param name="credentials">Those of the switch at its address.</param>
    /// <param name="answer">Room for what is sent back.</param>
    /// <param name="written">Octets to send back; zero for none.</param>
    public TrapVerdict Read(ReadOnlySpan<byte> datagram, SnmpCredentials credentials, Span<byte> answer, out int written)
    {
        written = 0;
        if (!CommunityMessage.TryPeekVersion(datagram, out var version)) return TrapVerdict.Malformed;
        return version == SnmpVersion.V3 ? ReadVersion3(datagram, credentials, answer, out written) : ReadCommunity(datagram, credentials, version, answer, out written);
    }

    // A community protects nothing: whoever can send from the switch's address is believed as far as a look at the switch goes. A switch that we speak version 3 with has no need
    // of it.
    static TrapVerdict ReadCommunity(ReadOnlySpan<byte> datagram, SnmpCredentials credentials, SnmpVersion version, Span<byte> answer, out int written)
    {
        written = 0;
        if (!CommunityMessage.TryRead(datagram, out var message, out _)) return TrapVerdict.Malformed;
        if (credentials is not SnmpCredentials.Community community || !message.Community.SequenceEqual(Encoding.UTF8.GetBytes(community.Name))) return TrapVerdict.Refused;
        if (message.Trap is not null) return TrapVerdict.Taken;
        if (message.Pdu is not { Type: SnmpPduType.Trap or SnmpPduType.Inform } pdu) return TrapVerdict.Refused;
        if (pdu.Type == SnmpPduType.Inform) written = CommunityMessage.Write(answer, version, message.Community, Answer(pdu));
        return TrapVerdict.Taken;
    }

    TrapVerdict ReadVersion3(ReadOnlySpan<byte> datagram, SnmpCredentials credentials, Span<byte> answer, out int written)
    {
        written = 0;
        if (!V3Message.TryRead(datagram, out var message, out _)) return TrapVerdict.Malformed;
        if (credentials is not SnmpCredentials.User who) return TrapVerdict.Refused;
        var isInform = (message.Flags & V3Flags.Reportable) != 0;
        if (isInform && !message.EngineId.SequenceEqual(engineId))
        {
            written = Report(message, UsmReport.UnknownEngineId, null, answer);
            return TrapVerdict.Discovery;
        }
        if (message.EngineId.IsEmpty || !message.UserName.SequenceEqual(Encoding.UTF8.GetBytes(who.Name))) return TrapVerdict.Refused;
        var user = UserAt(who, message.EngineId);
        if (message.Level != user.Level || !message.IsSignedBy(user)) return TrapVerdict.Refused;
        if (isInform && !EngineClock.IsTimely(message.Boots, message.Time, boots, Time))
        {
            written = Report(message, UsmReport.NotInTimeWindow, user, answer);
            return TrapVerdict.Discovery;
        }
        if (!message.TryOpen(user, out var scoped, out _) || scoped!.Pdu.Type is not (SnmpPduType.Trap or SnmpPduType.Inform)) return TrapVerdict.Refused;
        if (scoped.Pdu.Type == SnmpPduType.Inform) written = Write(message.MessageId, user, scoped with { Pdu = Answer(scoped.Pdu) }, answer);
        return TrapVerdict.Taken;
    }

    static SnmpPdu Answer(SnmpPdu inform) => new() { Type = SnmpPduType.Response, RequestId = inform.RequestId, Varbinds = inform.Varbinds };

    UsmUser UserAt(SnmpCredentials.User who, ReadOnlySpan<byte> engine)
    {
        var key = (who, Convert.ToHexString(engine));
        if (users.TryGetValue(key, out var known)) return known;
        // Somebody makes engines up: what was kept is made anew when it is needed.
        if (users.Keys.Count(k => k.Who == who) >= MostEngines)
        {
            foreach (var old in users.Keys.Where(k => k.Who == who).ToList())
            {
                users.Remove(old, out var gone);
                gone!.Dispose();
            }
        }
        return users[key] = who.At(engine);
    }

    // Only that a clock is wrong is signed: whoever asks who we are does not know our engine yet, and so has no key for it.
    int Report(in V3Message message, UsmReport report, UsmUser? signer, Span<byte> answer)
    {
        var scoped = new ScopedPdu { ContextEngineId = engineId, Pdu = UsmReports.Create(report, 0, ++reports) };
        if (signer is not null) return Write(message.MessageId, signer, scoped, answer);
        using var nobody = new UsmUser(message.UserName, UsmAuthentication.None, default, UsmPrivacy.None, default);
        return Write(message.MessageId, nobody, scoped, answer);
    }

    int Write(int messageId, UsmUser user, ScopedPdu scoped, Span<byte> answer) =>
        new V3Envelope { MessageId = messageId, MaximumSize = ushort.MaxValue, IsReportable = false, EngineId = engineId, Boots = boots, Time = Time, Salt = salt++ }.Write(answer, user, scoped);

    public void Dispose()
    {
        foreach (var user in users.Values) user.Dispose();
    }
}
