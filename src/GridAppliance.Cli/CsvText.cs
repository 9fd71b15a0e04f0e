using System.Text;

namespace GridAppliance.Cli;

/// <summary>Comma-separated values (RFC 4180), read into rows.</summary>
static class CsvText
{
    /// <summary>Rows with their line numbers; blank lines and lines that begin with # are left out.</summary>
    /// <exception cref="UsageException">A quote is never closed.</exception>
    public static IReadOnlyList<(int Line, IReadOnlyList<string> Fields)> Read(string text)
    {
        var rows = new List<(int, IReadOnlyList<string>)>();
        var at = 0;
        var line = 1;
        while (at < text.Length)
        {
            var first = line;
            var fields = new List<string>();
            do fields.Add(Field(text, ref at, ref line));
            while (at < text.Length && text[at - 1] == ',');
            // A comma at the very end has an empty field after it.
            if (at == text.Length && text[at - 1] == ',') fields.Add("");
            if (fields is not [""] && !fields[0].StartsWith('#')) rows.Add((first, fields));
        }
        return rows;
    }

    /// <summary>Reads one field and what ends it.</summary>
    static string Field(string text, ref int at, ref int line)
    {
        var field = new StringBuilder();
        var opened = line;
        if (text[at] == '"')
        {
            at++;
            while (true)
            {
                if (at == text.Length) throw new UsageException($"line {opened}: a quote is opened and never closed", "write \"\" for a quote inside quotes");
                if (text[at] == '"' && at + 1 < text.Length && text[at + 1] == '"') at++;
                else if (text[at] == '"') break;
                if (text[at] == '\n') line++;
                field.Append(text[at++]);
            }
            at++;
        }
        while (at < text.Length && text[at] is not (',' or '\n')) field.Append(text[at++]);
        if (at < text.Length && text[at++] == '\n') line++;
        return field.ToString().Trim();
    }
}
