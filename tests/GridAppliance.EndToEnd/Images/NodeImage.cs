using System.Text.Json.Nodes;
using GridAppliance.Lab.Machine;

namespace GridAppliance.EndToEnd.Images;

/// <summary>A node image as <c>make image</c> left it; one that was not built is a failure, not a reason to skip.</summary>
sealed class NodeImage
{
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    public NodeImage(string profile)
    {
        Folder = Path.Combine(LabPrograms.Built().Images, profile);
        var path = Path.Combine(Folder, "manifest.json");
        Assert.True(File.Exists(path), $"there is no {path}: run 'make image PROFILE={profile}'");
        Manifest = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
    }

    public static string Repository => Path.GetFullPath(Path.Combine(LabPrograms.Built().Images, "../.."));

    public string Folder { get; }
    public JsonObject Manifest { get; }
    public string CommandLine => (string)Manifest["commandLine"]!;
    public string KernelVersion => (string)Manifest["kernelVersion"]!;

    public string PathOf(string key) => Path.Combine(Folder, key);

    public async Task UnpackAsync(string folder) =>
        await RunAsync(["/bin/bash", "-c", "set -o pipefail; cd \"$0\" && zstd -q -dc \"$1\" | busybox cpio -i -d -m", folder, PathOf("initramfs.zst")], "the image's unpacking");

    /// <returns>What it wrote.</returns>
    public static async Task<string> RunAsync(IReadOnlyList<string> arguments, string what)
    {
        using var patience = new CancellationTokenSource(Patience);
        try { return await Command.RunAsync(arguments, patience.Token); }
        catch (OperationCanceledException) { throw new TimeoutException($"{what} did not end within {Patience.TotalMinutes} minutes"); }
    }
}
