using System.Globalization;

namespace GridAppliance.Cli.Consoles;

/// <summary>A moment as people say it: <c>10m</c> (ago), <c>2h</c>, <c>3d</c>, or a time.</summary>
static class When
{
    /// <exception cref="UsageException">It is none.</exception>
    public static DateTimeOffset? Read(string? text)
    {
        if (text is null) return null;
        if (text is [.., var unit] && int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            TimeSpan? ago = unit switch { 's' => TimeSpan.FromSeconds(count), 'm' => TimeSpan.FromMinutes(count), 'h' => TimeSpan.FromHours(count), 'd' when count < 36_500 => TimeSpan.FromDays(count), _ => null };
            if (ago is { } span) return TimeProvider.System.GetUtcNow() - span;
        }
        // Without a zone, a person means the clock on their wall.
        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out var at)) return at;
        throw new UsageException($"'{text}' is no time", "write 10m, 2h or 3d for so long ago, or a time such as 2026-03-01T12:00");
    }
}
