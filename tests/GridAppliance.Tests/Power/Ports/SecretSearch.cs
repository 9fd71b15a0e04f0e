using System.Text;

namespace GridAppliance.Tests.Power.Ports;

/// <summary>Looks for a secret in octets: as it is, as .NET keeps text, and as logs, headers and documents write octets.</summary>
static class SecretSearch
{
    public static bool Finds(string secret, ReadOnlySpan<byte> octets)
    {
        var plain = Encoding.UTF8.GetBytes(secret);
        foreach (var form in (byte[][])[plain, Encoding.Unicode.GetBytes(secret), Encoding.ASCII.GetBytes(Convert.ToBase64String(plain)), Encoding.ASCII.GetBytes(Convert.ToHexString(plain)), Encoding.ASCII.GetBytes(Convert.ToHexStringLower(plain))])
            if (octets.IndexOf(form) >= 0) return true;
        return false;
    }

    /// <summary>Every file below <paramref name="directory"/> that has anything in it, open or not.</summary>
    public static IEnumerable<(string Place, byte[] Octets)> FilesBelow(string directory) =>
        Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Where(static file => Path.GetExtension(file) != ".sock" && new FileInfo(file).Length > 0).Select(static file => (file, Read(file)));

    /// <summary>What every process of this machine was started with, and its environment.</summary>
    public static IEnumerable<(string Place, byte[] Octets)> Processes()
    {
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(static directory => int.TryParse(Path.GetFileName(directory), out _)))
            foreach (var file in (string[])["cmdline", "environ"])
                if (TryRead(Path.Combine(process, file)) is { } octets) yield return (Path.Combine(process, file), octets);
    }

    /// <summary>What a process holds open and is a file, whether or not it has a name still; programs are not read.</summary>
    public static IEnumerable<(string Place, byte[] Octets)> FilesOf(int process)
    {
        foreach (var open in Directory.EnumerateFiles($"/proc/{process}/fd"))
        {
            var target = new FileInfo(open).LinkTarget;
            if (target is null || !target.StartsWith('/') || target.StartsWith("/dev/", StringComparison.Ordinal) || target.StartsWith("/memfd:", StringComparison.Ordinal)) continue;
            if (Path.GetExtension(target) is ".dll" or ".so" or ".sock" || Directory.Exists(target)) continue;
            if (TryRead(open) is { } octets) yield return (target, octets);
        }
    }

    static byte[]? TryRead(string file)
    {
        // A process ends and a file is closed when it likes.
        try { return Read(file); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return null; }
    }

    static byte[] Read(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var octets = new MemoryStream();
        stream.CopyTo(octets);
        return octets.ToArray();
    }
}
