using System.Buffers.Binary;

namespace GridAppliance.Protocols.Ipmi.Rmcp;

/// <summary>A pong: what answers a presence ping (ASF 2.0, section 3.2.4.3).</summary>
public readonly record struct AsfPong(byte Tag, uint Enterprise, bool SupportsIpmi);

/// <summary>The ASF presence ping, the one message that every RMCP device answers without a session (ASF 2.0, section 3.2.4.2).</summary>
public static class AsfPresence
{
    //  after the RMCP header:
    //  octet 0-3                     4                    5     6   7            8 …
    //  +----------------------------+--------------------+-----+---+------------+------------------------------------------+
    //  | enterprise 4542 (ASF)      | 80 ping, 40 pong   | tag | 0 | data count | pong: enterprise, OEM, entities, 0 …     |
    //  +----------------------------+--------------------+-----+---+------------+------------------------------------------+

    public const int PingLength = RmcpHeader.Length + 8;
    public const int PongLength = PingLength + PongData;

    const int PongData = 16;
    const uint AsfEnterprise = 4542;
    const byte PingType = 0x80;
    const byte PongType = 0x40;
    const byte IpmiBit = 0x80;
    const byte AsfVersion1 = 0x01;

    /// <param name="destination">At least <see cref="PingLength"/> octets.</param>
    /// <param name="tag">0-254, given back in the pong.</param>
    public static int WritePing(Span<byte> destination, byte tag) => WriteHeader(destination, PingType, tag, 0);

    public static int WritePong(Span<byte> destination, AsfPong pong)
    {
        WriteHeader(destination, PongType, pong.Tag, PongData);
        var data = destination[PingLength..PongLength];
        data.Clear();
        BinaryPrimitives.WriteUInt32BigEndian(data, pong.Enterprise);
        data[8] = (byte)(AsfVersion1 | (pong.SupportsIpmi ? IpmiBit : 0));
        return PongLength;
    }

    public static bool TryReadPing(ReadOnlySpan<byte> datagram, out byte tag, out IpmiDefect defect) => TryReadHeader(datagram, PingType, out tag, out _, out defect);

    public static bool TryReadPong(ReadOnlySpan<byte> datagram, out AsfPong pong, out IpmiDefect defect)
    {
        pong = default;
        if (!TryReadHeader(datagram, PongType, out var tag, out var data, out defect)) return false;
        if (data.Length < PongData) { defect = IpmiDefect.Truncated; return false; }
        pong = new(tag, BinaryPrimitives.ReadUInt32BigEndian(data), (data[8] & IpmiBit) != 0);
        return true;
    }

    static int WriteHeader(Span<byte> destination, byte type, byte tag, byte dataLength)
    {
        RmcpHeader.Write(destination, RmcpClass.Asf);
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], AsfEnterprise);
        destination[8] = type;
        destination[9] = tag;
        destination[10] = 0;
        destination[11] = dataLength;
        return PingLength;
    }

    static bool TryReadHeader(ReadOnlySpan<byte> datagram, byte type, out byte tag, out ReadOnlySpan<byte> data, out IpmiDefect defect)
    {
        tag = 0;
        data = default;
        if (!RmcpHeader.TryRead(datagram, RmcpClass.Asf, out var body, out defect)) return false;
        if (body.Length < 8 || body.Length - 8 < body[7]) { defect = IpmiDefect.Truncated; return false; }
        if (BinaryPrimitives.ReadUInt32BigEndian(body) != AsfEnterprise || body[4] != type) { defect = IpmiDefect.PayloadType; return false; }
        tag = body[5];
        data = body.Slice(8, body[7]);
        return true;
    }
}
