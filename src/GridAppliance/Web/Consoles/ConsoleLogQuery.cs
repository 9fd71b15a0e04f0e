using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;
using GridAppliance.Consoles.Record;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GridAppliance.Web.Consoles;

/// <summary>What part of a console's record somebody wants.</summary>
sealed record ConsoleLogQuery
{
    const int LongestPattern = 200;
    const int MostLast = 100_000;

    public DateTimeOffset From { get; init; } = DateTimeOffset.MinValue;
    public DateTimeOffset To { get; init; } = DateTimeOffset.MaxValue;
    public Regex? Pattern { get; init; }
    /// <summary>Only so many of the newest lines.</summary>
    public int? Last { get; init; }

    public static bool TryRead(IQueryCollection query, [NotNullWhen(true)] out ConsoleLogQuery? read, [NotNullWhen(false)] out ProblemHttpResult? problem)
    {
        (read, problem) = (null, null);
        var (from, to) = (DateTimeOffset.MinValue, DateTimeOffset.MaxValue);
        if (!TryReadTime(query["from"], ref from) || !TryReadTime(query["to"], ref to))
        {
            problem = Problems.Answer(StatusCodes.Status400BadRequest, "from and to are times such as 2026-03-01T12:00:00Z");
            return false;
        }
        int? last = null;
        if (query["last"] is { Count: > 0 } lastText)
        {
            if (!int.TryParse(lastText, NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count is 0 or > MostLast)
            {
                problem = Problems.Answer(StatusCodes.Status400BadRequest, $"last is between 1 and {MostLast}");
                return false;
            }
            last = count;
        }
        if (!TryReadPattern(query["grep"], out var pattern, out problem)) return false;
        read = new() { From = from, To = to, Pattern = pattern, Last = last };
        return true;
    }

    public bool Wants(in ConsoleLine line) => line.At >= From && line.At <= To && (Pattern is null || Pattern.IsMatch(line.Text));

    static bool TryReadTime(string? text, ref DateTimeOffset time)
    {
        if (string.IsNullOrEmpty(text)) return true;
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);
    }

    static bool TryReadPattern(string? text, out Regex? pattern, [NotNullWhen(false)] out ProblemHttpResult? problem)
    {
        (pattern, problem) = (null, null);
        if (string.IsNullOrEmpty(text)) return true;
        try
        {
            if (text.Length > LongestPattern) throw new ArgumentException($"a pattern has at most {LongestPattern} characters");
            // Non-backtracking: no pattern costs more than the text is long.
            pattern = new Regex(text, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture);
            return true;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            problem = Problems.Answer(StatusCodes.Status400BadRequest, $"grep is not a regular expression that can be used here: {Problems.Short(e.Message)}", "leave look-around and back-references out");
            return false;
        }
    }
}
