using System.Security.Cryptography;
using GridAppliance.Api.Agents;
using GridAppliance.Hosting;

namespace GridAppliance.Modules;

/// <summary>
/// Whose packages the appliance takes in beside its own: the public keys (<c>*.pem</c>, ECDSA P-256) that the administrator has put into <c>dataDir/module-keys</c>.
/// Looked at for each import, so that a key counts, or no longer counts, at once.
/// </summary>
sealed class TrustedKeys(ApplianceOptions options)
{
    const int LongestFile = 4096;

    readonly string folder = Path.Combine(options.DataDir, "module-keys");

    public bool Contains(string fingerprint) =>
        Directory.Exists(folder) && Directory.EnumerateFiles(folder, "*.pem").Any(file => FingerprintOf(file) == fingerprint);

    static string? FingerprintOf(string file)
    {
        try
        {
            if (new FileInfo(file).Length > LongestFile) return null;
            using var key = ECDsa.Create();
            key.ImportFromPem(File.ReadAllText(file));
            return key.KeySize == 256 ? AgentSignature.Fingerprint(key.ExportSubjectPublicKeyInfo()) : null;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            // Not a key that can be read: then it is nobody's.
            return null;
        }
    }
}
