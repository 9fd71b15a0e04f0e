using System.Globalization;
using System.Text;

namespace GridAppliance.Cli.Terminal;

/// <summary>
/// Text that came from a node, made harmless for a terminal: control characters (C0, C1, DEL) are escape sequences' raw material, format characters can turn lines
/// around, and line separators forge lines. Each is shown as what it is.
/// </summary>
static class SafeText
{
    public static string Neutralise(string text)
    {
        var clean = true;
        // A lone surrogate enumerates as U+FFFD, which every terminal can show.
        foreach (var rune in text.EnumerateRunes()) clean &= IsHarmless(rune) && rune != Rune.ReplacementChar;
        if (clean) return text;

        var made = new StringBuilder(text.Length + 16);
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsHarmless(rune)) made.Append(rune.ToString());
            else made.Append(rune.Value < 0x100 ? $"\\x{rune.Value:x2}" : $"\\u{{{rune.Value:x}}}");
        }
        return made.ToString();
    }

    static bool IsHarmless(Rune rune) => Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);
}
