using System.Security.Cryptography;

namespace GridAppliance.Protocols.Snmp.Usm;

/// <summary>How messages are signed: HMACs of RFC 3414 (MD5 and SHA-1) and RFC 7860 (the others).</summary>
public enum UsmAuthentication
{
    None,
    /// <summary>Broken; for reading what is recorded.</summary>
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// <summary>How messages are encrypted.</summary>
public enum UsmPrivacy
{
    None,
    /// <summary>DES in CBC (RFC 3414, section 8). Broken; read only.</summary>
    Des,
    /// <summary>AES-128 in CFB (RFC 3826).</summary>
    Aes128,
    /// <summary>As AES-128 with longer keys; no RFC, in wide use.</summary>
    Aes192,
    Aes256,
}

/// <summary>How a key is made longer than the digest that it comes from, where AES-192 or AES-256 needs it.</summary>
public enum UsmKeyExtension
{
    /// <summary>The digest of all so far is appended (draft-blumenthal-aes-usm-04): Net-SNMP and most.</summary>
    Blumenthal,
    /// <summary>All so far, taken as a passphrase and localised again, is appended (draft-reeder-snmpv3-usm-3desede-00): Cisco.</summary>
    Reeder,
}

static class UsmAlgorithms
{
    /// <summary>Octets of the digest, and so of a key.</summary>
    public static int DigestLength(this UsmAuthentication authentication) => authentication switch
    {
        UsmAuthentication.None => 0,
        UsmAuthentication.Md5 => 16,
        UsmAuthentication.Sha1 => 20,
        UsmAuthentication.Sha224 => 28,
        UsmAuthentication.Sha256 => 32,
        UsmAuthentication.Sha384 => 48,
        UsmAuthentication.Sha512 => 64,
    };

    /// <summary>Octets of the digest that travel.</summary>
    public static int SignatureLength(this UsmAuthentication authentication) => authentication switch
    {
        UsmAuthentication.None => 0,
        UsmAuthentication.Md5 or UsmAuthentication.Sha1 => 12,
        UsmAuthentication.Sha224 => 16,
        UsmAuthentication.Sha256 => 24,
        UsmAuthentication.Sha384 => 32,
        UsmAuthentication.Sha512 => 48,
    };

    public static int KeyLength(this UsmPrivacy privacy) => privacy switch
    {
        UsmPrivacy.None => 0,
        UsmPrivacy.Des or UsmPrivacy.Aes128 => 16,
        UsmPrivacy.Aes192 => 24,
        UsmPrivacy.Aes256 => 32,
    };

    /// <summary>The digest by itself.</summary>
    public static UsmDigest CreateDigest(this UsmAuthentication authentication) =>
        authentication == UsmAuthentication.Sha224 ? new Sha224() : new PlatformDigest(IncrementalHash.CreateHash(authentication.Name()));

    /// <summary>The digest with a key, as an HMAC (RFC 2104).</summary>
    public static UsmDigest CreateHmac(this UsmAuthentication authentication, ReadOnlySpan<byte> key) =>
        authentication == UsmAuthentication.Sha224 ? new Hmac224(key) : new PlatformDigest(IncrementalHash.CreateHMAC(authentication.Name(), key));

    static HashAlgorithmName Name(this UsmAuthentication authentication) => authentication switch
    {
        UsmAuthentication.Md5 => HashAlgorithmName.MD5,
        UsmAuthentication.Sha1 => HashAlgorithmName.SHA1,
        UsmAuthentication.Sha256 => HashAlgorithmName.SHA256,
        UsmAuthentication.Sha384 => HashAlgorithmName.SHA384,
        UsmAuthentication.Sha512 => HashAlgorithmName.SHA512,
        UsmAuthentication.None or UsmAuthentication.Sha224 => throw new InvalidOperationException($"the platform has no {authentication}"),
    };
}
