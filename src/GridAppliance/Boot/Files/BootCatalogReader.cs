using System.Security.Cryptography;
using System.Text.Json;
using GridAppliance.Hosting;

namespace GridAppliance.Boot.Files;

/// <summary>Reads a manifest and its files. Nothing gets into a catalogue whose size and digest are not those that the manifest names.</summary>
static class BootCatalogReader
{
    const int MaxManifestLength = 1 << 20;
    const int MaxFiles = 256;
    const long MaxFileLength = 1L << 30;
    const string Again = "Run 'make image' again.";

    /// <param name="directory">Where <c>make image</c> left its work.</param>
    /// <param name="previous">Files with the digest they had in it are not read again.</param>
    /// <param name="cancellation">Gives up between files.</param>
    /// <exception cref="StartupException">The directory, the manifest or a file is missing or not what it should be.</exception>
    public static BootCatalog Read(string directory, BootCatalog? previous, CancellationToken cancellation)
    {
        var manifest = ReadManifest(directory);
        if (manifest.Files.Count > MaxFiles) throw Broken(directory, $"names more than {MaxFiles} files");
        if (!KernelArguments.TryParse(manifest.CommandLine, out var commandLine)) throw Broken(directory, "has a commandLine with characters that a boot script gives a meaning to");

        var files = new Dictionary<string, BootFile>(StringComparer.Ordinal);
        foreach (var entry in manifest.Files)
        {
            cancellation.ThrowIfCancellationRequested();
            if (!BootCatalog.IsKey(entry.Key) || !BootCatalog.IsKey(entry.File)) throw Broken(directory, $"has a key or file that is no plain name: '{entry.Key}', '{entry.File}'");
            var role = entry.Key == manifest.Kernel ? BootFileRole.Kernel : entry.Key == manifest.Initramfs ? BootFileRole.Initramfs : BootFileRole.Loader;
            if (!files.TryAdd(entry.Key, ReadFile(directory, entry, role, previous))) throw Broken(directory, $"names {entry.Key} twice");
        }
        if (!files.TryGetValue(manifest.Kernel, out var kernel)) throw Broken(directory, $"does not list its kernel '{manifest.Kernel}'");
        if (!files.TryGetValue(manifest.Initramfs, out var initramfs)) throw Broken(directory, $"does not list its initramfs '{manifest.Initramfs}'");
        return new(files.Values, kernel, initramfs, commandLine, manifest.Profile) { Root = RootImageReader.Read(directory, previous?.Root) };
    }

    static BootManifest ReadManifest(string directory)
    {
        var path = Path.Combine(directory, "manifest.json");
        try
        {
            using var stream = File.OpenRead(path);
            if (stream.Length > MaxManifestLength) throw Broken(directory, $"is larger than {MaxManifestLength} octets");
            return JsonSerializer.Deserialize(stream, BootManifestJson.Default.BootManifest) ?? throw Broken(directory, "is empty");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new StartupException($"There are no boot files in {directory}", "Run 'make image', or set bootFiles to where they are.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"The boot files' manifest {path} cannot be read: {e.Message}", "Check its owner and mode.", e);
        }
        catch (JsonException e)
        {
            throw Broken(directory, $"is not the JSON it should be ({e.Message})", e);
        }
    }

    static BootFile ReadFile(string directory, BootManifestFile entry, BootFileRole role, BootCatalog? previous)
    {
        if (previous?.Find(entry.Key) is { } known && known.Digest == entry.Sha256 && known.Role == role) return known;
        if (entry.Size is < 0 or > MaxFileLength) throw Broken(directory, $"gives {entry.Key} a size of {entry.Size}");
        try
        {
            using var handle = File.OpenHandle(Path.Combine(directory, entry.File), options: FileOptions.SequentialScan);
            var length = RandomAccess.GetLength(handle);
            if (length != entry.Size) throw Differs(directory, entry, $"has {length} octets where the manifest says {entry.Size}");
            var content = GC.AllocateUninitializedArray<byte>((int)length, pinned: true);
            for (var read = 0; read < content.Length;)
            {
                var more = RandomAccess.Read(handle, content.AsSpan(read), read);
                if (more == 0) throw Differs(directory, entry, "became shorter while it was read");
                read += more;
            }
            var digest = Convert.ToHexStringLower(SHA256.HashData(content));
            if (digest != entry.Sha256) throw Differs(directory, entry, "does not have the digest that the manifest gives it");
            return new(entry.Key, role, content, digest);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"The boot file {Path.Combine(directory, entry.File)} cannot be read: {e.Message}", Again, e);
        }
    }

    static StartupException Differs(string directory, BootManifestFile entry, string how) =>
        new($"The boot file {Path.Combine(directory, entry.File)} {how}", Again);

    static StartupException Broken(string directory, string how, Exception? inner = null) =>
        new($"The boot files' manifest {Path.Combine(directory, "manifest.json")} {how}", Again, inner);
}
