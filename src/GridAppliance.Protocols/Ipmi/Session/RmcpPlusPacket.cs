using System.Buffers.Binary;
using GridAppliance.Protocols.Ipmi.Rmcp;

namespace GridAppliance.Protocols.Ipmi.Session;

/// <summary>What an RMCP+ packet carries (IPMI 2.0, table 13-16).</summary>
public enum PayloadType : byte
{
    IpmiMessage = 0x00,
    SerialOverLan = 0x01,
    OemExplicit = 0x02,
    OpenSessionRequest = 0x10,
    OpenSessionResponse = 0x11,
    Rakp1 = 0x12,
    Rakp2 = 0x13,
    Rakp3 = 0x14,
    Rakp4 = 0x15,
}

/// <summary>The RMCP+ session wrapper (IPMI 2.0, table 13-8), split but neither verified nor decrypted.</summary>
public readonly ref struct RmcpPlusPacket
{
    //  after the RMCP header:
    //  octet 0    1                          2-5            6-9             10-11         12 …        trailer, if signed
    //  +--------+--------------------------+--------------+---------------+-------------+-----------+---------------------------------------+
    //  | 06     | E bit 7, A bit 6, type   | session (LE) | sequence (LE) | length (LE) | payload   | FF pad …, pad length, 07, auth code   |
    //  +--------+--------------------------+--------------+---------------+-------------+-----------+---------------------------------------+
    // The auth code covers everything from octet 0 to the 07. The pad makes that a multiple of four octets.

    /// <summary>Octets before the payload, RMCP header included.</summary>
    public const int HeaderLength = RmcpHeader.Length + 12;

    internal const byte Format = 0x06;
    internal const byte EncryptedBit = 0x80;
    internal const byte AuthenticatedBit = 0x40;

    public PayloadType Type { get; private init; }
    public bool IsEncrypted { get; private init; }
    public bool IsAuthenticated { get; private init; }
    public uint SessionId { get; private init; }
    public uint Sequence { get; private init; }
    /// <summary>As on the wire: cipher text where <see cref="IsEncrypted"/>.</summary>
    public ReadOnlySpan<byte> Payload { get; private init; }
    /// <summary>From the format octet to the end of the datagram: signed part and auth code.</summary>
    public ReadOnlySpan<byte> Body { get; private init; }

    /// <summary>True when the datagram looks like RMCP+ rather than IPMI 1.5 or ASF.</summary>
    public static bool IsRmcpPlus(ReadOnlySpan<byte> datagram) =>
        datagram.Length > RmcpHeader.Length && (datagram[3] & 0x1F) == (byte)RmcpClass.Ipmi && (datagram[RmcpHeader.Length] & 0x0F) == Format;

    public static bool TryRead(ReadOnlySpan<byte> datagram, out RmcpPlusPacket packet, out IpmiDefect defect)
    {
        packet = default;
        if (!RmcpHeader.TryRead(datagram, RmcpClass.Ipmi, out var body, out defect)) return false;
        defect = IpmiDefect.Truncated;
        if (body.Length < 1) return false;
        if ((body[0] & 0x0F) != Format) { defect = IpmiDefect.AuthenticationType; return false; }
        if (body.Length < HeaderLength - RmcpHeader.Length) return false;
        var type = (PayloadType)(body[1] & 0x3F);
        // OEM payloads have six octets more of header; none is ever asked for.
        if (type == PayloadType.OemExplicit) { defect = IpmiDefect.PayloadType; return false; }
        int length = BinaryPrimitives.ReadUInt16LittleEndian(body[10..]);
        if (body.Length - 12 < length) return false;
        packet = new()
        {
            Type = type,
            IsEncrypted = (body[1] & EncryptedBit) != 0,
            IsAuthenticated = (body[1] & AuthenticatedBit) != 0,
            SessionId = BinaryPrimitives.ReadUInt32LittleEndian(body[2..]),
            Sequence = BinaryPrimitives.ReadUInt32LittleEndian(body[6..]),
            Payload = body.Slice(12, length),
            Body = body,
        };
        defect = IpmiDefect.None;
        return true;
    }

    /// <summary>Writes the header in front of a payload that lies at <see cref="HeaderLength"/>, unsigned and clear; returns the datagram's length.</summary>
    public static int Wrap(Span<byte> datagram, PayloadType type, int payloadLength)
    {
        WriteHeader(datagram, (byte)type, 0, 0, payloadLength);
        return HeaderLength + payloadLength;
    }

    internal static void WriteHeader(Span<byte> datagram, byte typeAndFlags, uint sessionId, uint sequence, int payloadLength)
    {
        RmcpHeader.Write(datagram, RmcpClass.Ipmi);
        var body = datagram[RmcpHeader.Length..];
        body[0] = Format;
        body[1] = typeAndFlags;
        BinaryPrimitives.WriteUInt32LittleEndian(body[2..], sessionId);
        BinaryPrimitives.WriteUInt32LittleEndian(body[6..], sequence);
        BinaryPrimitives.WriteUInt16LittleEndian(body[10..], checked((ushort)payloadLength));
    }
}
