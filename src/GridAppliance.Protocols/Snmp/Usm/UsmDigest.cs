using System.Security.Cryptography;

namespace GridAppliance.Protocols.Snmp.Usm;

/// <summary>A running digest or HMAC; after <see cref="Finish"/> it starts anew. For one thread at a time.</summary>
abstract class UsmDigest : IDisposable
{
    /// <summary>Longest digest there is.</summary>
    public const int MaximumLength = 64;

    public abstract void Append(ReadOnlySpan<byte> octets);

    /// <summary>Writes the digest; returns its length.</summary>
    public abstract int Finish(Span<byte> destination);

    public abstract void Dispose();
}

sealed class PlatformDigest(IncrementalHash hash) : UsmDigest
{
    public override void Append(ReadOnlySpan<byte> octets) => hash.AppendData(octets);

    public override int Finish(Span<byte> destination) => hash.GetHashAndReset(destination);

    public override void Dispose() => hash.Dispose();
}

/// <summary>HMAC (RFC 2104) over <see cref="Sha224"/>.</summary>
sealed class Hmac224 : UsmDigest
{
    readonly byte[] inner = new byte[Sha224.BlockLength];
    readonly byte[] outer = new byte[Sha224.BlockLength];
    readonly Sha224 hash = new();

    public Hmac224(ReadOnlySpan<byte> key)
    {
        Span<byte> block = stackalloc byte[Sha224.BlockLength];
        block.Clear();
        if (key.Length > block.Length)
        {
            hash.Append(key);
            hash.Finish(block);
        }
        else
        {
            key.CopyTo(block);
        }
        for (var i = 0; i < block.Length; i++)
        {
            inner[i] = (byte)(block[i] ^ 0x36);
            outer[i] = (byte)(block[i] ^ 0x5C);
        }
        hash.Append(inner);
    }

    public override void Append(ReadOnlySpan<byte> octets) => hash.Append(octets);

    public override int Finish(Span<byte> destination)
    {
        Span<byte> digest = stackalloc byte[Sha224.Length];
        hash.Finish(digest);
        hash.Append(outer);
        hash.Append(digest);
        hash.Finish(destination);
        hash.Append(inner);
        return Sha224.Length;
    }

    public override void Dispose()
    {
        CryptographicOperations.ZeroMemory(inner);
        CryptographicOperations.ZeroMemory(outer);
    }
}
