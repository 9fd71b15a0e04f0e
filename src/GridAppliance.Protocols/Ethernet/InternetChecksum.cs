using System.Buffers.Binary;

namespace GridAppliance.Protocols.Ethernet;

/// <summary>The ones' complement sum of IPv4, UDP and ICMPv6 (RFC 1071).</summary>
public static class InternetChecksum
{
    /// <summary>Adds octets as big-endian words; an odd last octet is the high half of a word.</summary>
    public static uint Add(uint sum, ReadOnlySpan<byte> octets)
    {
        ulong wide = sum;
        while (octets.Length >= sizeof(uint))
        {
            wide += BinaryPrimitives.ReadUInt32BigEndian(octets);
            octets = octets[sizeof(uint)..];
        }
        if (octets.Length >= sizeof(ushort))
        {
            wide += (uint)BinaryPrimitives.ReadUInt16BigEndian(octets) << 16;
            octets = octets[sizeof(ushort)..];
            if (octets.Length == 1) wide += (uint)octets[0] << 8;
        }
        else if (octets.Length == 1)
        {
            wide += (uint)octets[0] << 24;
        }
        wide = (wide & 0xFFFF_FFFF) + (wide >> 32);
        wide = (wide & 0xFFFF_FFFF) + (wide >> 32);
        // A 32-bit ones' complement sum folds to the 16-bit one.
        var folded = (uint)(wide >> 16) + (uint)(wide & 0xFFFF);
        return (folded & 0xFFFF) + (folded >> 16);
    }

    /// <summary>The checksum field for a sum.</summary>
    public static ushort Finish(uint sum)
    {
        sum = (sum & 0xFFFF) + (sum >> 16);
        sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~sum;
    }
}
