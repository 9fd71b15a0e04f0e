using System.Security.Cryptography;
using GridAppliance.Hosting;
using GridAppliance.Native;

namespace GridAppliance.Modules;

/// <summary>Module packages on disk, each under its SHA-256: <c>dataDir/modules/DIGEST</c>. A file that is there is whole.</summary>
sealed class ModuleFiles
{
    readonly string folder;

    public ModuleFiles(ApplianceOptions options)
    {
        folder = Path.Combine(options.DataDir, "modules");
        Directory.CreateDirectory(folder);
        // Halves that a crash left behind.
        foreach (var left in Directory.EnumerateFiles(folder, "*.new")) File.Delete(left);
    }

    /// <summary>Whether <paramref name="text"/> may be a digest, and so a file's name here: 64 hex digits, lower case.</summary>
    public static bool IsDigest(string text) => text.Length == 64 && text.All(char.IsAsciiHexDigitLower);

    /// <summary>The package with this digest, or null when there is none.</summary>
    public FileStream? Open(string digest)
    {
        if (!IsDigest(digest)) return null;
        try
        {
            return new(Path.Combine(folder, digest), new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, Options = FileOptions.Asynchronous | FileOptions.SequentialScan });
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Keeps a package; returns its digest once it would survive a power cut.</summary>
    public async Task<string> KeepAsync(ReadOnlyMemory<byte> package, CancellationToken cancellationToken)
    {
        var digest = Convert.ToHexStringLower(SHA256.HashData(package.Span));
        var path = Path.Combine(folder, digest);
        if (File.Exists(path)) return digest;
        var temporary = Path.Combine(folder, $"{Guid.NewGuid():N}.new");
        try
        {
            await using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                await file.WriteAsync(package, cancellationToken);
                file.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
        Libc.SyncDirectory(folder);
        return digest;
    }
}
