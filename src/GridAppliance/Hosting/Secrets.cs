using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace GridAppliance.Hosting;

/// <summary>A secret as it may be stored: nonce, tag and cipher text, in base64. Worthless without the key file.</summary>
readonly record struct SealedSecret(string Text)
{
    /// <summary>Not even the cipher text belongs in a log.</summary>
    public override string ToString() => "(sealed)";
}

/// <summary>
/// Seals secrets for storage with AES-256-GCM. The key is a file of its own, outside the database, that only the daemon's user may read: a copy of
/// the database alone gives nothing away. What a secret is for is bound to it, so that one record's secret cannot be put in another's place.
/// </summary>
sealed class SecretSeal : IDisposable
{
    //  octet 0     1-12    13-28   29 …
    //  +---------+-------+-------+--------------+
    //  | version | nonce | tag   | cipher text  |
    //  +---------+-------+-------+--------------+

    const byte Version = 1;
    const int KeyLength = 32;
    const int NonceLength = 12;
    const int TagLength = 16;
    const int Header = 1 + NonceLength + TagLength;

    const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    readonly AesGcm aes;
    // OpenSSL's context is used anew for each call, and by one thread at a time.
    readonly Lock gate = new();

    SecretSeal(ReadOnlySpan<byte> key) => aes = new(key, TagLength);

    /// <summary>Opens the key file, or makes it when there is none.</summary>
    /// <exception cref="InvalidDataException">It is not a key, or others may read it.</exception>
    public static SecretSeal Open(string keyFile)
    {
        if (File.Exists(keyFile)) return Read(keyFile);
        try
        {
            return Create(keyFile);
        }
        catch (IOException) when (File.Exists(keyFile))
        {
            return Read(keyFile);
        }
    }

    /// <param name="secret">What to seal.</param>
    /// <param name="purpose">What it is for, such as <c>port/n3/password</c>; unsealing takes the same.</param>
    public SealedSecret Seal(ReadOnlySpan<byte> secret, string purpose)
    {
        var octets = new byte[Header + secret.Length];
        octets[0] = Version;
        var nonce = octets.AsSpan(1, NonceLength);
        RandomNumberGenerator.Fill(nonce);
        lock (gate) aes.Encrypt(nonce, secret, octets.AsSpan(Header), octets.AsSpan(1 + NonceLength, TagLength), Encoding.UTF8.GetBytes(purpose));
        return new(Convert.ToBase64String(octets));
    }

    /// <returns>The secret, or null when it was sealed with another key, for another purpose, or was changed.</returns>
    public byte[]? Unseal(SealedSecret secret, string purpose)
    {
        var octets = new byte[secret.Text.Length];
        if (!Convert.TryFromBase64String(secret.Text, octets, out var length) || length < Header || octets[0] != Version) return null;
        var clear = new byte[length - Header];
        try
        {
            lock (gate) aes.Decrypt(octets.AsSpan(1, NonceLength), octets.AsSpan(Header, clear.Length), octets.AsSpan(1 + NonceLength, TagLength), clear, Encoding.UTF8.GetBytes(purpose));
            return clear;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    public void Dispose() => aes.Dispose();

    static SecretSeal Create(string keyFile)
    {
        var key = RandomNumberGenerator.GetBytes(KeyLength);
        try
        {
            // The mode is given at creation, so the file is never open to others; it gets its name when it is whole and on disk, so a power cut leaves no
            // half key; and a name that is taken is left alone, so two daemons that start at once use the same key.
            var unnamed = $"{keyFile}.{Guid.NewGuid():n}";
            using (var file = new FileStream(unnamed, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
            {
                file.Write(key);
                file.Flush(flushToDisk: true);
            }
            try
            {
                File.Move(unnamed, keyFile, overwrite: false);
            }
            finally
            {
                File.Delete(unnamed);
            }
            return new(key);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    static SecretSeal Read(string keyFile)
    {
        if ((File.GetUnixFileMode(keyFile) & ~OwnerOnly) != 0) throw new InvalidDataException($"{keyFile}: others than its owner may use this key; set its mode to 0600");
        var key = File.ReadAllBytes(keyFile);
        try
        {
            return key.Length == KeyLength ? new(key) : throw new InvalidDataException($"{keyFile}: a key has {KeyLength} octets, this file has {key.Length}");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }
}

static class SecretsFeature
{
    /// <summary>The one seal, with <c>secrets.key</c> in the data directory. Every feature that keeps secrets may call this.</summary>
    public static void AddSecrets(this IServiceCollection services) => services.TryAddSingleton(provider => Open(Path.Combine(provider.GetRequiredService<ApplianceOptions>().DataDir, "secrets.key")));

    static SecretSeal Open(string keyFile)
    {
        try
        {
            return SecretSeal.Open(keyFile);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"The key of the secrets cannot be used: {e.Message}", "Restore it from a backup or mend its mode; without it every password has to be set again.", e);
        }
    }
}
