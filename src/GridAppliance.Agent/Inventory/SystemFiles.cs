using System.Globalization;
using System.Text;
using GridAppliance.Agent.Native;

namespace GridAppliance.Agent.Inventory;

/// <summary>Small files of /sys and /proc. What is not there, or does not want to be read, is null: hardware differs, and an inventory with a gap is better than none.</summary>
static class SystemFiles
{
    const int MaximumLength = 1 << 20;

    /// <summary>The file's text without white space around it; null also when it is empty.</summary>
    public static string? Text(string folder, string name) =>
        Bytes(Path.Combine(folder, name)) is { } bytes && Encoding.UTF8.GetString(bytes).Trim('\0', ' ', '\n', '\t') is { Length: > 0 } text ? text : null;

    public static long? Number(string folder, string name) => long.TryParse(Text(folder, name), CultureInfo.InvariantCulture, out var number) ? number : null;

    public static byte[]? Bytes(string path)
    {
        // Straight through libc: half of these files are absent or answer with an error on any given machine, and an exception for each would be the dearest part of
        // the agent's start.
        var file = Libc.Open(path, Libc.OpenReadOnly | Libc.OpenCloseOnExec);
        if (file < 0) return null;
        try { return ReadAll(file); }
        finally { _ = Libc.Close(file); }
    }

    static unsafe byte[]? ReadAll(int file)
    {
        var content = new byte[4096];
        for (var length = 0; ;)
        {
            nint read;
            fixed (byte* at = &content[length]) read = Libc.Read(file, at, (nuint)(content.Length - length));
            if (read < 0) return null;
            if (read == 0) return content[..length];
            length += (int)read;
            if (length < content.Length) continue;
            if (length >= MaximumLength) return null;
            Array.Resize(ref content, 2 * length);
        }
    }

    /// <summary>What is in a folder, in order; nothing when there is no such folder.</summary>
    public static string[] Entries(string folder)
    {
        if (!Directory.Exists(folder)) return [];
        var names = Directory.GetFileSystemEntries(folder);
        Array.Sort(names, StringComparer.Ordinal);
        return names;
    }

    /// <summary>Where a link leads in the end, or the path itself: the device's place in the tree of buses.</summary>
    public static string Resolve(string path)
    {
        try { return new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path; }
        catch (IOException) { return path; }
    }
}
