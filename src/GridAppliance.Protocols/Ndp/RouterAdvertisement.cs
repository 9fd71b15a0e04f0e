using System.Buffers.Binary;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Protocols.Ndp;

/// <summary>A prefix that hosts may count as on-link and, with <paramref name="Autonomous"/>, make addresses from (RFC 4861 section 4.6.2).</summary>
public readonly record struct AdvertisedPrefix(UInt128 Prefix, int PrefixLength, bool Autonomous, uint ValidSeconds, uint PreferredSeconds);

/// <summary>
/// A whole Ethernet frame with a router advertisement (RFC 4861 section 4.2) from a router that offers no route: lifetime 0, no DHCPv6.
/// It exists because iPXE counts IPv6 as still configuring, and waits, until some router has spoken.
/// </summary>
/// <remarks>
/// <code>
/// | destination (6) | source (6) | 86DD |                                    0
/// | 6 | class, flow | payload length | 58 | hop limit 255 | src | dst |     14
/// | 134 | 0 | checksum | hop limit 64 | M O | router lifetime |             54
/// | reachable time 0 | retransmission time 0 |                             62
/// | 1 | 1 | our MAC |                                                     70
/// | 5 | 1 | 0 | MTU |                                                       78   when given
/// | 3 | 4 | length | L A | valid | preferred | 0 | prefix (16) |             …   when given
/// </code>
/// </remarks>
public readonly record struct RouterAdvertisement
{
    /// <summary>The largest frame that <see cref="Write"/> makes.</summary>
    public const int MaximumFrameLength = 14 + 40 + 16 + 8 + 8 + 32;

    /// <summary>Our own MAC; the source address is the link-local address that follows from it (RFC 4291 appendix A).</summary>
    public required MacAddress Router { get; init; }

    public uint? Mtu { get; init; }

    public AdvertisedPrefix? Prefix { get; init; }

    /// <summary>Writes the frame, to all nodes on the link (ff02::1); its length.</summary>
    public int Write(Span<byte> frame)
    {
        var length = 54 + 16 + 8 + (Mtu is null ? 0 : 8) + (Prefix is null ? 0 : 32);
        frame = frame[..length];
        frame.Clear();
        NdpFrame.AllNodesMac.Write(frame);
        Router.Write(frame[6..]);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], NdpFrame.EtherType);

        var ip = frame.Slice(14, 40);
        ip[0] = 0x60;
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)(length - 54));
        ip[6] = NdpFrame.IcmpProtocol;
        // Receivers drop neighbour discovery that has passed a router (section 6.1.2).
        ip[7] = 255;
        NdpFrame.WriteLinkLocal(Router, ip[8..]);
        BinaryPrimitives.WriteUInt128BigEndian(ip[24..], NdpFrame.AllNodes);

        var icmp = frame[54..];
        icmp[0] = NdpFrame.RouterAdvertisementType;
        icmp[4] = 64;
        var options = icmp[16..];
        options[0] = 1;
        options[1] = 1;
        Router.Write(options[2..]);
        options = options[8..];
        if (Mtu is { } mtu)
        {
            options[0] = 5;
            options[1] = 1;
            BinaryPrimitives.WriteUInt32BigEndian(options[4..], mtu);
            options = options[8..];
        }
        if (Prefix is { } prefix) WritePrefix(prefix, options);
        BinaryPrimitives.WriteUInt16BigEndian(icmp[2..], NdpFrame.Checksum(ip, icmp));
        return length;
    }

    static void WritePrefix(in AdvertisedPrefix prefix, Span<byte> option)
    {
        option[0] = 3;
        option[1] = 4;
        option[2] = (byte)prefix.PrefixLength;
        option[3] = (byte)(0x80 | (prefix.Autonomous ? 0x40 : 0));
        BinaryPrimitives.WriteUInt32BigEndian(option[4..], prefix.ValidSeconds);
        BinaryPrimitives.WriteUInt32BigEndian(option[8..], prefix.PreferredSeconds);
        BinaryPrimitives.WriteUInt128BigEndian(option[16..], prefix.Prefix);
    }
}
