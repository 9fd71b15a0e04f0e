using System.Text;

namespace GridAppliance.Consoles.Record;

/// <summary>A line of a console as people read it.</summary>
/// <param name="At">When its first character came.</param>
/// <param name="Kind">The node's words, or ours.</param>
/// <param name="Text">Without control characters and escape sequences.</param>
readonly record struct ConsoleLine(DateTimeOffset At, ConsoleEntryKind Kind, string Text);

/// <summary>Makes lines of a record's entries. One reader owns one of these.</summary>
sealed class ConsoleLines
{
    /// <summary>A longer line is cut: binary noise may come without any line's end.</summary>
    const int LongestLine = 4096;

    readonly TerminalText terminal = new();
    readonly StringBuilder text = new();
    DateTimeOffset began;

    /// <summary>The lines that <paramref name="entry"/> completes; a mark completes whatever came before it, but for one without words: somebody came or left, which is nothing to the line.</summary>
    public IEnumerable<ConsoleLine> Add(ConsoleEntry entry)
    {
        if (entry.Kind == ConsoleEntryKind.Mark)
        {
            if (entry.Octets.IsEmpty) yield break;
            if (Rest() is { } cut) yield return cut;
            yield return new(entry.At, ConsoleEntryKind.Mark, Clean(entry.Octets.Span));
            yield break;
        }
        if (text.Length == 0) began = entry.At;
        terminal.Append(entry.Octets.Span, text);
        var all = text.ToString();
        var start = 0;
        while (start < all.Length)
        {
            var end = all.IndexOf('\n', start);
            var most = start + LongestLine;
            if (end < 0 && all.Length <= most) break;
            var isWhole = end >= 0 && end <= most;
            yield return new(began, ConsoleEntryKind.Output, all[start..(isWhole ? end : most)]);
            start = isWhole ? end + 1 : most;
            began = entry.At;
        }
        text.Remove(0, start);
    }

    /// <summary>A line that has not ended yet: a prompt.</summary>
    public ConsoleLine? Rest()
    {
        if (text.Length == 0) return null;
        var line = new ConsoleLine(began, ConsoleEntryKind.Output, text.ToString());
        text.Clear();
        return line;
    }

    /// <summary>A mark carries a device's complaint at times, which is as foreign as output.</summary>
    static string Clean(ReadOnlySpan<byte> octets)
    {
        var clean = new StringBuilder();
        new TerminalText().Append(octets, clean);
        return clean.Replace('\n', ' ').ToString();
    }
}
