using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace GridAppliance.Web.Security;

/// <summary>The bearer token (RFC 6750) for callers beyond this machine: <c>management.token</c> in dataDir, made on first use. Replace the file and restart to change it.</summary>
sealed class AccessToken
{
    const string Scheme = "Bearer ";

    readonly byte[] digest;

    AccessToken(string token) => digest = SHA256.HashData(Encoding.UTF8.GetBytes(token));

    public static AccessToken Load(string dataDir)
    {
        var path = Path.Combine(dataDir, "management.token");
        if (!File.Exists(path)) SecretFile.Write(path, Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32)) + "\n");
        return new(File.ReadAllText(path).Trim());
    }

    /// <summary>Digests are compared, in constant time: neither the token's bytes nor its length can be felt out.</summary>
    public bool Accepts(string? authorization) =>
        authorization is not null && authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
        && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(authorization[Scheme.Length..].Trim())), digest);
}
