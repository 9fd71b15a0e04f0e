using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace GridAppliance.Protocols.Addresses;

/// <summary>An IPv4 address as one integer in host order, so that it costs nothing to keep, compare and count on.</summary>
public readonly record struct Ipv4Address(uint Value) : ISpanParsable<Ipv4Address>, ISpanFormattable, IComparable<Ipv4Address>
{
    /// <summary>Octets on the wire.</summary>
    public const int Length = 4;

    /// <summary>0.0.0.0, "this host".</summary>
    public static Ipv4Address Any => default;

    /// <summary>255.255.255.255, limited broadcast.</summary>
    public static Ipv4Address Broadcast => new(uint.MaxValue);

    public bool IsAny => Value == 0;

    public bool IsLoopback => Value >> 24 == 127;

    /// <summary>224.0.0.0/4 (RFC 5771).</summary>
    public bool IsMulticast => Value >> 28 == 0xE;

    /// <summary>Reads four octets in network order.</summary>
    public static Ipv4Address Read(ReadOnlySpan<byte> source) => new(BinaryPrimitives.ReadUInt32BigEndian(source));

    /// <summary>Writes four octets in network order.</summary>
    public void Write(Span<byte> destination) => BinaryPrimitives.WriteUInt32BigEndian(destination, Value);

    public IPAddress ToIPAddress()
    {
        Span<byte> octets = stackalloc byte[Length];
        Write(octets);
        return new IPAddress(octets);
    }

    /// <summary>Takes an IPv4 or IPv4-mapped IPv6 address; null for any other.</summary>
    public static Ipv4Address? From(IPAddress? address)
    {
        if (address is null) return null;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        Span<byte> octets = stackalloc byte[16];
        return address.TryWriteBytes(octets, out var written) && written == Length ? Read(octets) : null;
    }

    /// <summary>Parses the four-part decimal form only: no octal, no short forms.</summary>
    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out Ipv4Address result)
    {
        result = default;
        uint value = 0;
        var parts = 0;
        foreach (var range in s.Split('.'))
        {
            var part = s[range];
            if (parts == 4 || part.Length is 0 or > 3 || (part.Length > 1 && part[0] == '0')) return false;
            uint octet = 0;
            foreach (var c in part)
            {
                if (!char.IsAsciiDigit(c)) return false;
                octet = octet * 10 + (uint)(c - '0');
            }
            if (octet > 255) return false;
            value = (value << 8) | octet;
            parts++;
        }
        if (parts != 4) return false;
        result = new(value);
        return true;
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, IFormatProvider?, out Ipv4Address)"/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out Ipv4Address result) => TryParse(s.AsSpan(), provider, out result);

    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, IFormatProvider?, out Ipv4Address)"/>
    public static bool TryParse([NotNullWhen(true)] string? s, out Ipv4Address result) => TryParse(s.AsSpan(), null, out result);

    /// <exception cref="FormatException">The text is not a dotted IPv4 address.</exception>
    public static Ipv4Address Parse(ReadOnlySpan<char> s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var result) ? result : throw new FormatException($"'{s}' is not an IPv4 address");

    /// <exception cref="FormatException">The text is not a dotted IPv4 address.</exception>
    public static Ipv4Address Parse(string s, IFormatProvider? provider = null) => Parse(s.AsSpan(), provider);

    public bool TryFormat(Span<char> destination, out int charsWritten, ReadOnlySpan<char> format, IFormatProvider? provider) =>
        destination.TryWrite($"{Value >> 24}.{(Value >> 16) & 255}.{(Value >> 8) & 255}.{Value & 255}", out charsWritten);

    public string ToString(string? format, IFormatProvider? formatProvider) => ToString();

    public override string ToString() => $"{Value >> 24}.{(Value >> 16) & 255}.{(Value >> 8) & 255}.{Value & 255}";

    public int CompareTo(Ipv4Address other) => Value.CompareTo(other.Value);

    public static bool operator <(Ipv4Address left, Ipv4Address right) => left.Value < right.Value;
    public static bool operator >(Ipv4Address left, Ipv4Address right) => left.Value > right.Value;
    public static bool operator <=(Ipv4Address left, Ipv4Address right) => left.Value <= right.Value;
    public static bool operator >=(Ipv4Address left, Ipv4Address right) => left.Value >= right.Value;
}
