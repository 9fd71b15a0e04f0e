namespace GridAppliance.Agent.Modules;

/// <summary>What a module's programs say. It lies in memory on a node that runs from it, so it is cut when it has grown long.</summary>
static class ModuleLog
{
    const long Limit = 1 << 20;
    const int LongestLine = 200;

    /// <summary>The end of what was said last; empty when nothing was.</summary>
    public static string LastLine(string log)
    {
        if (!File.Exists(log)) return "";
        using var file = new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        file.Position = Math.Max(0, file.Length - 512);
        using var reader = new StreamReader(file);
        var line = reader.ReadToEnd().TrimEnd().Split('\n')[^1];
        return new string([.. line.Where(c => !char.IsControl(c)).Take(LongestLine)]);
    }

    /// <summary>Programs append, so a log that was cut goes on at its new end.</summary>
    public static void Trim(string path)
    {
        var log = new FileInfo(path);
        if (!log.Exists || log.Length <= Limit) return;
        using var file = log.Open(FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.SetLength(0);
    }
}
