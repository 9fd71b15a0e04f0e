using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace GridAppliance.Protocols.Addresses;

/// <summary>A 48-bit IEEE 802 MAC address, kept in the low 48 bits of one integer. Text form is lower-case and colon-separated.</summary>
public readonly record struct MacAddress : ISpanParsable<MacAddress>, ISpanFormattable, IUtf8SpanFormattable, IComparable<MacAddress>
{
    /// <summary>Octets on the wire.</summary>
    public const int Length = 6;

    const int TextLength = 17;

    readonly ulong bits;

    MacAddress(ulong bits) => this.bits = bits;

    /// <summary>The all-ones broadcast address.</summary>
    public static MacAddress Broadcast { get; } = new(0xFFFF_FFFF_FFFF);

    /// <summary>The address as an integer, first octet most significant; only the low 48 bits are used.</summary>
    public ulong ToUInt64() => bits;

    /// <summary>True for group addresses (the I/G bit of the first octet); such an address is never a NIC's own.</summary>
    public bool IsMulticast => (bits & 0x0100_0000_0000) != 0;

    /// <summary>True when all octets are zero.</summary>
    public bool IsZero => bits == 0;

    /// <summary>Reads six octets in transmission order.</summary>
    public static MacAddress Read(ReadOnlySpan<byte> source) =>
        new(((ulong)BinaryPrimitives.ReadUInt16BigEndian(source) << 32) | BinaryPrimitives.ReadUInt32BigEndian(source[2..]));

    /// <summary>Makes an address from the low 48 bits of <paramref name="value"/>.</summary>
    public static MacAddress FromUInt64(ulong value) => new(value & 0xFFFF_FFFF_FFFF);

    /// <summary>Writes six octets in transmission order.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)(bits >> 32));
        BinaryPrimitives.WriteUInt32BigEndian(destination[2..], (uint)bits);
    }

    /// <summary>Parses <c>52:54:00:aa:bb:cc</c>, <c>52-54-00-aa-bb-cc</c>, <c>5254.00aa.bbcc</c> or <c>525400aabbcc</c>.</summary>
    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out MacAddress result)
    {
        result = default;
        ulong value = 0;
        var digits = 0;
        foreach (var c in s)
        {
            if (c is ':' or '-' or '.')
            {
                if (digits is 0 or 12 || digits % 2 != 0) return false;
                continue;
            }
            if (!char.IsAsciiHexDigit(c) || digits == 12) return false;
            value = (value << 4) | (uint)(char.IsAsciiDigit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
            digits++;
        }
        if (digits != 12) return false;
        result = new(value);
        return true;
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, IFormatProvider?, out MacAddress)"/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out MacAddress result) => TryParse(s.AsSpan(), provider, out result);

    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, IFormatProvider?, out MacAddress)"/>
    public static bool TryParse([NotNullWhen(true)] string? s, out MacAddress result) => TryParse(s.AsSpan(), null, out result);

    /// <exception cref="FormatException">The text is not a MAC address.</exception>
    public static MacAddress Parse(ReadOnlySpan<char> s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var result) ? result : throw new FormatException($"'{s}' is not a MAC address");

    /// <exception cref="FormatException">The text is not a MAC address.</exception>
    public static MacAddress Parse(string s, IFormatProvider? provider = null) => Parse(s.AsSpan(), provider);

    public bool TryFormat(Span<char> destination, out int charsWritten, ReadOnlySpan<char> format, IFormatProvider? provider)
    {
        charsWritten = 0;
        if (destination.Length < TextLength) return false;
        for (var i = 0; i < Length; i++)
        {
            var octet = (byte)(bits >> (40 - 8 * i));
            destination[3 * i] = HexDigit(octet >> 4);
            destination[3 * i + 1] = HexDigit(octet & 0xF);
            if (i < Length - 1) destination[3 * i + 2] = ':';
        }
        charsWritten = TextLength;
        return true;
    }

    public bool TryFormat(Span<byte> utf8Destination, out int bytesWritten, ReadOnlySpan<char> format, IFormatProvider? provider)
    {
        Span<char> text = stackalloc char[TextLength];
        bytesWritten = 0;
        if (utf8Destination.Length < TextLength || !TryFormat(text, out _, format, provider)) return false;
        for (var i = 0; i < TextLength; i++) utf8Destination[i] = (byte)text[i];
        bytesWritten = TextLength;
        return true;
    }

    public string ToString(string? format, IFormatProvider? formatProvider) => ToString();

    public override string ToString() => string.Create(TextLength, this, static (span, mac) => mac.TryFormat(span, out _, default, null));

    public int CompareTo(MacAddress other) => bits.CompareTo(other.bits);

    static char HexDigit(int nibble) => (char)(nibble < 10 ? '0' + nibble : 'a' + nibble - 10);
}
