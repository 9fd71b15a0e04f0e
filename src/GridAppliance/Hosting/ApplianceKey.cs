using System.Security.Cryptography;
using System.Text;
using GridAppliance.Native;

namespace GridAppliance.Hosting;

/// <summary>The appliance's signing key, ECDSA P-256: made at the first start, kept as PKCS #8 in the data directory, readable by the daemon alone.</summary>
sealed class ApplianceKey : IDisposable
{
    const string FileName = "appliance.key";
    const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    readonly ECDsa key;
    // OpenSSL's key object makes no promise about use from several threads.
    readonly Lock gate = new();

    ApplianceKey(ECDsa key)
    {
        this.key = key;
        PublicKey = key.ExportSubjectPublicKeyInfo();
        Fingerprint = Convert.ToHexStringLower(SHA256.HashData(PublicKey));
    }

    /// <summary>SubjectPublicKeyInfo, DER.</summary>
    public byte[] PublicKey { get; }

    /// <summary>SHA-256 of <see cref="PublicKey"/>, lower-case hex: <c>grid.key=</c> on a node's command line.</summary>
    public string Fingerprint { get; }

    /// <summary>ECDSA with SHA-256, IEEE P1363 form.</summary>
    public byte[] Sign(ReadOnlySpan<byte> data)
    {
        lock (gate) return key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    /// <summary>Reads the key, or makes one if there is none yet.</summary>
    /// <exception cref="StartupException">The file cannot be read or written, is open to others, or holds no such key.</exception>
    public static ApplianceKey Open(string dataDirectory)
    {
        var path = Path.Combine(dataDirectory, FileName);
        try
        {
            return File.Exists(path) ? Read(path) : Create(dataDirectory, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"The appliance's key {path} cannot be opened: {e.Message}", "Check the directory's owner, its mode and its free space.", e);
        }
    }

    public void Dispose() => key.Dispose();

    static ApplianceKey Read(string path)
    {
        if ((File.GetUnixFileMode(path) & ~OwnerOnly) != 0)
            throw new StartupException($"The appliance's key {path} is open to others than its owner", $"If nobody can have read it, run 'chmod 600 {path}'; else remove it, and every node enrolls anew.");
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(File.ReadAllText(path, Encoding.ASCII));
            if (key.KeySize != 256) throw new CryptographicException($"its size is {key.KeySize} bits");
            return new(key);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            key.Dispose();
            throw new StartupException($"The appliance's key {path} is not an ECDSA P-256 key: {e.Message}", "Restore it from a backup, or remove it, and every node enrolls anew.", e);
        }
    }

    /// <summary>Written whole under another name and then renamed, each made durable: a power cut leaves a key or none, never half of one.</summary>
    static ApplianceKey Create(string directory, string path)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var temporary = path + ".new";
        File.Delete(temporary);
        using (var stream = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
        {
            stream.Write(Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem()));
            stream.Flush(flushToDisk: true);
        }
        File.Move(temporary, path);
        Libc.SyncDirectory(directory);
        return new(key);
    }
}
