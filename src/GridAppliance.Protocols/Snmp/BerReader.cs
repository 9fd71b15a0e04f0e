namespace GridAppliance.Protocols.Snmp;

/// <summary>
/// Reads the part of the Basic Encoding Rules that SNMP uses (RFC 3417, section 8): one-octet tags and definite lengths. Never throws and never
/// recurses: depth is that of the caller's layout.
/// </summary>
static class BerReader
{
    /// <summary>Reads one field: tag, length and contents; <paramref name="rest"/> is what follows.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out byte tag, out ReadOnlySpan<byte> contents, out ReadOnlySpan<byte> rest, out SnmpDefect defect)
    {
        tag = 0;
        contents = rest = default;
        defect = SnmpDefect.Truncated;
        if (source.Length < 2) return false;
        tag = source[0];
        int length = source[1];
        var at = 2;
        if (length >= 0x80)
        {
            var octets = length & 0x7F;
            // 0x80 alone opens the indefinite form, which RFC 3417 forbids; five octets and more are beyond any datagram.
            if (octets is 0 or > 4) { defect = SnmpDefect.BadLength; return false; }
            if (source.Length < 2 + octets) return false;
            uint value = 0;
            for (; at < 2 + octets; at++) value = value << 8 | source[at];
            if (value > int.MaxValue) { defect = SnmpDefect.BadLength; return false; }
            length = (int)value;
        }
        if (length > source.Length - at) return false;
        contents = source.Slice(at, length);
        rest = source[(at + length)..];
        defect = SnmpDefect.None;
        return true;
    }

    /// <summary>Reads one field that must have the tag <paramref name="expected"/>.</summary>
    public static bool TryTake(scoped ref ReadOnlySpan<byte> source, byte expected, out ReadOnlySpan<byte> contents, out SnmpDefect defect)
    {
        if (!TryRead(source, out var tag, out contents, out var rest, out defect)) return false;
        if (tag != expected) { defect = SnmpDefect.UnexpectedTag; return false; }
        source = rest;
        return true;
    }

    public static bool TryTakeInt32(scoped ref ReadOnlySpan<byte> source, out int value, out SnmpDefect defect)
    {
        value = 0;
        if (!TryTake(ref source, (byte)SnmpSyntax.Integer32, out var contents, out defect)) return false;
        if (TryDecodeInt32(contents, out value)) return true;
        defect = SnmpDefect.BadInteger;
        return false;
    }

    /// <summary>Two's complement; leading octets that say nothing are let pass, as every agent does.</summary>
    public static bool TryDecodeInt32(ReadOnlySpan<byte> contents, out int value)
    {
        value = 0;
        if (contents.Length is 0 or > 8) return false;
        long wide = (sbyte)contents[0];
        foreach (var octet in contents[1..]) wide = wide << 8 | octet;
        value = (int)wide;
        return value == wide;
    }

    /// <summary>
    /// A number without sign of at most <paramref name="width"/> octets and one zero in front. Exactly <paramref name="width"/> octets with the
    /// top bit set would be negative by the rules; agents that forget the zero mean the positive number.
    /// </summary>
    public static bool TryDecodeUnsigned(ReadOnlySpan<byte> contents, int width, out ulong value)
    {
        value = 0;
        if (contents.IsEmpty || contents.Length > width + 1) return false;
        if (contents.Length == width + 1 && contents[0] != 0) return false;
        if (contents.Length < width && contents[0] >= 0x80) return false;
        foreach (var octet in contents) value = value << 8 | octet;
        return true;
    }
}
