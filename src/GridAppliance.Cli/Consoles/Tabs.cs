using System.Text;

namespace GridAppliance.Cli.Consoles;

/// <summary>Tabs become the spaces that they stand for: what else is a control character is not passed on, and a tab alone is harmless.</summary>
static class Tabs
{
    public static string Expand(string text)
    {
        if (!text.Contains('\t', StringComparison.Ordinal)) return text;
        var spaced = new StringBuilder(text.Length + 32);
        foreach (var c in text)
        {
            if (c == '\t') spaced.Append(' ', 8 - spaced.Length % 8);
            else spaced.Append(c);
        }
        return spaced.ToString();
    }
}
