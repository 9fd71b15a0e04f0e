using System.Buffers.Binary;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Protocols.Ethernet;

/// <summary>The addresses of one UDP datagram in one Ethernet frame.</summary>
public readonly record struct UdpFrameAddresses
{
    public required MacAddress SourceMac { get; init; }
    public required MacAddress DestinationMac { get; init; }
    public required Ipv4Address Source { get; init; }
    public required Ipv4Address Destination { get; init; }
    public required ushort SourcePort { get; init; }
    public required ushort DestinationPort { get; init; }
}

public enum UdpFrameDefect
{
    None,
    TooShort,
    NotIpv4,
    /// <summary>The header's length or the datagram's does not fit the frame.</summary>
    BadLength,
    /// <summary>Fragments are of no use to boot protocols, which all fit one frame.</summary>
    Fragment,
    NotUdp,
}

/// <summary>
/// A whole frame for a peer that has no address yet, so that the kernel could not ask for its MAC: Ethernet II, IPv4 (RFC 791 section 3.1) and UDP (RFC 768).
/// </summary>
/// <remarks>
/// <code>
/// | destination (6) | source (6) | 0800 |                                             0
/// | 45 | tos | total length | id | flags, offset | ttl | 11 | checksum | src | dst |  14
/// | source port | destination port | length | checksum | payload …                   34
/// </code>
/// </remarks>
public static class UdpFrame
{
    /// <summary>Octets before the payload, when there are no IP options.</summary>
    public const int HeaderLength = 14 + 20 + 8;

    public const ushort EtherType = 0x0800;

    /// <summary>Puts the headers in front of a payload that stands at <see cref="HeaderLength"/> already; the frame's length.</summary>
    public static int WriteHeaders(Span<byte> frame, int payloadLength, in UdpFrameAddresses addresses)
    {
        addresses.DestinationMac.Write(frame);
        addresses.SourceMac.Write(frame[6..]);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], EtherType);

        var ip = frame.Slice(14, 20);
        ip.Clear();
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(20 + 8 + payloadLength));
        ip[8] = 64;
        ip[9] = 17;
        addresses.Source.Write(ip[12..]);
        addresses.Destination.Write(ip[16..]);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], InternetChecksum.Finish(InternetChecksum.Add(0, ip)));

        var udp = frame.Slice(34, 8 + payloadLength);
        BinaryPrimitives.WriteUInt16BigEndian(udp, addresses.SourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(udp[2..], addresses.DestinationPort);
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], (ushort)udp.Length);
        udp[6] = udp[7] = 0;
        var checksum = UdpChecksum(ip, udp);
        // Zero on the wire would mean "none computed".
        BinaryPrimitives.WriteUInt16BigEndian(udp[6..], checksum == 0 ? (ushort)0xFFFF : checksum);
        return HeaderLength + payloadLength;
    }

    /// <summary>Opens a received frame. The UDP checksum is not looked at: between virtual machines it is often left for hardware that is not there.</summary>
    public static bool TryRead(ReadOnlySpan<byte> frame, out UdpFrameAddresses addresses, out ReadOnlySpan<byte> payload, out UdpFrameDefect defect)
    {
        addresses = default;
        payload = default;
        defect = UdpFrameDefect.None;
        if (frame.Length < HeaderLength) { defect = UdpFrameDefect.TooShort; return false; }
        var ip = frame[14..];
        if (BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) != EtherType || ip[0] >> 4 != 4) { defect = UdpFrameDefect.NotIpv4; return false; }
        var header = (ip[0] & 15) * 4;
        var total = BinaryPrimitives.ReadUInt16BigEndian(ip[2..]);
        if (header < 20 || total > ip.Length || total < header + 8) { defect = UdpFrameDefect.BadLength; return false; }
        if ((BinaryPrimitives.ReadUInt16BigEndian(ip[6..]) & 0x3FFF) != 0) { defect = UdpFrameDefect.Fragment; return false; }
        if (ip[9] != 17) { defect = UdpFrameDefect.NotUdp; return false; }
        var udp = ip[header..total];
        var length = BinaryPrimitives.ReadUInt16BigEndian(udp[4..]);
        if (length < 8 || length > udp.Length) { defect = UdpFrameDefect.BadLength; return false; }
        addresses = new()
        {
            DestinationMac = MacAddress.Read(frame),
            SourceMac = MacAddress.Read(frame[6..]),
            Source = Ipv4Address.Read(ip[12..]),
            Destination = Ipv4Address.Read(ip[16..]),
            SourcePort = BinaryPrimitives.ReadUInt16BigEndian(udp),
            DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(udp[2..]),
        };
        payload = udp[8..length];
        return true;
    }

    /// <summary>Over the pseudo-header of RFC 768 and the datagram with its checksum field as it stands.</summary>
    internal static ushort UdpChecksum(ReadOnlySpan<byte> ip, ReadOnlySpan<byte> udp)
    {
        var sum = InternetChecksum.Add(17 + (uint)udp.Length, ip.Slice(12, 8));
        return InternetChecksum.Finish(InternetChecksum.Add(sum, udp));
    }
}
