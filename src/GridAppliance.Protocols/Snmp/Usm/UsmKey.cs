namespace GridAppliance.Protocols.Snmp.Usm;

/// <summary>From a passphrase to the keys of one user at one engine (RFC 3414, section 2.6 and appendix A.2).</summary>
public static class UsmKey
{
    /// <summary>Passphrases shorter than this are refused by most agents (RFC 3414, section 11.2).</summary>
    public const int MinimumPassphrase = 8;

    const int Stretched = 1 << 20;

    /// <summary>
    /// The user's key: the digest of the passphrase repeated to a megabyte. Slow on purpose (milliseconds); the same for all engines, so worth
    /// keeping.
    /// </summary>
    /// <exception cref="ArgumentException">The passphrase is empty.</exception>
    public static byte[] FromPassphrase(UsmAuthentication authentication, ReadOnlySpan<byte> passphrase)
    {
        if (passphrase.IsEmpty) throw new ArgumentException("an empty passphrase", nameof(passphrase));
        // The passphrase over and over, from whichever octet of it a chunk starts at.
        const int ChunkLength = 4096;
        var source = new byte[ChunkLength + passphrase.Length];
        for (var i = 0; i < source.Length; i++) source[i] = passphrase[i % passphrase.Length];
        using var digest = authentication.CreateDigest();
        for (var done = 0; done < Stretched; done += ChunkLength) digest.Append(source.AsSpan(done % passphrase.Length, ChunkLength));
        return Finish(digest, authentication);
    }

    /// <summary>The key for one engine: H(Ku ‖ engine id ‖ Ku).</summary>
    public static byte[] Localize(UsmAuthentication authentication, ReadOnlySpan<byte> key, ReadOnlySpan<byte> engineId)
    {
        using var digest = authentication.CreateDigest();
        digest.Append(key);
        digest.Append(engineId);
        digest.Append(key);
        return Finish(digest, authentication);
    }

    /// <summary>A localised key cut or lengthened to what the cipher takes.</summary>
    public static byte[] ForPrivacy(UsmAuthentication authentication, UsmPrivacy privacy, UsmKeyExtension extension, ReadOnlySpan<byte> localized, ReadOnlySpan<byte> engineId)
    {
        var result = localized.ToArray();
        while (result.Length < privacy.KeyLength())
        {
            var more = extension switch
            {
                UsmKeyExtension.Blumenthal => Digest(authentication, result),
                UsmKeyExtension.Reeder => Localize(authentication, FromPassphrase(authentication, result), engineId),
            };
            result = [.. result, .. more];
        }
        return result[..privacy.KeyLength()];
    }

    static byte[] Digest(UsmAuthentication authentication, ReadOnlySpan<byte> octets)
    {
        using var digest = authentication.CreateDigest();
        digest.Append(octets);
        return Finish(digest, authentication);
    }

    static byte[] Finish(UsmDigest digest, UsmAuthentication authentication)
    {
        var result = new byte[authentication.DigestLength()];
        digest.Finish(result);
        return result;
    }
}
