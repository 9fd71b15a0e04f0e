using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace GridAppliance.Api.Agents;

/// <summary>
/// The texts that agent and appliance sign, and the header that carries a call's signature; both sides use this one spelling.
/// Keys are ECDSA P-256 with SHA-256, signatures are in the IEEE P1363 form (r and s, 32 octets each).
/// </summary>
public static class AgentSignature
{
    /// <summary>The request header of a signed call.</summary>
    public const string HeaderName = "Grid-Agent";

    /// <summary>Octets of a signature.</summary>
    public const int SignatureLength = 64;

    const string Scheme = "v1";
    const int MaximumHeaderLength = 256;

    /// <summary>What the agent signs to show that it holds the key which it enrols.</summary>
    public static byte[] ProofText(string token) => Encoding.UTF8.GetBytes($"enroll\n{token}\n");

    /// <summary>What the agent signs for one call.</summary>
    public static byte[] CallText(string method, string pathAndQuery, string nodeId, long counter, ReadOnlySpan<byte> body) => Encoding.UTF8.GetBytes(
        string.Create(CultureInfo.InvariantCulture, $"{method}\n{pathAndQuery}\n{nodeId}\n{counter}\n{Convert.ToHexStringLower(SHA256.HashData(body))}\n"));

    /// <summary>What the appliance signs to show that this order is its answer to the call with this counter.</summary>
    public static byte[] FreshText(string nodeId, long counter, ReadOnlySpan<byte> order) => Encoding.UTF8.GetBytes(
        string.Create(CultureInfo.InvariantCulture, $"order\n{nodeId}\n{counter}\n{Convert.ToHexStringLower(SHA256.HashData(order))}\n"));

    /// <summary>The header's value.</summary>
    public static string FormatHeader(string nodeId, long counter, ReadOnlySpan<byte> signature) =>
        string.Create(CultureInfo.InvariantCulture, $"{Scheme} {nodeId} {counter} {Convert.ToBase64String(signature)}");

    /// <summary>Reads a header's value: form only, nothing is verified.</summary>
    public static bool TryParseHeader([NotNullWhen(true)] string? value, [NotNullWhen(true)] out AgentCall? call)
    {
        call = null;
        if (value is null || value.Length > MaximumHeaderLength) return false;
        var parts = value.Split(' ');
        if (parts is not [Scheme, { Length: > 0 } nodeId, var counterText, var signatureText]) return false;
        if (!long.TryParse(counterText, NumberStyles.None, CultureInfo.InvariantCulture, out var counter)) return false;
        var signature = new byte[SignatureLength];
        if (!Convert.TryFromBase64String(signatureText, signature, out var length) || length != SignatureLength) return false;
        call = new AgentCall(nodeId, counter, signature);
        return true;
    }

    /// <summary>A key's fingerprint: SHA-256 of its SubjectPublicKeyInfo, lower-case hex.</summary>
    public static string Fingerprint(ReadOnlySpan<byte> subjectPublicKeyInfo) => Convert.ToHexStringLower(SHA256.HashData(subjectPublicKeyInfo));

    /// <summary>A P-256 public key out of its SubjectPublicKeyInfo, or null when the octets are not one.</summary>
    public static ECDsa? TryImportPublicKey(ReadOnlySpan<byte> subjectPublicKeyInfo)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportSubjectPublicKeyInfo(subjectPublicKeyInfo, out var read);
            if (read == subjectPublicKeyInfo.Length && key.KeySize == 256) return key;
        }
        catch (CryptographicException)
        {
            // A peer sent it: not a key, and no fault of ours.
        }
        key.Dispose();
        return null;
    }
}

/// <summary>Who calls, as the header says; believed only once the signature has been verified.</summary>
public sealed record AgentCall(string NodeId, long Counter, ReadOnlyMemory<byte> Signature);
