using System.Security.Cryptography;

namespace GridAppliance.Protocols.Ipmi.Session;

/// <summary>IPMI 2.0, table 13-17. MD5 is known by name only: it is not offered.</summary>
public enum AuthenticationAlgorithm : byte { None = 0, HmacSha1 = 1, HmacMd5 = 2, HmacSha256 = 3 }

/// <summary>IPMI 2.0, table 13-18.</summary>
public enum IntegrityAlgorithm : byte { None = 0, HmacSha1_96 = 1, HmacMd5_128 = 2, Md5_128 = 3, HmacSha256_128 = 4 }

/// <summary>IPMI 2.0, table 13-19. RC4 is known by name only: it is not offered.</summary>
public enum ConfidentialityAlgorithm : byte { None = 0, AesCbc128 = 1, XRc4_128 = 2, XRc4_40 = 3 }

/// <summary>A cipher suite (IPMI 2.0, table 22-20): which algorithms sign in, sign and encrypt.</summary>
public sealed record CipherSuite
{
    CipherSuite(byte id, AuthenticationAlgorithm authentication, IntegrityAlgorithm integrity, ConfidentialityAlgorithm confidentiality)
    {
        Id = id;
        Authentication = authentication;
        Integrity = integrity;
        Confidentiality = confidentiality;
    }

    public byte Id { get; }
    public AuthenticationAlgorithm Authentication { get; }
    public IntegrityAlgorithm Integrity { get; }
    public ConfidentialityAlgorithm Confidentiality { get; }

    /// <summary>No authentication at all: proposed only to find out whether a BMC would take it, never used.</summary>
    public static CipherSuite Zero { get; } = new(0, AuthenticationAlgorithm.None, IntegrityAlgorithm.None, ConfidentialityAlgorithm.None);
    public static CipherSuite Sha1Aes { get; } = new(3, AuthenticationAlgorithm.HmacSha1, IntegrityAlgorithm.HmacSha1_96, ConfidentialityAlgorithm.AesCbc128);
    public static CipherSuite Sha256SignInOnly { get; } = new(15, AuthenticationAlgorithm.HmacSha256, IntegrityAlgorithm.None, ConfidentialityAlgorithm.None);
    public static CipherSuite Sha256SignedOnly { get; } = new(16, AuthenticationAlgorithm.HmacSha256, IntegrityAlgorithm.HmacSha256_128, ConfidentialityAlgorithm.None);
    public static CipherSuite Sha256Aes { get; } = new(17, AuthenticationAlgorithm.HmacSha256, IntegrityAlgorithm.HmacSha256_128, ConfidentialityAlgorithm.AesCbc128);

    /// <summary>What is ever used, best first. A suite that encrypts comes before any that does not: a clear session shows passwords that are set through it.</summary>
    public static IReadOnlyList<CipherSuite> Preferred { get; } = [Sha256Aes, Sha1Aes, Sha256SignedOnly, Sha256SignInOnly];

    /// <summary>Octets of a full HMAC, and so of RAKP 2 and 3 auth codes and of the session keys.</summary>
    public int HashLength => Authentication switch
    {
        AuthenticationAlgorithm.None => 0,
        AuthenticationAlgorithm.HmacSha1 => HMACSHA1.HashSizeInBytes,
        AuthenticationAlgorithm.HmacMd5 => HMACMD5.HashSizeInBytes,
        AuthenticationAlgorithm.HmacSha256 => HMACSHA256.HashSizeInBytes,
    };

    /// <summary>Octets of RAKP 4's check value: cut as the suite's integrity algorithm would, even in suites that sign nothing afterwards.</summary>
    public int Rakp4Length => Authentication switch
    {
        AuthenticationAlgorithm.None => 0,
        AuthenticationAlgorithm.HmacSha1 => 12,
        AuthenticationAlgorithm.HmacMd5 => 16,
        AuthenticationAlgorithm.HmacSha256 => 16,
    };

    /// <summary>Octets of the auth code at the end of each packet.</summary>
    public int AuthenticationCodeLength => Integrity switch
    {
        IntegrityAlgorithm.None => 0,
        IntegrityAlgorithm.HmacSha1_96 => 12,
        IntegrityAlgorithm.HmacMd5_128 => 16,
        IntegrityAlgorithm.Md5_128 => 16,
        IntegrityAlgorithm.HmacSha256_128 => 16,
    };

    public override string ToString() => $"cipher suite {Id}";

    /// <summary>HMAC of the suite's authentication algorithm, written to the first <see cref="HashLength"/> octets of <paramref name="destination"/>.</summary>
    internal void Hmac(ReadOnlySpan<byte> key, ReadOnlySpan<byte> data, Span<byte> destination)
    {
        switch (Authentication)
        {
            case AuthenticationAlgorithm.None: break;
#pragma warning disable CA5350 // Suite 3 is what the specification makes mandatory and what older BMCs have at best; 17 is taken where it is offered.
            case AuthenticationAlgorithm.HmacSha1: HMACSHA1.HashData(key, data, destination); break;
#pragma warning restore CA5350
            case AuthenticationAlgorithm.HmacSha256: HMACSHA256.HashData(key, data, destination); break;
            case AuthenticationAlgorithm.HmacMd5: throw new NotSupportedException("MD5 suites are not used");
        }
    }

    /// <summary>The same with one key for many pieces of data.</summary>
    internal IncrementalHash KeepHmac(ReadOnlySpan<byte> key) => Authentication switch
    {
        AuthenticationAlgorithm.HmacSha1 => IncrementalHash.CreateHMAC(HashAlgorithmName.SHA1, key),
        AuthenticationAlgorithm.HmacSha256 => IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key),
        AuthenticationAlgorithm.None or AuthenticationAlgorithm.HmacMd5 => throw new NotSupportedException($"{this} does not sign"),
    };
}
