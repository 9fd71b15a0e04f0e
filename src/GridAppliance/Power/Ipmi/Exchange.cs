using GridAppliance.Protocols.Ipmi;
using GridAppliance.Protocols.Ipmi.Session;

namespace GridAppliance.Power.Ipmi;

/// <summary>One question to a BMC and the recognition of its answer.</summary>
abstract class Exchange
{
    /// <summary>Writes the datagram; called again for each attempt.</summary>
    public abstract int Write(Span<byte> datagram);

    /// <summary>Takes a datagram outside any session when it is the answer.</summary>
    public virtual bool TryTakeClear(ReadOnlySpan<byte> datagram) => false;

    /// <summary>Takes a message that came in the session when it is the answer.</summary>
    public virtual bool TryTakeMessage(in IpmbMessage message) => false;
}

/// <summary>A command, inside <paramref name="session"/>, or outside any in the IPMI 1.5 wrapper, since not every BMC takes it in the RMCP+ wrapper there.</summary>
sealed class CommandExchange(IpmiRequest request, byte sequence, IpmiSession? session = null) : Exchange
{
    const int MaxMessage = IpmbMessage.Overhead + IpmiRequest.MaxData;

    public CompletionCode Code { get; private set; }
    /// <summary>What follows the completion code.</summary>
    public ReadOnlyMemory<byte> Data { get; private set; }

    public override int Write(Span<byte> datagram)
    {
        if (session is null) return Session15Packet.Wrap(datagram, IpmbMessage.WriteRequest(datagram[Session15Packet.Overhead..], request, sequence));
        Span<byte> message = stackalloc byte[MaxMessage];
        return session.Seal(datagram, PayloadType.IpmiMessage, message[..IpmbMessage.WriteRequest(message, request, sequence)]);
    }

    public override bool TryTakeClear(ReadOnlySpan<byte> datagram)
    {
        if (session is not null) return false;
        return RmcpPlusPacket.TryRead(datagram, out var packet, out _)
            ? packet is { Type: PayloadType.IpmiMessage, SessionId: 0, IsEncrypted: false } && IpmbMessage.TryRead(packet.Payload, out var message, out _) && TryTakeMessage(message)
            : Session15Packet.TryRead(datagram, out var legacy, out _) && IpmbMessage.TryRead(legacy.Message, out message, out _) && TryTakeMessage(message);
    }

    public override bool TryTakeMessage(in IpmbMessage message)
    {
        if (!message.IsAnswer || message.Sequence != sequence || message.Function != request.Function || message.Command != request.Command || message.Data.Length < 1) return false;
        Code = (CompletionCode)message.Data[0];
        Data = message.Data[1..].ToArray();
        return true;
    }
}

sealed class OpenSessionExchange(byte tag, uint consoleId, CipherSuite suite) : Exchange
{
    public OpenSessionResponse Response { get; private set; }

    public override int Write(Span<byte> datagram) =>
        RmcpPlusPacket.Wrap(datagram, PayloadType.OpenSessionRequest, new OpenSessionRequest(tag, IpmiPrivilege.Highest, consoleId, suite).Write(datagram[RmcpPlusPacket.HeaderLength..]));

    public override bool TryTakeClear(ReadOnlySpan<byte> datagram)
    {
        if (!RmcpPlusPacket.TryRead(datagram, out var packet, out _) || packet.Type != PayloadType.OpenSessionResponse) return false;
        if (!OpenSessionResponse.TryRead(packet.Payload, out var response, out _) || response.Tag != tag) return false;
        // Some BMCs leave the console's id out of a refusal.
        if (response.ConsoleId != consoleId && response.Status == RakpStatus.Ok) return false;
        Response = response;
        return true;
    }
}

sealed class Rakp1Exchange(byte tag, uint consoleId, uint bmcId, CipherSuite suite, byte[] consoleRandom, byte role, byte[] name) : Exchange
{
    public RakpStatus Status { get; private set; }
    public byte[] BmcRandom { get; private set; } = [];
    public byte[] BmcGuid { get; private set; } = [];
    public byte[] Code { get; private set; } = [];

    public override int Write(Span<byte> datagram) =>
        RmcpPlusPacket.Wrap(datagram, PayloadType.Rakp1, new Rakp1 { Tag = tag, BmcId = bmcId, ConsoleRandom = consoleRandom, Role = role, Name = name }.Write(datagram[RmcpPlusPacket.HeaderLength..]));

    public override bool TryTakeClear(ReadOnlySpan<byte> datagram)
    {
        if (!RmcpPlusPacket.TryRead(datagram, out var packet, out _) || packet.Type != PayloadType.Rakp2) return false;
        if (!Rakp2.TryRead(packet.Payload, suite, out var message, out _) || message.Tag != tag || message.ConsoleId != consoleId) return false;
        (Status, BmcRandom, BmcGuid, Code) = (message.Status, message.BmcRandom.ToArray(), message.BmcGuid.ToArray(), message.AuthenticationCode.ToArray());
        return true;
    }
}

sealed class Rakp3Exchange(byte tag, uint consoleId, uint bmcId, CipherSuite suite, byte[] code) : Exchange
{
    public RakpStatus Status { get; private set; }
    public byte[] CheckValue { get; private set; } = [];

    public override int Write(Span<byte> datagram) =>
        RmcpPlusPacket.Wrap(datagram, PayloadType.Rakp3, new Rakp3 { Tag = tag, BmcId = bmcId, AuthenticationCode = code }.Write(datagram[RmcpPlusPacket.HeaderLength..]));

    public override bool TryTakeClear(ReadOnlySpan<byte> datagram)
    {
        if (!RmcpPlusPacket.TryRead(datagram, out var packet, out _) || packet.Type != PayloadType.Rakp4) return false;
        if (!Rakp4.TryRead(packet.Payload, suite, out var message, out _) || message.Tag != tag || message.ConsoleId != consoleId) return false;
        (Status, CheckValue) = (message.Status, message.CheckValue.ToArray());
        return true;
    }
}
