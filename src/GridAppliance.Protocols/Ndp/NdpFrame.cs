using System.Buffers.Binary;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Ethernet;

namespace GridAppliance.Protocols.Ndp;

/// <summary>Why a frame is no router solicitation that a router may act on (RFC 4861 section 6.1.1).</summary>
public enum NdpDefect
{
    None,
    TooShort,
    NotIcmpv6,
    BadLength,
    /// <summary>The hop limit is not 255: it came through a router.</summary>
    NotFromThisLink,
    /// <summary>Another ICMPv6 type, or a code other than 0.</summary>
    NotRouterSolicitation,
    BadChecksum,
    /// <summary>An option of length 0 or one that runs past the end.</summary>
    BadOption,
}

/// <summary>What the frames of neighbour discovery have in common (RFC 4861), and the reader for solicitations.</summary>
public static class NdpFrame
{
    public const ushort EtherType = 0x86DD;
    public const byte RouterSolicitationType = 133;
    public const byte RouterAdvertisementType = 134;
    internal const byte IcmpProtocol = 58;

    /// <summary>ff02::1</summary>
    internal static UInt128 AllNodes => new(0xFF02_0000_0000_0000, 1);

    /// <summary>33:33:00:00:00:01 (RFC 2464 section 7).</summary>
    internal static MacAddress AllNodesMac => MacAddress.FromUInt64(0x3333_0000_0001);

    /// <summary>33:33:00:00:00:02, where solicitations go.</summary>
    public static MacAddress AllRoutersMac => MacAddress.FromUInt64(0x3333_0000_0002);

    /// <summary>Checks a frame as a router solicitation; <paramref name="sender"/> is the frame's source MAC.</summary>
    public static bool TryReadSolicitation(ReadOnlySpan<byte> frame, out MacAddress sender, out NdpDefect defect)
    {
        sender = default;
        defect = Check(frame);
        if (defect != NdpDefect.None) return false;
        sender = MacAddress.Read(frame[6..]);
        return true;
    }

    static NdpDefect Check(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < 54 + 8) return NdpDefect.TooShort;
        var ip = frame.Slice(14, 40);
        if (BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) != EtherType || ip[0] >> 4 != 6 || ip[6] != IcmpProtocol) return NdpDefect.NotIcmpv6;
        var length = BinaryPrimitives.ReadUInt16BigEndian(ip[4..]);
        if (length < 8 || length > frame.Length - 54) return NdpDefect.BadLength;
        if (ip[7] != 255) return NdpDefect.NotFromThisLink;
        var icmp = frame.Slice(54, length);
        if (icmp[0] != RouterSolicitationType || icmp[1] != 0) return NdpDefect.NotRouterSolicitation;
        if (Checksum(ip, icmp) != 0) return NdpDefect.BadChecksum;
        for (var options = icmp[8..]; !options.IsEmpty;)
        {
            if (options.Length < 2 || options[1] == 0 || options[1] * 8 > options.Length) return NdpDefect.BadOption;
            options = options[(options[1] * 8)..];
        }
        return NdpDefect.None;
    }

    /// <summary>fe80:: and the EUI-64 of a MAC.</summary>
    internal static void WriteLinkLocal(MacAddress mac, Span<byte> address)
    {
        Span<byte> octets = stackalloc byte[MacAddress.Length];
        mac.Write(octets);
        address[..16].Clear();
        address[0] = 0xFE;
        address[1] = 0x80;
        octets[..3].CopyTo(address[8..]);
        address[8] ^= 0x02;
        address[11] = 0xFF;
        address[12] = 0xFE;
        octets[3..].CopyTo(address[13..]);
    }

    /// <summary>Over the pseudo-header of RFC 8200 section 8.1 and the message with its checksum field as it stands; 0 when that was right.</summary>
    internal static ushort Checksum(ReadOnlySpan<byte> ip, ReadOnlySpan<byte> icmp)
    {
        var sum = InternetChecksum.Add(IcmpProtocol + (uint)icmp.Length, ip.Slice(8, 32));
        return InternetChecksum.Finish(InternetChecksum.Add(sum, icmp));
    }
}
