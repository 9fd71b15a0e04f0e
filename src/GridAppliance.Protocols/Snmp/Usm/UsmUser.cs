using System.Security.Cryptography;

namespace GridAppliance.Protocols.Snmp.Usm;

/// <summary>
/// One user at one engine, with its localised keys ready for use. Holds ciphers: for one thread at a time, and disposed by whoever made it.
/// </summary>
public sealed class UsmUser : IDisposable
{
    readonly byte[] name;
    readonly UsmDigest? signer;
    readonly UsmCipher? cipher;

    /// <param name="name">Up to 32 octets.</param>
    /// <param name="authentication">How messages are signed.</param>
    /// <param name="authenticationKey">Localised; ignored without authentication.</param>
    /// <param name="privacy">How messages are encrypted.</param>
    /// <param name="privacyKey">Localised and as long as the cipher takes; ignored without privacy.</param>
    /// <exception cref="ArgumentException">Privacy without authentication, which the model does not have.</exception>
    public UsmUser(ReadOnlySpan<byte> name, UsmAuthentication authentication, ReadOnlySpan<byte> authenticationKey, UsmPrivacy privacy, ReadOnlySpan<byte> privacyKey)
    {
        if (authentication == UsmAuthentication.None && privacy != UsmPrivacy.None) throw new ArgumentException("privacy needs authentication", nameof(privacy));
        this.name = name.ToArray();
        Authentication = authentication;
        Privacy = privacy;
        signer = authentication == UsmAuthentication.None ? null : authentication.CreateHmac(authenticationKey);
        cipher = privacy == UsmPrivacy.None ? null : new UsmCipher(privacy, privacyKey);
    }

    /// <summary>Who asks for an engine's id: nobody, without protection.</summary>
    public static UsmUser Discoverer() => new(default, UsmAuthentication.None, default, UsmPrivacy.None, default);

    public ReadOnlySpan<byte> Name => name;
    public UsmAuthentication Authentication { get; }
    public UsmPrivacy Privacy { get; }

    /// <summary>The flags of messages so protected.</summary>
    public V3Flags Level => (signer is null ? V3Flags.None : V3Flags.Authenticated) | (cipher is null ? V3Flags.None : V3Flags.Private);

    internal UsmCipher? Cipher => cipher;

    /// <summary>Signs a whole message in which <paramref name="field"/> is the place of the signature, with zeros in it.</summary>
    internal void Sign(ReadOnlySpan<byte> message, Span<byte> field)
    {
        Span<byte> digest = stackalloc byte[UsmDigest.MaximumLength];
        signer!.Append(message);
        signer.Finish(digest);
        digest[..field.Length].CopyTo(field);
    }

    /// <summary>Whether the signature at <paramref name="offset"/> is of this user (RFC 3414, section 6.3.2): compared in constant time.</summary>
    internal bool Verify(ReadOnlySpan<byte> message, int offset)
    {
        var length = Authentication.SignatureLength();
        Span<byte> zeros = stackalloc byte[length];
        zeros.Clear();
        signer!.Append(message[..offset]);
        signer.Append(zeros);
        signer.Append(message[(offset + length)..]);
        Span<byte> digest = stackalloc byte[UsmDigest.MaximumLength];
        signer.Finish(digest);
        return CryptographicOperations.FixedTimeEquals(digest[..length], message.Slice(offset, length));
    }

    public void Dispose()
    {
        signer?.Dispose();
        cipher?.Dispose();
    }
}
