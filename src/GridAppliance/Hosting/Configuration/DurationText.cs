using System.Globalization;
using System.Text;

namespace GridAppliance.Hosting.Configuration;

/// <summary>Durations as people write them: <c>90s</c>, <c>10m</c>, <c>1h30m</c>, <c>7d</c>. A bare number is not one: the unit is never guessed.</summary>
static class DurationText
{
    static readonly (char Unit, TimeSpan Span)[] Units = [('d', TimeSpan.FromDays(1)), ('h', TimeSpan.FromHours(1)), ('m', TimeSpan.FromMinutes(1)), ('s', TimeSpan.FromSeconds(1))];

    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan value)
    {
        value = default;
        if (text.IsEmpty) return false;
        while (!text.IsEmpty)
        {
            var digits = text.IndexOfAnyExceptInRange('0', '9');
            if (digits is <= 0 or > 6) return false;
            var unit = text[digits];
            var span = Units.FirstOrDefault(u => u.Unit == unit).Span;
            if (span == default) return false;
            value += span * int.Parse(text[..digits], NumberStyles.None);
            text = text[(digits + 1)..];
        }
        return true;
    }

    public static string Format(TimeSpan value)
    {
        var text = new StringBuilder();
        foreach (var (unit, span) in Units)
        {
            var count = (long)(value / span);
            if (count > 0) text.Append(count).Append(unit);
            value -= count * span;
        }
        return text.Length == 0 ? "0s" : text.ToString();
    }
}
