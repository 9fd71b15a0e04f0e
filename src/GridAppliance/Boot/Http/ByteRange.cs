using System.Globalization;

namespace GridAppliance.Boot.Http;

/// <summary>What part of a file a Range header asks for (RFC 9110 section 14): one range of octets, or all of it.</summary>
readonly record struct ByteRange(RangeKind Kind, long Offset, long Length)
{
    /// <param name="header">The header's value; null where there is none.</param>
    /// <param name="size">Of the file.</param>
    public static ByteRange Parse(string? header, long size)
    {
        const string unit = "bytes=";
        // What cannot be understood, and several ranges at once, is answered with the whole file, as the RFC allows.
        var whole = new ByteRange(RangeKind.Whole, 0, size);
        if (header is null || !header.StartsWith(unit, StringComparison.OrdinalIgnoreCase) || header.Contains(',')) return whole;
        var spec = header.AsSpan(unit.Length).Trim();
        var dash = spec.IndexOf('-');
        if (dash < 0 || !Number(spec[..dash], out var first) || !Number(spec[(dash + 1)..], out var last)) return whole;

        if (first is null)
        {
            if (last is null) return whole;
            var suffix = Math.Min(last.Value, size);
            return suffix == 0 ? new(RangeKind.Unsatisfiable, 0, 0) : new(RangeKind.Part, size - suffix, suffix);
        }
        if (last < first) return whole;
        return first >= size ? new(RangeKind.Unsatisfiable, 0, 0) : new(RangeKind.Part, first.Value, Math.Min(last ?? long.MaxValue, size - 1) - first.Value + 1);
    }

    static bool Number(ReadOnlySpan<char> text, out long? number)
    {
        number = null;
        if (text.IsEmpty) return true;
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed)) return false;
        number = parsed;
        return true;
    }
}

enum RangeKind { Whole, Part, Unsatisfiable }
