using System.Buffers.Binary;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Protocols.Ethernet;

/// <summary>The header of an Ethernet II frame (IEEE 802.3 clause 3), with at most two VLAN tags (IEEE 802.1Q clause 9) read over.</summary>
/// <remarks>
/// <code>
///  0                   6              12            12 or 16 or 20
///  +-------------------+---------------+- - - - - - -+------+-------
///  | destination       | source        | 8100/88a8 TCI | type | payload
///  +-------------------+---------------+- - - - - - -+------+-------
/// </code>
/// </remarks>
public readonly record struct EthernetHeader(MacAddress Destination, MacAddress Source, ushort EtherType, ushort? VlanId, int Length)
{
    const int UntaggedLength = 14;
    const int TagLength = 4;
    const int MaximumTags = 2;
    const ushort CustomerTag = 0x8100, ServiceTag = 0x88A8;

    public static bool TryRead(ReadOnlySpan<byte> frame, out EthernetHeader header, out EthernetDefect defect)
    {
        header = default;
        defect = EthernetDefect.TooShort;
        if (frame.Length < UntaggedLength) return false;
        var at = UntaggedLength - 2;
        ushort? vlan = null;
        var type = BinaryPrimitives.ReadUInt16BigEndian(frame[at..]);
        for (var tags = 0; type is CustomerTag or ServiceTag; tags++)
        {
            if (tags == MaximumTags) { defect = EthernetDefect.TooManyTags; return false; }
            if (frame.Length < at + TagLength + 2) return false;
            vlan = (ushort)(BinaryPrimitives.ReadUInt16BigEndian(frame[(at + 2)..]) & 0xFFF);
            at += TagLength;
            type = BinaryPrimitives.ReadUInt16BigEndian(frame[at..]);
        }
        header = new EthernetHeader(MacAddress.Read(frame), MacAddress.Read(frame[MacAddress.Length..]), type, vlan, at + 2);
        defect = EthernetDefect.None;
        return true;
    }

    /// <summary>Writes an untagged header and returns its length.</summary>
    public static int Write(Span<byte> frame, MacAddress destination, MacAddress source, ushort etherType)
    {
        destination.Write(frame);
        source.Write(frame[MacAddress.Length..]);
        BinaryPrimitives.WriteUInt16BigEndian(frame[(2 * MacAddress.Length)..], etherType);
        return UntaggedLength;
    }
}

public enum EthernetDefect { None, TooShort, TooManyTags }
