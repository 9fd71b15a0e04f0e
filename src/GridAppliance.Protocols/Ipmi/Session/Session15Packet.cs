using System.Buffers.Binary;
using GridAppliance.Protocols.Ipmi.Rmcp;

namespace GridAppliance.Protocols.Ipmi.Session;

/// <summary>
/// The IPMI 1.5 session wrapper (IPMI 2.0, table 13-8). Only written outside a session, for discovery; packets of authenticated 1.5 sessions are
/// read for what they say, and their auth code is not checked because no such session is ever opened.
/// </summary>
public readonly ref struct Session15Packet
{
    //  after the RMCP header:
    //  octet 0       1-4              5-8            (9-24)          +0       +1 …
    //  +-----------+----------------+--------------+---------------+--------+-----------+---------------------+
    //  | auth type | sequence (LE)  | session (LE) | auth code, if | length | message   | pad, on some BMCs   |
    //  |           |                |              | auth type ≠ 0 |        |           |                     |
    //  +-----------+----------------+--------------+---------------+--------+-----------+---------------------+

    /// <summary>Octets before the message, RMCP header included, outside a session.</summary>
    public const int Overhead = RmcpHeader.Length + 10;

    const byte RmcpPlusFormat = 0x06;
    const int AuthenticationCodeLength = 16;

    public byte AuthenticationType { get; private init; }
    public uint Sequence { get; private init; }
    public uint SessionId { get; private init; }
    public ReadOnlySpan<byte> Message { get; private init; }

    public static bool TryRead(ReadOnlySpan<byte> datagram, out Session15Packet packet, out IpmiDefect defect)
    {
        packet = default;
        if (!RmcpHeader.TryRead(datagram, RmcpClass.Ipmi, out var body, out defect)) return false;
        defect = IpmiDefect.Truncated;
        if (body.Length < 1) return false;
        if ((body[0] & 0x0F) == RmcpPlusFormat) { defect = IpmiDefect.AuthenticationType; return false; }
        var lengthAt = 9 + (body[0] == 0 ? 0 : AuthenticationCodeLength);
        // Some BMCs add a legacy pad octet after the message: what is beyond the stated length is ignored.
        if (body.Length <= lengthAt || body.Length - lengthAt - 1 < body[lengthAt]) return false;
        packet = new()
        {
            AuthenticationType = body[0],
            Sequence = BinaryPrimitives.ReadUInt32LittleEndian(body[1..]),
            SessionId = BinaryPrimitives.ReadUInt32LittleEndian(body[5..]),
            Message = body.Slice(lengthAt + 1, body[lengthAt]),
        };
        defect = IpmiDefect.None;
        return true;
    }

    /// <summary>Wraps a message that lies at <see cref="Overhead"/> in <paramref name="datagram"/>; returns the datagram's length.</summary>
    public static int Wrap(Span<byte> datagram, int messageLength)
    {
        RmcpHeader.Write(datagram, RmcpClass.Ipmi);
        datagram[RmcpHeader.Length..Overhead].Clear();
        datagram[Overhead - 1] = checked((byte)messageLength);
        return Overhead + messageLength;
    }
}
