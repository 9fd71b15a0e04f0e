using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace GridAppliance.Protocols.Snmp.Usm;

/// <summary>Encrypts and decrypts scoped PDUs. For one thread at a time.</summary>
sealed class UsmCipher : IDisposable
{
    /// <summary>Octets of the salt that travels.</summary>
    public const int SaltLength = 8;

    const int AesBlock = 16;
    const int DesBlock = 8;

    readonly UsmPrivacy privacy;
    readonly SymmetricAlgorithm algorithm;
    readonly byte[] desPreIv;

    public UsmCipher(UsmPrivacy privacy, ReadOnlySpan<byte> key)
    {
        this.privacy = privacy;
        if (key.Length != privacy.KeyLength()) throw new ArgumentException($"{privacy} takes a key of {privacy.KeyLength()} octets, not {key.Length}", nameof(key));
        desPreIv = key[..DesBlock].ToArray();
        if (privacy == UsmPrivacy.Des)
        {
            // RFC 3414, section 8.1.1.1: half of the key is the key, the other half goes into the vector.
            desPreIv = key[DesBlock..].ToArray();
#pragma warning disable CA5351 // Read only, for what is recorded; writing with it is refused.
            algorithm = DES.Create();
#pragma warning restore CA5351
            algorithm.Key = key[..DesBlock].ToArray();
        }
        else
        {
            algorithm = Aes.Create();
            algorithm.Key = key.ToArray();
        }
    }

    /// <summary>Encrypts in place.</summary>
    /// <exception cref="NotSupportedException">With DES.</exception>
    public void Encrypt(Span<byte> text, int boots, int time, ReadOnlySpan<byte> salt)
    {
        if (privacy == UsmPrivacy.Des) throw new NotSupportedException("messages are not written with DES");
        Transform(text, text, boots, time, salt, encrypt: true);
    }

    /// <summary>Decrypts into <paramref name="text"/>, which is as long as <paramref name="source"/>; false when the length cannot be.</summary>
    public bool TryDecrypt(ReadOnlySpan<byte> source, Span<byte> text, int boots, int time, ReadOnlySpan<byte> salt)
    {
        if (salt.Length != SaltLength) return false;
        if (privacy != UsmPrivacy.Des)
        {
            Transform(source, text, boots, time, salt, encrypt: false);
            return true;
        }
        if (source.IsEmpty || source.Length % DesBlock != 0) return false;
        Span<byte> iv = stackalloc byte[DesBlock];
        for (var i = 0; i < DesBlock; i++) iv[i] = (byte)(desPreIv[i] ^ salt[i]);
        algorithm.DecryptCbc(source, iv, text, PaddingMode.None);
        return true;
    }

    // CFB needs no padding, the platform's does: whole blocks go in, and only as many octets as there were come out.
    void Transform(ReadOnlySpan<byte> source, Span<byte> destination, int boots, int time, ReadOnlySpan<byte> salt, bool encrypt)
    {
        Span<byte> iv = stackalloc byte[AesBlock];
        BinaryPrimitives.WriteInt32BigEndian(iv, boots);
        BinaryPrimitives.WriteInt32BigEndian(iv[4..], time);
        salt.CopyTo(iv[8..]);
        var length = (source.Length + AesBlock - 1) / AesBlock * AesBlock;
        var rented = ArrayPool<byte>.Shared.Rent(length * 2);
        var input = rented.AsSpan(0, length);
        var output = rented.AsSpan(length, length);
        source.CopyTo(input);
        input[source.Length..].Clear();
        if (encrypt) algorithm.EncryptCfb(input, iv, output, PaddingMode.None, AesBlock * 8);
        else algorithm.DecryptCfb(input, iv, output, PaddingMode.None, AesBlock * 8);
        output[..source.Length].CopyTo(destination);
        ArrayPool<byte>.Shared.Return(rented);
    }

    public void Dispose()
    {
        algorithm.Dispose();
        CryptographicOperations.ZeroMemory(desPreIv);
    }
}
