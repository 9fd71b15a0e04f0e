using System.Buffers.Binary;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Protocols.Probes;

/// <summary>In which ways it is tried to get through from one group to another.</summary>
public enum ProbeKind : byte
{
    Broadcast = 1,
    /// <summary>To a station's own address.</summary>
    Unicast,
    /// <summary>An ARP request (RFC 826), as a probe that claims nothing (RFC 5227).</summary>
    Arp,
    /// <summary>An IPv6 neighbour solicitation (RFC 4861), from no address.</summary>
    NeighbourDiscovery,
    /// <summary>With one tag of a VLAN that the port may not be in.</summary>
    Tagged,
    /// <summary>With a tag to be taken off and a second one below it (VLAN hopping).</summary>
    DoubleTagged,
}

/// <summary>A probe as it was heard.</summary>
/// <param name="Round">Which round it is of.</param>
/// <param name="From">Who sent it.</param>
/// <param name="Kind">How it was sent.</param>
public readonly record struct HeardProbe(ulong Round, MacAddress From, ProbeKind Kind);

/// <summary>
/// The frames that show whether groups are apart. Each carries its round: in ARP in the field for the target's MAC, which a request does not use; in neighbour discovery in the address
/// that is asked for; else behind an ether type for local experiments (IEEE 802, clause 9.2.3).
/// </summary>
/// <remarks>
/// <code>
/// | destination (6) | source (6) | 88B5 | "GRIDPRB1" (8) | round (8) | kind (1) | zeros to 60 |
/// </code>
/// </remarks>
public static class ProbeFrame
{
    public const int Length = 60, LongestTagged = Length + 8;
    const int IpHeader = 40, Solicitation = 24;
    public const int NeighbourLength = 14 + IpHeader + Solicitation;
    const ushort EtherType = 0x88B5, Arp = 0x0806, Ipv6 = 0x86DD, Tag = 0x8100;
    const ulong RoundInArp = 0xFFFF_FFFF_FFFF;

    static ReadOnlySpan<byte> Magic => "GRIDPRB1"u8;

    public static int Write(Span<byte> frame, ProbeKind kind, ulong round, MacAddress from, MacAddress to) => kind switch
    {
        ProbeKind.Arp => WriteArp(frame, round, from),
        ProbeKind.NeighbourDiscovery => WriteSolicitation(frame, round, from),
        ProbeKind.Broadcast or ProbeKind.Unicast or ProbeKind.Tagged or ProbeKind.DoubleTagged => WritePlain(frame, kind, round, from, to, []),
    };

    /// <summary>A broadcast with one tag or two.</summary>
    public static int WriteTagged(Span<byte> frame, ulong round, MacAddress from, params ReadOnlySpan<ushort> vlans) =>
        WritePlain(frame, vlans.Length == 1 ? ProbeKind.Tagged : ProbeKind.DoubleTagged, round, from, MacAddress.Broadcast, vlans);

    static int WritePlain(Span<byte> frame, ProbeKind kind, ulong round, MacAddress from, MacAddress to, scoped ReadOnlySpan<ushort> vlans)
    {
        var length = Length + 4 * vlans.Length;
        frame[..length].Clear();
        to.Write(frame);
        from.Write(frame[6..]);
        var at = 12;
        foreach (var vlan in vlans)
        {
            BinaryPrimitives.WriteUInt16BigEndian(frame[at..], Tag);
            BinaryPrimitives.WriteUInt16BigEndian(frame[(at + 2)..], vlan);
            at += 4;
        }
        BinaryPrimitives.WriteUInt16BigEndian(frame[at..], EtherType);
        Magic.CopyTo(frame[(at + 2)..]);
        BinaryPrimitives.WriteUInt64BigEndian(frame[(at + 10)..], round);
        frame[at + 18] = (byte)kind;
        return length;
    }

