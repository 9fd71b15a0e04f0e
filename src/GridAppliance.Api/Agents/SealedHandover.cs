using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace GridAppliance.Api.Agents;

/// <summary>
/// A secret on its way from an agent to its appliance over a network that everybody hears: sealed to a key that the appliance made for this one order and put into the signed order. ECDH P-256 with a
/// key of the agent's for this one answer, HKDF-SHA256, AES-256-GCM; order and node are bound to it.
/// </summary>
public static class SealedHandover
{
    const int NonceLength = 12;
    const int TagLength = 16;
    const int LargestSecret = 256;

    /// <param name="secret">What to hand over.</param>
    /// <param name="recipient">SubjectPublicKeyInfo (DER, base64) of the order.</param>
    /// <param name="orderId">The order that it answers.</param>
    /// <param name="nodeId">Whose it is.</param>
    /// <returns>Our public key and the box, base64 both; null when the recipient's key is none.</returns>
    public static (string Key, string Box)? Seal(ReadOnlySpan<byte> secret, string recipient, string orderId, string nodeId)
    {
        using var own = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        if (!TryDerive(own, recipient, orderId, nodeId, out var key)) return null;
        var box = new byte[NonceLength + TagLength + secret.Length];
        RandomNumberGenerator.Fill(box.AsSpan(0, NonceLength));
        using var aes = new AesGcm(key, TagLength);
        aes.Encrypt(box.AsSpan(0, NonceLength), secret, box.AsSpan(NonceLength + TagLength), box.AsSpan(NonceLength, TagLength));
        CryptographicOperations.ZeroMemory(key);
        return (Convert.ToBase64String(own.ExportSubjectPublicKeyInfo()), Convert.ToBase64String(box));
    }

    /// <summary>Opens a box; null when it is none, was made for another order, or was changed.</summary>
    public static byte[]? Open(ECDiffieHellman own, string sender, string box, string orderId, string nodeId)
    {
        Span<byte> octets = stackalloc byte[NonceLength + TagLength + LargestSecret];
        if (box.Length > octets.Length * 4 / 3 || !Convert.TryFromBase64String(box, octets, out var length) || length < NonceLength + TagLength) return null;
        if (!TryDerive(own, sender, orderId, nodeId, out var key)) return null;
        var secret = new byte[length - NonceLength - TagLength];
        try
        {
            using var aes = new AesGcm(key, TagLength);
            aes.Decrypt(octets[..NonceLength], octets[(NonceLength + TagLength)..length], octets.Slice(NonceLength, TagLength), secret);
            return secret;
        }
        catch (CryptographicException)
        {
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    static bool TryDerive(ECDiffieHellman own, string other, string orderId, string nodeId, [NotNullWhen(true)] out byte[]? key)
    {
        key = null;
        try
        {
            using var peer = ECDiffieHellman.Create();
            peer.ImportSubjectPublicKeyInfo(Convert.FromBase64String(other), out _);
            if (peer.ExportParameters(false).Curve.Oid.Value != ECCurve.NamedCurves.nistP256.Oid.Value) return false;
            var shared = own.DeriveRawSecretAgreement(peer.PublicKey);
            key = HKDF.DeriveKey(HashAlgorithmName.SHA256, shared, 32, info: Encoding.UTF8.GetBytes($"grid-bmc\n{orderId}\n{nodeId}\n"));
            CryptographicOperations.ZeroMemory(shared);
            return true;
        }
        catch (Exception e) when (e is CryptographicException or FormatException)
        {
            return false;
        }
    }
}
