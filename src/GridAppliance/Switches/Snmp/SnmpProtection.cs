using System.Text;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Protocols.Snmp.Usm;

namespace GridAppliance.Switches.Snmp;

/// <summary>How messages to one device are wrapped, and how its answers are told from rubbish. Called from the thread that reads the socket and from senders at once.</summary>
abstract class SnmpProtection : IDisposable
{
    /// <summary>Largest datagram that we send.</summary>
    public const int LargestDatagram = 4096;

    /// <summary>Whether the device must be asked who it is first.</summary>
    public virtual bool NeedsDiscovery => false;

    /// <summary>Octets around a PDU at most.</summary>
    public abstract int Overhead { get; }

    public abstract int Write(Span<byte> destination, int id, SnmpPdu pdu, SnmpContext context);

    /// <summary>Gives the Response, or the Report, that answers the message <paramref name="id"/>; false for everything else.</summary>
    public abstract bool TryRead(ReadOnlySpan<byte> datagram, int id, out SnmpPdu? pdu);

    /// <summary>Forgets what is known of the device's engine.</summary>
    public virtual void Forget()
    {
    }

    public abstract void Dispose();
}

/// <summary>Version 2c.</summary>
sealed class CommunityProtection(string community) : SnmpProtection
{
    public override int Overhead => CommunityMessage.Overhead(Encoding.UTF8.GetByteCount(community) + 5);

    public override int Write(Span<byte> destination, int id, SnmpPdu pdu, SnmpContext context) =>
        CommunityMessage.Write(destination, SnmpVersion.V2c, Encoding.UTF8.GetBytes(community + context.CommunitySuffix), pdu);

    // The community of an answer is not compared: some agents leave a context's suffix out, and it protects nothing.
    public override bool TryRead(ReadOnlySpan<byte> datagram, int id, out SnmpPdu? pdu)
    {
        pdu = CommunityMessage.TryRead(datagram, out var message, out _) ? message.Pdu : null;
        return pdu is { Type: SnmpPduType.Response } && pdu.RequestId == id;
    }

    public override void Dispose()
    {
    }
}

/// <summary>Who are you? Unprotected, to learn the id and clock of an engine (RFC 3414, section 4).</summary>
sealed class DiscoveryProtection : SnmpProtection
{
    readonly UsmUser nobody = UsmUser.Discoverer();

    /// <summary>The engine that answered; null until one has.</summary>
    public (byte[] Id, int Boots, int Time)? Engine { get; private set; }

    public override int Overhead => V3Envelope.Overhead;

    public override int Write(Span<byte> destination, int id, SnmpPdu pdu, SnmpContext context) =>
        new V3Envelope { MessageId = id, MaximumSize = ushort.MaxValue, IsReportable = true, EngineId = default, Boots = 0, Time = 0 }
            .Write(destination, nobody, new() { ContextEngineId = default, Pdu = pdu });

    // Any report that names its engine will do: not all agents answer with unknownEngineIDs.
    public override bool TryRead(ReadOnlySpan<byte> datagram, int id, out SnmpPdu? pdu)
    {
        pdu = null;
        if (!V3Message.TryRead(datagram, out var message, out _) || message.MessageId != id || message.EngineId.IsEmpty || message.Level != V3Flags.None) return false;
        lock (nobody)
        {
            if (!message.TryOpen(nobody, out var scoped, out _) || scoped!.Pdu.Type is not (SnmpPduType.Report or SnmpPduType.Response)) return false;
            pdu = scoped.Pdu;
        }
        Engine ??= (message.EngineId.ToArray(), message.Boots, message.Time);
        return true;
    }

    public override void Dispose() => nobody.Dispose();
}
