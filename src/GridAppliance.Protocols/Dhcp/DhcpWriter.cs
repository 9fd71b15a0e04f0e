using System.Buffers.Binary;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Protocols.Dhcp;

/// <summary>
/// Writes one DHCPv4 message into a caller's buffer; the layout stands on <see cref="DhcpMessage"/>. Fields may be set in any order, options go out in the
/// order of the calls, and a value of more than 255 octets is split (RFC 3396 section 6). Running out of room is the caller's bug and throws.
/// </summary>
public ref struct DhcpWriter
{
    /// <summary>BOOTP clients and relays drop anything shorter (RFC 1542 section 2.1).</summary>
    public const int MinimumLength = 300;

    readonly Span<byte> buffer;
    int at;

    /// <param name="buffer">Where the message goes; its length is the largest message that the receiver takes.</param>
    public DhcpWriter(Span<byte> buffer, DhcpOperation operation)
    {
        this.buffer = buffer;
        buffer[..DhcpMessage.HeaderLength].Clear();
        buffer[0] = (byte)operation;
        BinaryPrimitives.WriteUInt32BigEndian(buffer[236..], DhcpMessage.Cookie);
        at = DhcpMessage.HeaderLength;
    }

    public readonly byte Hops { set => buffer[3] = value; }
    public readonly uint TransactionId { set => BinaryPrimitives.WriteUInt32BigEndian(buffer[4..], value); }
    public readonly ushort Seconds { set => BinaryPrimitives.WriteUInt16BigEndian(buffer[8..], value); }
    public readonly ushort Flags { set => BinaryPrimitives.WriteUInt16BigEndian(buffer[10..], value); }
    public readonly Ipv4Address ClientAddress { set => value.Write(buffer[12..]); }
    public readonly Ipv4Address YourAddress { set => value.Write(buffer[16..]); }
    public readonly Ipv4Address NextServer { set => value.Write(buffer[20..]); }
    public readonly Ipv4Address RelayAddress { set => value.Write(buffer[24..]); }

    /// <summary><c>chaddr</c> of an Ethernet client, with <c>htype</c> and <c>hlen</c>.</summary>
    public readonly MacAddress Mac
    {
        set
        {
            buffer[1] = 1;
            buffer[2] = MacAddress.Length;
            value.Write(buffer[28..]);
        }
    }

    /// <summary><c>file</c>: at most 127 octets, so that old firmware finds its terminating zero.</summary>
    public readonly ReadOnlySpan<byte> BootFile
    {
        set
        {
            if (value.Length > 127) throw new ArgumentException("the BOOTP file field holds 127 octets of text", nameof(value));
            value.CopyTo(buffer[108..]);
        }
    }

    /// <summary>Octets that options can still take, with the end marker accounted for.</summary>
    public readonly int Room => buffer.Length - at - 1;

    /// <summary>How much room an option of that value length takes.</summary>
    public static int SizeOf(int valueLength) => valueLength + 2 * Math.Max(1, (valueLength + 254) / 255);

    public void Option(DhcpOption option, scoped ReadOnlySpan<byte> value)
    {
        do
        {
            var piece = value[..Math.Min(value.Length, 255)];
            buffer[at] = (byte)option;
            buffer[at + 1] = (byte)piece.Length;
            piece.CopyTo(buffer[(at + 2)..^1]);
            at += 2 + piece.Length;
            value = value[piece.Length..];
        }
        while (!value.IsEmpty);
    }

    public void Option(DhcpOption option, byte value) => Option(option, [value]);

    public void Option(DhcpOption option, uint value)
    {
        Span<byte> octets = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(octets, value);
        Option(option, octets);
    }

    public void Option(DhcpOption option, ushort value)
    {
        Span<byte> octets = stackalloc byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16BigEndian(octets, value);
        Option(option, octets);
    }

    public void Option(DhcpOption option, Ipv4Address value) => Option(option, value.Value);

    /// <summary>Appends options that were encoded beforehand.</summary>
    public void Encoded(scoped ReadOnlySpan<byte> options)
    {
        options.CopyTo(buffer[at..^1]);
        at += options.Length;
    }

    /// <summary>Ends and pads the message; its length.</summary>
    public int Finish()
    {
        buffer[at++] = (byte)DhcpOption.End;
        if (at < MinimumLength)
        {
            buffer[at..MinimumLength].Clear();
            at = MinimumLength;
        }
        return at;
    }
}
