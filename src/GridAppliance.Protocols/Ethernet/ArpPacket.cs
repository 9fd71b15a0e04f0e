using System.Buffers.Binary;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Protocols.Ethernet;

public enum ArpOperation : ushort { Request = 1, Reply = 2 }

public enum ArpDefect
{
    None,
    TooShort,
    /// <summary>Another ether type, or ARP for something else than IPv4 over Ethernet.</summary>
    NotIpv4OverEthernet,
    BadOperation,
}

/// <summary>An Ethernet frame with an ARP packet for IPv4 (RFC 826; probes as in RFC 5227 section 2.1.1).</summary>
/// <remarks>
/// <code>
/// | destination (6) | source (6) | 0806 |                             0
/// | htype 1 | ptype 0800 | hlen 6 | plen 4 | operation |              14
/// | sender MAC (6) | sender IP (4) | target MAC (6) | target IP (4) |  22
/// </code>
/// </remarks>
public readonly record struct ArpPacket(ArpOperation Operation, MacAddress SenderMac, Ipv4Address SenderIp, MacAddress TargetMac, Ipv4Address TargetIp)
{
    /// <summary>Octets of the frame; the driver pads it to Ethernet's minimum.</summary>
    public const int FrameLength = 42;

    public const ushort EtherType = 0x0806;

    /// <summary>Asks who has <paramref name="address"/> without claiming one: the sender address stays zero (RFC 5227 section 1.1).</summary>
    public static ArpPacket Probe(MacAddress sender, Ipv4Address address) => new(ArpOperation.Request, sender, Ipv4Address.Any, default, address);

    public static bool TryRead(ReadOnlySpan<byte> frame, out ArpPacket packet, out ArpDefect defect)
    {
        packet = default;
        defect = ArpDefect.None;
        if (frame.Length < FrameLength) { defect = ArpDefect.TooShort; return false; }
        if (BinaryPrimitives.ReadUInt64BigEndian(frame[12..]) >> 16 != 0x0806_0001_0800 || frame[18] != 6 || frame[19] != 4)
        {
            defect = ArpDefect.NotIpv4OverEthernet;
            return false;
        }
        var operation = (ArpOperation)BinaryPrimitives.ReadUInt16BigEndian(frame[20..]);
        if (operation is not (ArpOperation.Request or ArpOperation.Reply)) { defect = ArpDefect.BadOperation; return false; }
        packet = new(operation, MacAddress.Read(frame[22..]), Ipv4Address.Read(frame[28..]), MacAddress.Read(frame[32..]), Ipv4Address.Read(frame[38..]));
        return true;
    }

    /// <summary>Writes the frame: a request to everybody, a reply to its target.</summary>
    public int Write(Span<byte> frame)
    {
        (Operation == ArpOperation.Request ? MacAddress.Broadcast : TargetMac).Write(frame);
        SenderMac.Write(frame[6..]);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], EtherType);
        BinaryPrimitives.WriteUInt16BigEndian(frame[14..], 1);
        BinaryPrimitives.WriteUInt16BigEndian(frame[16..], 0x0800);
        frame[18] = MacAddress.Length;
        frame[19] = Ipv4Address.Length;
        BinaryPrimitives.WriteUInt16BigEndian(frame[20..], (ushort)Operation);
        SenderMac.Write(frame[22..]);
        SenderIp.Write(frame[28..]);
        TargetMac.Write(frame[32..]);
        TargetIp.Write(frame[38..]);
        return FrameLength;
    }
}
