using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using GridAppliance.Hosting;

namespace GridAppliance.Boot.Files;

/// <summary>
/// A root file system that a node goes on in after kernel and initramfs (<c>make image-debian</c>). It stays on the disk: whoever fetches it checks the digest, so that a file that changes meanwhile
/// boots nobody.
/// </summary>
/// <param name="Name">debian.</param>
/// <param name="Path">Of the file.</param>
/// <param name="Digest">SHA-256, lower-case hex.</param>
sealed record RootImage(string Name, string Path, string Digest, long Size)
{
    /// <summary>What is written to disks in its place; null where none was made.</summary>
    public RootImage? ForDisks { get; init; }

    /// <summary>The one of the two that has this digest.</summary>
    public RootImage? Find(string? digest) => Digest == digest ? this : ForDisks?.Digest == digest ? ForDisks : null;

    /// <summary>The one image that comes beside the boot files' own, which is called <see cref="Tiny"/>.</summary>
    public const string Debian = "debian";

    /// <summary>Kernel and initramfs alone.</summary>
    public const string Tiny = "tiny";

    /// <summary>What was written to the node's own disk from <see cref="Debian"/>: no image that is served.</summary>
    public const string Disk = "debian-disk";
}

/// <summary>Finds root images: the folder beside the boot files that has an image's name.</summary>
static class RootImageReader
{
    const int MaxManifestLength = 1 << 20;

    /// <param name="bootFiles">Where kernel and initramfs are.</param>
    /// <param name="previous">One with the digest that the manifest gives is not read again.</param>
    /// <returns>Null where none was made.</returns>
    /// <exception cref="StartupException">It is not what its manifest says.</exception>
    public static RootImage? Read(string bootFiles, RootImage? previous)
    {
        var folder = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(System.IO.Path.TrimEndingDirectorySeparator(bootFiles)) ?? "/", RootImage.Debian);
        var path = System.IO.Path.Combine(folder, "manifest.json");
        if (!File.Exists(path)) return null;
        try
        {
            if (new FileInfo(path).Length > MaxManifestLength) throw Broken(path, "is larger than a manifest is");
            var manifest = JsonSerializer.Deserialize(File.ReadAllBytes(path), RootManifestJson.Default.RootManifest) ?? throw Broken(path, "is empty");
            var disk = manifest.Disk is { } written ? Checked(written, null, previous?.ForDisks) : null;
            return Checked(manifest.Root, disk, previous);

            RootImage Checked(RootManifestFile named, RootImage? disk, RootImage? before)
            {
                if (!BootCatalog.IsKey(named.File)) throw Broken(path, $"has a file that is no plain name: '{named.File}'");
                var image = new RootImage(RootImage.Debian, System.IO.Path.Combine(folder, named.File), named.Sha256, named.Size) { ForDisks = disk };
                if (image == before) return before;
                using var file = File.OpenRead(image.Path);
                if (file.Length != image.Size || Convert.ToHexStringLower(SHA256.HashData(file)) != image.Digest) throw Broken(path, $"does not have {named.File}'s size and digest");
                return image;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw Broken(path, $"or its file cannot be read ({e.Message})", e);
        }
    }

    static StartupException Broken(string path, string how, Exception? inner = null) => new($"The root image's manifest {path} {how}", "Run 'make image-debian' again.", inner);
}

/// <summary><c>manifest.json</c> of a root image: what this daemon needs of it.</summary>
sealed record RootManifest
{
    public required RootManifestFile Root { get; init; }

    /// <summary>For disks: the same, and what a system needs that starts by itself.</summary>
    public RootManifestFile? Disk { get; init; }
}

sealed record RootManifestFile
{
    /// <summary>Name inside the manifest's directory.</summary>
    public required string File { get; init; }
    /// <summary>Lower-case hex.</summary>
    public required string Sha256 { get; init; }
    public required long Size { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, MaxDepth = 8)]
[JsonSerializable(typeof(RootManifest))]
sealed partial class RootManifestJson : JsonSerializerContext;