    static int WriteArp(Span<byte> frame, ulong round, MacAddress from)
    {
        frame[..Length].Clear();
        MacAddress.Broadcast.Write(frame);
        from.Write(frame[6..]);
        BinaryPrimitives.WriteUInt64BigEndian(frame[12..], 0x0806_0001_0800_0604);
        frame[21] = 1;
        from.Write(frame[22..]);
        MacAddress.FromUInt64(round & RoundInArp).Write(frame[32..]);
        // An address of nobody's (RFC 2544's).
        BinaryPrimitives.WriteUInt32BigEndian(frame[38..], 0xC612_0000 | (uint)(round & 0xFFFF));
        return Length;
    }

    static int WriteSolicitation(Span<byte> frame, ulong round, MacAddress from)
    {
        frame[..NeighbourLength].Clear();
        var ip = frame[14..];
        // To the solicited-node group of the address that is asked for, which is fe80:: and the round.
        MacAddress.FromUInt64(0x3333_FF00_0000 | round & 0xFF_FFFF).Write(frame);
        from.Write(frame[6..]);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], Ipv6);
        ip[0] = 0x60;
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], Solicitation);
        (ip[6], ip[7]) = (58, 255);
        BinaryPrimitives.WriteUInt64BigEndian(ip[24..], 0xFF02_0000_0000_0000);
        BinaryPrimitives.WriteUInt64BigEndian(ip[32..], 0x0000_0001_FF00_0000 | round & 0xFF_FFFF);
        var solicitation = ip[IpHeader..];
        solicitation[0] = 135;
        BinaryPrimitives.WriteUInt64BigEndian(solicitation[8..], 0xFE80_0000_0000_0000);
        BinaryPrimitives.WriteUInt64BigEndian(solicitation[16..], round);
        BinaryPrimitives.WriteUInt16BigEndian(solicitation[2..], Checksum(ip[8..IpHeader], solicitation[..Solicitation]));
        return NeighbourLength;
    }

    // RFC 4443, section 2.3: over a pseudo-header of both addresses, length and protocol.
    static ushort Checksum(scoped ReadOnlySpan<byte> addresses, scoped ReadOnlySpan<byte> message)
    {
        var sum = (uint)(message.Length + 58);
        for (var i = 0; i < addresses.Length; i += 2) sum += BinaryPrimitives.ReadUInt16BigEndian(addresses[i..]);
        for (var i = 0; i < message.Length; i += 2) sum += BinaryPrimitives.ReadUInt16BigEndian(message[i..]);
        while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~sum;
    }

    /// <summary>Reads a probe, with its tags or after they were taken off.</summary>
    /// <param name="frame">As it came in.</param>
    /// <param name="round">The round that is listened for: ARP carries the lower six octets of it only.</param>
    /// <param name="heard">Whose it is.</param>
    public static bool TryRead(ReadOnlySpan<byte> frame, ulong round, out HeardProbe heard)
    {
        heard = default;
        var at = 12;
        while (frame.Length >= at + 4 && BinaryPrimitives.ReadUInt16BigEndian(frame[at..]) == Tag && at < 24) at += 4;
        if (frame.Length < at + 2) return false;
        var from = MacAddress.Read(frame[6..]);
        var payload = frame[(at + 2)..];
        switch (BinaryPrimitives.ReadUInt16BigEndian(frame[at..]))
        {
            case EtherType:
                if (payload.Length < 17 || !payload.StartsWith(Magic) || BinaryPrimitives.ReadUInt64BigEndian(payload[8..]) != round) return false;
                if ((ProbeKind)payload[16] is not (ProbeKind.Broadcast or ProbeKind.Unicast or ProbeKind.Tagged or ProbeKind.DoubleTagged)) return false;
                heard = new(round, from, (ProbeKind)payload[16]);
                return true;
            case Arp:
                if (payload.Length < 28 || payload[7] != 1 || MacAddress.Read(payload[18..]).ToUInt64() != (round & RoundInArp)) return false;
                heard = new(round, from, ProbeKind.Arp);
                return true;
            case Ipv6:
                if (payload.Length < IpHeader + Solicitation || payload[6] != 58 || payload[IpHeader] != 135 || BinaryPrimitives.ReadUInt64BigEndian(payload[(IpHeader + 16)..]) != round) return false;
                heard = new(round, from, ProbeKind.NeighbourDiscovery);
                return true;
            default:
                return false;
        }
    }
}
