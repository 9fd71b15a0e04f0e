using System.Security.Cryptography;
using GridAppliance.Api.Agents;

namespace GridAppliance.Agent.Identity;

/// <summary>The node's own key pair. Made on the node, kept in memory-backed storage, never sent.</summary>
sealed class AgentKey : IDisposable
{
    readonly ECDsa key;

    AgentKey(ECDsa key)
    {
        this.key = key;
        PublicKey = key.ExportSubjectPublicKeyInfo();
    }

    /// <summary>SubjectPublicKeyInfo, DER.</summary>
    public byte[] PublicKey { get; }

    /// <summary>The key that an earlier run of the agent left, or a new one.</summary>
    public static AgentKey LoadOrCreate(string path)
    {
        var key = ECDsa.Create();
        try
        {
            if (DurableFile.Read(path) is { } kept)
            {
                key.ImportPkcs8PrivateKey(kept, out _);
                return new AgentKey(key);
            }
        }
        catch (CryptographicException)
        {
            // A file that is no key can only be damage; a new key is what the appliance will ask for anyway.
        }
        key.GenerateKey(ECCurve.NamedCurves.nistP256);
        DurableFile.Write(path, key.ExportPkcs8PrivateKey());
        return new AgentKey(key);
    }

    public byte[] Sign(ReadOnlySpan<byte> text) => key.SignData(text, HashAlgorithmName.SHA256);

    /// <summary>Proof of possession for <see cref="EnrollRequest.Proof"/>.</summary>
    public string Prove(string token) => Convert.ToBase64String(Sign(AgentSignature.ProofText(token)));

    public void Dispose() => key.Dispose();
}
