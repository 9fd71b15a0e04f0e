using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace GridAppliance.San;

/// <summary>A world-wide name of a Fibre Channel port: eight octets, written with colons (FC-FS-3, section 15).</summary>
readonly record struct Wwn : IComparable<Wwn>, ISpanParsable<Wwn>
{
    public const int Length = 8;
    const int TextLength = 23;

    readonly ulong bits;

    Wwn(ulong bits) => this.bits = bits;

    public static Wwn Read(ReadOnlySpan<byte> octets) => new(BinaryPrimitives.ReadUInt64BigEndian(octets));

    public byte[] ToOctets()
    {
        var octets = new byte[Length];
        BinaryPrimitives.WriteUInt64BigEndian(octets, bits);
        return octets;
    }

    public int CompareTo(Wwn other) => bits.CompareTo(other.bits);

    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out Wwn result)
    {
        result = default;
        if (s.Length != TextLength) return false;
        ulong bits = 0;
        for (var i = 0; i < Length; i++)
        {
            if (i > 0 && s[3 * i - 1] != ':') return false;
            if (!byte.TryParse(s.Slice(3 * i, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var octet)) return false;
            bits = bits << 8 | octet;
        }
        result = new(bits);
        return true;
    }

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out Wwn result) => TryParse(s.AsSpan(), provider, out result);

    /// <exception cref="FormatException">The text is no world-wide name.</exception>
    public static Wwn Parse(ReadOnlySpan<char> s, IFormatProvider? provider = null) => TryParse(s, provider, out var result) ? result : throw new FormatException($"'{s}' is no world-wide name (50:00:00:00:00:00:00:01)");

    /// <exception cref="FormatException">The text is no world-wide name.</exception>
    public static Wwn Parse(string s, IFormatProvider? provider = null) => Parse(s.AsSpan(), provider);

    public override string ToString() => string.Join(':', ToOctets().Select(o => o.ToString("x2", CultureInfo.InvariantCulture)));
}
