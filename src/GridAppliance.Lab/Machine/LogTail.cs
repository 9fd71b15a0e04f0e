using System.Text;

namespace GridAppliance.Lab.Machine;

/// <summary>The end of a log, fit for a terminal.</summary>
static class LogTail
{
    const int MostBytes = 64 * 1024;

    /// <returns>The last lines that say something, indented, without control characters: a console log is full of cursor movements.</returns>
    public static string Of(string path, int lines)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            file.Seek(-Math.Min(file.Length, MostBytes), SeekOrigin.End);
            using var reader = new StreamReader(file, Encoding.UTF8);
            return Clean(reader.ReadToEnd(), lines);
        }
        catch (IOException)
        {
            return $"    ({path} is not there)";
        }
    }

    public static string Clean(string text, int lines)
    {
        var kept = text.Split('\n', '\r').Select(WithoutControls).Where(line => line.Length > 0).TakeLast(lines).Select(line => $"    {line}");
        var tail = string.Join(Environment.NewLine, kept);
        return tail.Length > 0 ? tail : "    (empty)";
    }

    static string WithoutControls(string line)
    {
        var clean = new StringBuilder(line.Length);
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] == '\e' && i + 1 < line.Length && line[i + 1] == '[')
            {
                // ECMA-48 control sequence: parameters, then one final byte in @ to ~.
                for (i += 2; i < line.Length && line[i] is < '@' or > '~'; i++) { }
                clean.Append(' ');
            }
            else if (!char.IsControl(line[i])) clean.Append(line[i]);
        }
        return clean.ToString().Trim();
    }
}
