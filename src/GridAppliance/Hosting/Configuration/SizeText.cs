using System.Globalization;

namespace GridAppliance.Hosting.Configuration;

/// <summary>Sizes as people write them: <c>512KiB</c>, <c>64MiB</c>, <c>2GiB</c>. A bare number is not one: the unit is never guessed.</summary>
static class SizeText
{
    static readonly (string Unit, long Size)[] Units = [("TiB", 1L << 40), ("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10)];

    public static bool TryParse(ReadOnlySpan<char> text, out long value)
    {
        value = 0;
        foreach (var (unit, size) in Units)
        {
            if (!text.EndsWith(unit, StringComparison.Ordinal)) continue;
            if (!int.TryParse(text[..^unit.Length].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count > long.MaxValue / size) return false;
            value = count * size;
            return true;
        }
        return false;
    }

    public static string Format(long value)
    {
        foreach (var (unit, size) in Units)
            if (value >= size && value % size == 0) return $"{value / size}{unit}";
        return $"{value} octets";
    }
}
