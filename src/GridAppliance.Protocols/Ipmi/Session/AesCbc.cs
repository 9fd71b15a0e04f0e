using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;

namespace GridAppliance.Protocols.Ipmi.Session;

/// <summary>
/// AES-128 in CBC mode (NIST SP 800-38A, section 6.2) for many short texts under one key, each with a vector of its own. Telling a cipher a new vector means setting it up anew, which takes several times
/// as long as a packet's few blocks; so the bare block cipher is kept for either way, and the chain is made here. Not for use by two threads at once.
/// </summary>
sealed class AesCbc : IDisposable
{
    //  C[0] = vector        C[i] = E(P[i] ^ C[i-1])        P[i] = D(C[i]) ^ C[i-1]

    public const int BlockLength = 16;

    readonly ICryptoTransform encryptor, decryptor;
    readonly byte[] block = new byte[BlockLength];
    byte[] blocks = new byte[16 * BlockLength];

    public AesCbc(ReadOnlySpan<byte> key)
    {
        using var aes = Aes.Create();
        aes.SetKey(key);
        (aes.Mode, aes.Padding) = (CipherMode.ECB, PaddingMode.None);
        (encryptor, decryptor) = (aes.CreateEncryptor(), aes.CreateDecryptor());
    }

    /// <summary>Encrypts whole blocks where they are.</summary>
    public void Encrypt(Span<byte> text, ReadOnlySpan<byte> vector)
    {
        vector[..BlockLength].CopyTo(block);
        for (; !text.IsEmpty; text = text[BlockLength..])
        {
            Mix(block, text[..BlockLength], block);
            encryptor.TransformBlock(block, 0, BlockLength, block, 0);
            block.CopyTo(text);
        }
    }

    /// <summary>Decrypts whole blocks that follow their vector, as they do on the wire; returns the text's length.</summary>
    public int Decrypt(ReadOnlySpan<byte> vectorAndText, Span<byte> clear)
    {
        var text = vectorAndText[BlockLength..];
        if (blocks.Length < text.Length) blocks = new byte[text.Length];
        text.CopyTo(blocks);
        decryptor.TransformBlock(blocks, 0, text.Length, blocks, 0);
        Mix(blocks.AsSpan(0, text.Length), vectorAndText, clear);
        return text.Length;
    }

    public void Dispose()
    {
        encryptor.Dispose();
        decryptor.Dispose();
    }

    static void Mix(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other, Span<byte> mixed)
    {
        var left = MemoryMarshal.Cast<byte, Vector128<byte>>(one);
        var right = MemoryMarshal.Cast<byte, Vector128<byte>>(other);
        var result = MemoryMarshal.Cast<byte, Vector128<byte>>(mixed);
        for (var i = 0; i < left.Length; i++) result[i] = left[i] ^ right[i];
    }
}
