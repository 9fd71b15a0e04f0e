using System.Globalization;

namespace GridAppliance.Consoles.Record;

/// <summary>The files of one console's record: numbered, oldest first.</summary>
static class ConsoleSegments
{
    const string Suffix = ".console";

    public static string PathOf(string directory, long number) => Path.Combine(directory, number.ToString("d12", CultureInfo.InvariantCulture) + Suffix);

    public static IReadOnlyList<(long Number, FileInfo File)> In(string directory)
    {
        var folder = new DirectoryInfo(directory);
        if (!folder.Exists) return [];
        return [.. folder.EnumerateFiles("*" + Suffix)
            .Select(file => (Ok: long.TryParse(file.Name.AsSpan(0, file.Name.Length - Suffix.Length), NumberStyles.None, null, out var number), Number: number, File: file))
            .Where(found => found.Ok).OrderBy(found => found.Number).Select(found => (found.Number, found.File))];
    }

    /// <summary>For a record that nobody writes any more: drops what was last written before <paramref name="oldest"/>, and the directory with the last of it.</summary>
    public static void DropBefore(string directory, DateTimeOffset oldest)
    {
        foreach (var (_, file) in In(directory).Where(segment => segment.File.LastWriteTimeUtc < oldest.UtcDateTime)) file.Delete();
        if (!Directory.EnumerateFileSystemEntries(directory).Any()) Directory.Delete(directory);
    }
}
