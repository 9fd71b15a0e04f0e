using System.Security.Cryptography;
using System.Text;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Protocols.Snmp.Usm;

namespace GridAppliance.Lab.Switches.Snmp;

/// <summary>The authoritative side of the User-based Security Model (RFC 3414, section 3.2), and who may do what. Used by the agent's one task.</summary>
sealed class AgentSecurity : IDisposable
{
    readonly AgentOptions options;
    readonly TimeProvider clock;
    readonly long started;
    readonly Dictionary<string, Identity> users;
    readonly Dictionary<UsmReport, uint> counters = [];
    ulong salt = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));

    public AgentSecurity(AgentOptions options, TimeProvider clock)
    {
        this.options = options;
        this.clock = clock;
        started = clock.GetTimestamp();
        users = options.Users.ToDictionary(u => u.Name, u => new Identity(u.At(options.EngineId), (u with { Privacy = UsmPrivacy.None }).At(options.EngineId), u.Access));
    }

    /// <param name="User">With all its protection.</param>
    /// <param name="Signer">The same without encryption, for reports.</param>
    /// <param name="Access">What it may do.</param>
    sealed record Identity(UsmUser User, UsmUser Signer, AgentAccess Access);

    public abstract record Verdict;

    /// <summary>Not taken; the report for the sender has so many octets, none when it may not have one.</summary>
    public sealed record Refused(int Length) : Verdict;

    /// <param name="Scoped">What is asked.</param>
    /// <param name="User">Who asks.</param>
    /// <param name="Access">What it may do.</param>
    /// <param name="MessageId">To answer with.</param>
    /// <param name="Room">Octets that the answer's PDU may have.</param>
    public sealed record Accepted(ScopedPdu Scoped, UsmUser User, AgentAccess Access, int MessageId, int Room) : Verdict;

    public Verdict Open(ReadOnlySpan<byte> datagram, Span<byte> response)
    {
        if (!V3Message.TryRead(datagram, out var message, out _)) return new Refused(0);
        if (!message.EngineId.SequenceEqual(options.EngineId)) return Report(message, UsmReport.UnknownEngineId, null, response);
        if (!users.TryGetValue(Encoding.UTF8.GetString(message.UserName), out var known)) return Report(message, UsmReport.UnknownUserName, null, response);
        // A user that can sign and encrypt has to: less is not let in.
        if (message.Level != known.User.Level) return Report(message, UsmReport.UnsupportedSecurityLevel, null, response);
        if ((message.Flags & V3Flags.Authenticated) != 0)
        {
            if (!message.IsSignedBy(known.User)) return Report(message, UsmReport.WrongDigest, null, response);
            if (!EngineClock.IsTimely(message.Boots, message.Time, options.Boots, Time)) return Report(message, UsmReport.NotInTimeWindow, known.Signer, response);
        }
        if (!message.TryOpen(known.User, out var scoped, out _)) return Report(message, UsmReport.DecryptionError, null, response);
        return new Accepted(scoped!, known.User, known.Access, message.MessageId, Math.Min(message.MaximumSize, 1472) - V3Envelope.Overhead);
    }

    public int Seal(Accepted request, SnmpPdu answer, Span<byte> response) => Write(request.MessageId, request.User, request.Scoped with { Pdu = answer }, response);

    public int ReportUnknownContext(Accepted request, Span<byte> response) =>
        Seal(request, UsmReports.Create(UsmReport.UnknownContext, request.Scoped.Pdu.RequestId, Count(UsmReport.UnknownContext)), response);

    // Section 3.2, steps 3-8: unsigned, but for the clock, which is signed so that it can be believed.
    Refused Report(in V3Message message, UsmReport report, UsmUser? signer, Span<byte> response)
    {
        var count = Count(report);
        if ((message.Flags & V3Flags.Reportable) == 0) return new(0);
        // The request id is known only of what could be read; zero says so.
        var scoped = new ScopedPdu { ContextEngineId = options.EngineId, Pdu = UsmReports.Create(report, 0, count) };
        if (signer is not null) return new(Write(message.MessageId, signer, scoped, response));
        using var nobody = new UsmUser(message.UserName, UsmAuthentication.None, default, UsmPrivacy.None, default);
        return new(Write(message.MessageId, nobody, scoped, response));
    }

    int Write(int messageId, UsmUser user, ScopedPdu scoped, Span<byte> response)
    {
        var envelope = new V3Envelope { MessageId = messageId, MaximumSize = ushort.MaxValue, IsReportable = false, EngineId = options.EngineId, Boots = options.Boots, Time = Time, Salt = salt++ };
        return envelope.Write(response, user, scoped);
    }

    int Time => (int)clock.GetElapsedTime(started).TotalSeconds;

    uint Count(UsmReport report) => counters[report] = counters.GetValueOrDefault(report) + 1;

    public void Dispose()
    {
        foreach (var identity in users.Values)
        {
            identity.User.Dispose();
            identity.Signer.Dispose();
        }
    }
}
