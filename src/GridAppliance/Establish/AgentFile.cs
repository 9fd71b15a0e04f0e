using System.Security.Cryptography;
using GridAppliance.Hosting;

namespace GridAppliance.Establish;

/// <summary>The agent that is copied to machines: <c>grid-agent</c> beside the boot files, the same octets as in the node image.</summary>
/// <param name="Path">Where.</param>
/// <param name="Digest">SHA-256, lower-case hex.</param>
/// <param name="Size">Octets.</param>
sealed record AgentFile(string Path, string Digest, long Size)
{
    public const string Name = "grid-agent";

    public static async Task<AgentFile?> FindAsync(ApplianceOptions options, CancellationToken cancellationToken)
    {
        var path = System.IO.Path.Combine(options.BootFiles, Name);
        if (!File.Exists(path)) return null;
        await using var file = File.OpenRead(path);
        return new(path, Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken)), file.Length);
    }
}
