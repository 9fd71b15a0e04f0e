using System.ComponentModel;

namespace GridAppliance.Agent.Native;

/// <summary>What is mounted in this process's namespace, and changing it.</summary>
static class MountTable
{
    /// <param name="Place">Where.</param>
    /// <param name="Type">Its file system's name.</param>
    /// <param name="Source">What the file system was made of; a device's path, where it is one.</param>
    public sealed record Mounted(string Place, string Type, string Source);

    public static IReadOnlyList<Mounted> Read() => [.. File.ReadLines("/proc/self/mountinfo").Select(Parse)];

    public static bool IsMounted(string place) => Read().Any(mount => mount.Place == place);

    /// <summary>Those at or below a folder, the latest first.</summary>
    public static IReadOnlyList<string> Below(string folder) => [.. Read().Select(mount => mount.Place).Where(place => place == folder || place.StartsWith(folder + "/", StringComparison.Ordinal)).Reverse()];

    public static void Mount(string source, string place, string? type, nuint flags, string? options)
    {
        if (Libc.Mount(source, place, type, flags, options) != 0) throw new IOException($"{type ?? source} cannot be mounted on {place}: {new Win32Exception().Message}");
    }

    /// <summary>Takes away a mount and all that is mounted below it, at once for those who look, in the end for those who have something open there.</summary>
    public static void Unmount(string place)
    {
        while (IsMounted(place))
            if (Libc.Unmount(place, Libc.UnmountDetach) != 0) throw new IOException($"{place} cannot be unmounted: {new Win32Exception().Message}");
    }

    /// <summary>Takes away one mount that nobody uses any more: what was written to it is on its way to the disk.</summary>
    public static void UnmountNow(string place)
    {
        if (Libc.Unmount(place, 0) != 0) throw new IOException($"{place} cannot be unmounted: {new Win32Exception().Message}");
    }

    // 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
    static Mounted Parse(string line)
    {
        var fields = line.Split(' ');
        var dash = Array.IndexOf(fields, "-");
        return new(Plain(fields[4]), fields[dash + 1], Plain(fields[dash + 2]));
    }

    /// <summary>Blanks, tabs, newlines and backslashes stand there as a backslash and three octal digits.</summary>
    static string Plain(string escaped)
    {
        if (!escaped.Contains('\\')) return escaped;
        var text = new System.Text.StringBuilder();
        for (var i = 0; i < escaped.Length; i++)
            if (escaped[i] == '\\' && i + 3 < escaped.Length) (text, i) = (text.Append((char)Convert.ToInt32(escaped.Substring(i + 1, 3), 8)), i + 3);
            else text.Append(escaped[i]);
        return text.ToString();
    }
}
