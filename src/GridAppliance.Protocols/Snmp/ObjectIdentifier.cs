using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace GridAppliance.Protocols.Snmp;

/// <summary>
/// An object identifier as SNMP has it: up to 128 sub-identifiers of 32 bits (RFC 2578, section 3.5). Ordered as a walk goes. The default value
/// is the empty identifier, which stands before all others.
/// </summary>
public readonly struct ObjectIdentifier
    : IEquatable<ObjectIdentifier>, IComparable<ObjectIdentifier>, ISpanParsable<ObjectIdentifier>, ISpanFormattable
{
    public const int MaximumLength = 128;

    readonly uint[]? parts;

    /// <exception cref="ArgumentException">More than 128 sub-identifiers.</exception>
    public ObjectIdentifier(params ReadOnlySpan<uint> parts) : this(parts.ToArray(), 0)
    {
        if (parts.Length > MaximumLength) throw new ArgumentException("more than 128 sub-identifiers", nameof(parts));
    }

    // Takes the array over: only for arrays that nobody else holds.
    ObjectIdentifier(uint[] owned, int _) => parts = owned;

    public ReadOnlySpan<uint> Parts => parts;

    public int Length => parts?.Length ?? 0;

    public uint this[int index] => parts![index];

    /// <summary>Whether it is <paramref name="prefix"/> or below it.</summary>
    public bool StartsWith(ObjectIdentifier prefix) => Parts.StartsWith(prefix.Parts);

    /// <summary>The sub-identifiers below <paramref name="prefix"/>: a table's index. Empty when it is not below.</summary>
    public ReadOnlySpan<uint> Below(ObjectIdentifier prefix) => StartsWith(prefix) ? Parts[prefix.Length..] : default;

    public ObjectIdentifier Append(params ReadOnlySpan<uint> suffix)
    {
        if (Length + suffix.Length > MaximumLength) throw new ArgumentException("more than 128 sub-identifiers", nameof(suffix));
        var joined = new uint[Length + suffix.Length];
        Parts.CopyTo(joined);
        suffix.CopyTo(joined.AsSpan(Length));
        return new(joined, 0);
    }

    public int CompareTo(ObjectIdentifier other) => Parts.SequenceCompareTo(other.Parts);

    public bool Equals(ObjectIdentifier other) => Parts.SequenceEqual(other.Parts);

    public override bool Equals([NotNullWhen(true)] object? obj) => obj is ObjectIdentifier other && Equals(other);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var part in Parts) hash.Add(part);
        return hash.ToHashCode();
    }

    public static bool operator ==(ObjectIdentifier left, ObjectIdentifier right) => left.Equals(right);
    public static bool operator !=(ObjectIdentifier left, ObjectIdentifier right) => !left.Equals(right);
    public static bool operator <(ObjectIdentifier left, ObjectIdentifier right) => left.CompareTo(right) < 0;
    public static bool operator >(ObjectIdentifier left, ObjectIdentifier right) => left.CompareTo(right) > 0;
    public static bool operator <=(ObjectIdentifier left, ObjectIdentifier right) => left.CompareTo(right) <= 0;
    public static bool operator >=(ObjectIdentifier left, ObjectIdentifier right) => left.CompareTo(right) >= 0;

    /// <summary>Reads the contents octets (X.690, section 8.19): base 128, and the first two sub-identifiers in one as 40·a + b.</summary>
    public static bool TryReadContents(ReadOnlySpan<byte> contents, out ObjectIdentifier result)
    {
        result = default;
        if (contents.IsEmpty) return true; // Net-SNMP and others send the null identifier so.
        // One octet ends each sub-identifier, and the first stands for two.
        var count = 1;
        foreach (var octet in contents)
        {
            if (octet < 0x80) count++;
        }
        if (count is 1 or > MaximumLength || contents[^1] >= 0x80) return false;
        var parts = new uint[count];
        var at = 1;
        ulong value = 0;
        var length = 0;
        foreach (var octet in contents)
        {
            value = value << 7 | (uint)(octet & 0x7F);
            // Five octets hold 32 bits; zeros in front of them are only there to confuse.
            if (value > uint.MaxValue || ++length > 5) return false;
            if (octet >= 0x80) continue;
            parts[at++] = (uint)value;
            value = 0;
            length = 0;
        }
        parts[0] = Math.Min(parts[1] / 40, 2);
        parts[1] -= parts[0] * 40;
        result = new(parts, 0);
        return true;
    }

    /// <summary>Octets that <see cref="WriteContents"/> needs.</summary>
    public int ContentsLength
    {
        get
        {
            if (Length == 0) return 0;
            var length = SubidentifierLength(First);
            for (var i = 2; i < Length; i++) length += SubidentifierLength(parts![i]);
            return length;
        }
    }

    // A lone first sub-identifier is written as if a zero followed; only 0, 1 and 2 exist at the top.
    ulong First => parts![0] * 40UL + (Length > 1 ? parts[1] : 0);

    /// <summary>Writes the contents octets; returns their number.</summary>
    /// <exception cref="InvalidOperationException">The identifier has no BER form: its top is not 0.0–0.39, 1.0–1.39 or 2.</exception>
    public int WriteContents(Span<byte> destination)
    {
        if (Length == 0) return 0;
        if (parts![0] > 2 || (parts[0] < 2 && Length > 1 && parts[1] > 39) || First > uint.MaxValue) throw new InvalidOperationException($"{this} has no BER form");
        var written = WriteSubidentifier(destination, First);
        for (var i = 2; i < Length; i++) written += WriteSubidentifier(destination[written..], parts[i]);
        return written;
    }

    static int SubidentifierLength(ulong value) => value switch { < 1 << 7 => 1, < 1 << 14 => 2, < 1 << 21 => 3, < 1 << 28 => 4, _ => 5 };

    static int WriteSubidentifier(Span<byte> destination, ulong value)
    {
        var length = SubidentifierLength(value);
        for (var i = length - 1; i >= 0; i--, value >>= 7) destination[i] = (byte)((value & 0x7F) | (i == length - 1 ? 0u : 0x80u));
        return length;
    }

    /// <summary>Parses <c>1.3.6.1</c>, with or without a dot in front.</summary>
    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out ObjectIdentifier result)
    {
        result = default;
        if (s.StartsWith(".")) s = s[1..];
        if (s.IsEmpty) return false;
        Span<uint> found = stackalloc uint[MaximumLength];
        var count = 0;
        foreach (var range in s.Split('.'))
        {
            if (count == MaximumLength || !uint.TryParse(s[range], NumberStyles.None, CultureInfo.InvariantCulture, out found[count++])) return false;
        }
        result = new(found[..count]);
        return true;
    }

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out ObjectIdentifier result) => TryParse(s.AsSpan(), provider, out result);

    /// <exception cref="FormatException">The text is not an object identifier.</exception>
    public static ObjectIdentifier Parse(ReadOnlySpan<char> s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var result) ? result : throw new FormatException($"'{s}' is not an object identifier");

    /// <exception cref="FormatException">The text is not an object identifier.</exception>
    public static ObjectIdentifier Parse(string s, IFormatProvider? provider = null) => Parse(s.AsSpan(), provider);

    public bool TryFormat(Span<char> destination, out int charsWritten, ReadOnlySpan<char> format, IFormatProvider? provider)
    {
        charsWritten = 0;
        for (var i = 0; i < Length; i++)
        {
            if (i > 0)
            {
                if (charsWritten == destination.Length) return false;
                destination[charsWritten++] = '.';
            }
            if (!parts![i].TryFormat(destination[charsWritten..], out var digits, default, CultureInfo.InvariantCulture)) return false;
            charsWritten += digits;
        }
        return true;
    }

    public string ToString(string? format, IFormatProvider? formatProvider) => ToString();

    public override string ToString()
    {
        Span<char> text = stackalloc char[MaximumLength * 11];
        return TryFormat(text, out var length, default, null) ? text[..length].ToString() : "";
    }
}
