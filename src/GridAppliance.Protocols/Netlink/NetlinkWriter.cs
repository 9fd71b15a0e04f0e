using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace GridAppliance.Protocols.Netlink;

/// <summary>Writes messages of the kernel's netlink protocol (RFC 3549, section 2.3) into a buffer: headers in the machine's order, values as each family has them.</summary>
/// <remarks>
/// <code>
///  0               1               2               3
/// +---------------+---------------+---------------+---------------+
/// |                     length, with this header                  |
/// +-------------------------------+-------------------------------+
/// |             type              |             flags             |
/// +-------------------------------+-------------------------------+
/// |                            sequence                           |
/// +---------------------------------------------------------------+
/// |                         port (the kernel: 0)                  |
/// +---------------------------------------------------------------+
/// attribute: length 16 (with these four octets) | type 16 | value, padded to four octets
/// </code>
/// </remarks>
public ref struct NetlinkWriter(Span<byte> buffer)
{
    internal const int HeaderLength = 16, AttributeHeader = 4;
    const ushort Nested = 0x8000;

    readonly Span<byte> buffer = buffer;
    int messageStart = -1;

    /// <summary>Octets written so far.</summary>
    public int Length { get; private set; }

    /// <summary>Octets that are left.</summary>
    public readonly int Room => buffer.Length - Length;

    /// <summary>Ends the message before it, if there is one, and begins another.</summary>
    /// <param name="type">The family's own number.</param>
    /// <param name="flags">What is asked for.</param>
    /// <param name="sequence">Comes back with the answer.</param>
    /// <param name="familyHeader">What the family puts before its attributes.</param>
    public void Begin(ushort type, NetlinkFlags flags, uint sequence, scoped ReadOnlySpan<byte> familyHeader)
    {
        End();
        messageStart = Length;
        var header = Take(HeaderLength);
        MemoryMarshal.Write(header[4..], type);
        MemoryMarshal.Write(header[6..], (ushort)flags);
        MemoryMarshal.Write(header[8..], sequence);
        familyHeader.CopyTo(Take(Padded(familyHeader.Length)));
    }

    /// <summary>Ends the last message.</summary>
    public void End()
    {
        if (messageStart < 0) return;
        MemoryMarshal.Write(buffer[messageStart..], Length - messageStart);
        messageStart = -1;
    }

    /// <summary>Begins an attribute that holds others.</summary>
    /// <returns>To be given to <see cref="EndNest"/>.</returns>
    public int BeginNest(ushort type)
    {
        var start = Length;
        MemoryMarshal.Write(Take(AttributeHeader)[2..], (ushort)(type | Nested));
        return start;
    }

    /// <exception cref="OverflowException">An attribute holds at most 65,535 octets.</exception>
    public readonly void EndNest(int start) => MemoryMarshal.Write(buffer[start..], checked((ushort)(Length - start)));

    public void Octets(ushort type, scoped ReadOnlySpan<byte> value)
    {
        var attribute = Take(AttributeHeader + Padded(value.Length));
        MemoryMarshal.Write(attribute, checked((ushort)(AttributeHeader + value.Length)));
        MemoryMarshal.Write(attribute[2..], type);
        value.CopyTo(attribute[AttributeHeader..]);
    }

    /// <summary>A number in network order, as netfilter has them.</summary>
    public void Number(ushort type, uint value)
    {
        Span<byte> octets = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(octets, value);
        Octets(type, octets);
    }

    /// <inheritdoc cref="Number(ushort, uint)"/>
    public void Number(ushort type, ulong value)
    {
        Span<byte> octets = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(octets, value);
        Octets(type, octets);
    }

    /// <summary>A text with the zero that the kernel wants at its end.</summary>
    public void Text(ushort type, string value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        var attribute = Take(AttributeHeader + Padded(length + 1));
        MemoryMarshal.Write(attribute, checked((ushort)(AttributeHeader + length + 1)));
        MemoryMarshal.Write(attribute[2..], type);
        Encoding.UTF8.GetBytes(value, attribute[AttributeHeader..]);
    }

    Span<byte> Take(int length)
    {
        var taken = buffer.Slice(Length, length);
        taken.Clear();
        Length += length;
        return taken;
    }

    internal static int Padded(int length) => length + 3 & ~3;
}

[Flags]
public enum NetlinkFlags : ushort
{
    None = 0,
    Request = 1,
    /// <summary>More messages of the same answer follow.</summary>
    Multipart = 2,
    /// <summary>An answer is wanted although nothing went wrong.</summary>
    Acknowledge = 4,
    /// <summary>Everything of the kind, not one.</summary>
    Dump = 0x300,
    Create = 0x400,
    /// <summary>Behind the others.</summary>
    Append = 0x800,
}
