using System.Text.Json.Serialization;

namespace GridAppliance.Boot.Files;

/// <summary><c>manifest.json</c>, which <c>make image</c> writes beside the files that it names.</summary>
sealed record BootManifest
{
    public required IReadOnlyList<BootManifestFile> Files { get; init; }
    /// <summary>Key of the kernel.</summary>
    public required string Kernel { get; init; }
    /// <summary>Key of the initramfs.</summary>
    public required string Initramfs { get; init; }
    public required string CommandLine { get; init; }
    /// <summary>virtual or metal.</summary>
    public required string Profile { get; init; }
}

sealed record BootManifestFile
{
    public required string Key { get; init; }
    /// <summary>Name inside the manifest's directory.</summary>
    public required string File { get; init; }
    /// <summary>Lower-case hex.</summary>
    public required string Sha256 { get; init; }
    public required long Size { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, MaxDepth = 8)]
[JsonSerializable(typeof(BootManifest))]
sealed partial class BootManifestJson : JsonSerializerContext;
