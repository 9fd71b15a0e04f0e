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

    /// <summary>Takes a package's octets to disk as they come, before anything is known of them: it may be larger than what memory has to spare.</summary>
    /// <param name="head">Goes before them.</param>
    /// <param name="rest">Read to its end.</param>
    /// <param name="largest">Most octets of <paramref name="rest"/>.</param>
    /// <param name="cancellationToken">Nothing stays.</param>
    /// <returns>Null when there are more than that.</returns>
    public async Task<StagedPackage?> StageAsync(ReadOnlyMemory<byte> head, Stream rest, long largest, CancellationToken cancellationToken)
    {
        var staged = new StagedPackage(Path.Combine(folder, $"{Guid.NewGuid():N}.new"));
        try
        {
            await staged.Content.WriteAsync(head, cancellationToken);
            var buffer = new byte[81920];
            long length = 0;
            while (await rest.ReadAsync(buffer, cancellationToken) is > 0 and var read)
            {
                if ((length += read) > largest)
                {
                    staged.Dispose();
                    return null;
                }
                await staged.Content.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            }
            staged.Content.Position = 0;
            return staged;
        }
        catch
        {
            staged.Dispose();
            throw;
        }
    }

    /// <summary>Keeps a package; returns its digest once it would survive a power cut.</summary>
    public async Task<string> KeepAsync(StagedPackage staged, CancellationToken cancellationToken)
    {
        staged.Content.Flush(flushToDisk: true);
        staged.Content.Position = 0;
        var digest = Convert.ToHexStringLower(await SHA256.HashDataAsync(staged.Content, cancellationToken));
        var path = Path.Combine(folder, digest);
        if (File.Exists(path)) return digest;
        File.Move(staged.Path, path, overwrite: true);
        Libc.SyncDirectory(folder);
        return digest;
    }
}

/// <summary>A package on its way into the catalogue. Disposing of it removes what was not kept; a start removes what a crash left.</summary>
sealed class StagedPackage(string path) : IDisposable
{
    public string Path => path;

    public FileStream Content { get; } = new(path, FileMode.CreateNew, FileAccess.ReadWrite);

    public void Dispose()
    {
        Content.Dispose();
        File.Delete(path);
    }
}
