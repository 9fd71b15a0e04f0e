using System.Runtime.InteropServices;

namespace GridAppliance.Protocols.Netlink;

/// <summary>The messages of a datagram from the kernel (RFC 3549, section 2.3); ends at the first that does not fit.</summary>
public ref struct NetlinkReader(ReadOnlySpan<byte> datagram)
{
    ReadOnlySpan<byte> rest = datagram;

    public bool TryRead(out NetlinkMessage message)
    {
        message = default;
        if (rest.Length < NetlinkWriter.HeaderLength) return false;
        var length = MemoryMarshal.Read<uint>(rest);
        if (length < NetlinkWriter.HeaderLength || length > rest.Length) return false;
        message = new()
        {
            Type = MemoryMarshal.Read<ushort>(rest[4..]),
            Flags = (NetlinkFlags)MemoryMarshal.Read<ushort>(rest[6..]),
            Sequence = MemoryMarshal.Read<uint>(rest[8..]),
            Body = rest[NetlinkWriter.HeaderLength..(int)length],
        };
        rest = rest[Math.Min(rest.Length, NetlinkWriter.Padded((int)length))..];
        return true;
    }
}

/// <summary>One message, still in its datagram.</summary>
public readonly ref struct NetlinkMessage
{
    /// <summary>Types that every family has.</summary>
    public const ushort Error = 2, Done = 3;

    public ushort Type { get; init; }
    public NetlinkFlags Flags { get; init; }
    public uint Sequence { get; init; }
    /// <summary>What stands behind the header.</summary>
    public ReadOnlySpan<byte> Body { get; init; }

    /// <summary>The error number of an <see cref="Error"/> or <see cref="Done"/> message: 0 when it went well, else as in errno(3).</summary>
    public int ErrorNumber => Body.Length < sizeof(int) ? 0 : -MemoryMarshal.Read<int>(Body);
}

/// <summary>The attributes of a message or of an attribute that holds others; ends at the first that does not fit.</summary>
public ref struct NetlinkAttributes(ReadOnlySpan<byte> octets)
{
    const ushort TypeBits = 0x3FFF;

    ReadOnlySpan<byte> rest = octets;

    public bool TryRead(out ushort type, out ReadOnlySpan<byte> value)
    {
        type = 0;
        value = default;
        if (rest.Length < NetlinkWriter.AttributeHeader) return false;
        var length = MemoryMarshal.Read<ushort>(rest);
        if (length < NetlinkWriter.AttributeHeader || length > rest.Length) return false;
        type = (ushort)(MemoryMarshal.Read<ushort>(rest[2..]) & TypeBits);
        value = rest[NetlinkWriter.AttributeHeader..length];
        rest = rest[Math.Min(rest.Length, NetlinkWriter.Padded(length))..];
        return true;
    }

    /// <summary>The first attribute of a type; empty when there is none.</summary>
    public static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> octets, ushort wanted)
    {
        var attributes = new NetlinkAttributes(octets);
        while (attributes.TryRead(out var type, out var value))
        {
            if (type == wanted) return value;
        }
        return default;
    }
}
