using System.Globalization;

namespace GridAppliance.Cli.Terminal;

/// <summary>Figures and states as people read them.</summary>
static class Phrases
{
    public static Cell State(string state) => new(state, state switch
    {
        "idle" or "active" or "done" or "running" => Tone.Good,
        "discovered" or "enrolling" or "assigning" or "releasing" or "undoing" or "installing" or "removing" => Tone.Busy,
        "held" or "undone" or "cancelled" => Tone.Warning,
        "failed" => Tone.Bad,
        "retired" => Tone.Faint,
        _ => Tone.Plain,
    });

    public static Cell Severity(string message, string severity) => new(message, severity switch { "error" => Tone.Bad, "warning" => Tone.Warning, _ => Tone.Plain });

    public static string Clock(DateTimeOffset at) => at.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    public static string Bytes(long bytes) => bytes switch
    {
        >= 1L << 40 => $"{bytes / (double)(1L << 40):0.0} TiB",
        >= 1L << 30 => $"{bytes / (double)(1L << 30):0.0} GiB",
        >= 1L << 20 => $"{bytes / (double)(1L << 20):0.0} MiB",
        _ => $"{bytes / 1024.0:0.0} KiB",
    };

    /// <summary>3 s, 4 min, 2 h, 5 d.</summary>
    public static string Ago(TimeSpan span) => span switch
    {
        { TotalSeconds: < 0 } => "0 s",
        { TotalSeconds: < 120 } => $"{span.TotalSeconds:0} s",
        { TotalMinutes: < 120 } => $"{span.TotalMinutes:0} min",
        { TotalHours: < 48 } => $"{span.TotalHours:0} h",
        _ => $"{span.TotalDays:0} d",
    };

    public static string Count(long count, string one, string? many = null) => $"{count} {(count == 1 ? one : many ?? one + "s")}";
}
