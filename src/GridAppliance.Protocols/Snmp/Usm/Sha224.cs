using System.Buffers.Binary;
using System.Numerics;

namespace GridAppliance.Protocols.Snmp.Usm;

/// <summary>SHA-224 (FIPS 180-4, section 6.3), the one digest of RFC 7860 that the platform does not have.</summary>
sealed class Sha224 : UsmDigest
{
    public const int Length = 28;
    public const int BlockLength = 64;

    // Section 4.2.2: the first 32 bits of the fractional parts of the cube roots of the first sixty-four primes.
    static ReadOnlySpan<uint> Constants =>
    [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    ];

    // Section 5.3.2.
    static ReadOnlySpan<uint> Start => [0xc1059ed8, 0x367cd507, 0x3070dd17, 0xf70e5939, 0xffc00b31, 0x68581511, 0x64f98fa7, 0xbefa4fa4];

    readonly uint[] state = Start.ToArray();
    readonly byte[] block = new byte[BlockLength];
    ulong total;

    public override void Append(ReadOnlySpan<byte> octets)
    {
        var filled = (int)(total % BlockLength);
        total += (ulong)octets.Length;
        if (filled > 0)
        {
            var take = Math.Min(BlockLength - filled, octets.Length);
            octets[..take].CopyTo(block.AsSpan(filled));
            octets = octets[take..];
            if (filled + take < BlockLength) return;
            Compress(block);
        }
        for (; octets.Length >= BlockLength; octets = octets[BlockLength..]) Compress(octets);
        octets.CopyTo(block);
    }

    public override int Finish(Span<byte> destination)
    {
        // A one bit, zeros, and the length in bits in the last eight octets of a block.
        Span<byte> padding = stackalloc byte[BlockLength + 8];
        padding.Clear();
        padding[0] = 0x80;
        var zeros = (int)((BlockLength + 55 - total % BlockLength) % BlockLength);
        BinaryPrimitives.WriteUInt64BigEndian(padding[(1 + zeros)..], total * 8);
        Append(padding[..(1 + zeros + 8)]);
        for (var i = 0; i < Length / 4; i++) BinaryPrimitives.WriteUInt32BigEndian(destination[(4 * i)..], state[i]);
        Start.CopyTo(state);
        total = 0;
        return Length;
    }

    public override void Dispose()
    {
        state.AsSpan().Clear();
        block.AsSpan().Clear();
    }

    void Compress(ReadOnlySpan<byte> message)
    {
        Span<uint> w = stackalloc uint[64];
        for (var t = 0; t < 16; t++) w[t] = BinaryPrimitives.ReadUInt32BigEndian(message[(4 * t)..]);
        for (var t = 16; t < 64; t++)
        {
            var s0 = BitOperations.RotateRight(w[t - 15], 7) ^ BitOperations.RotateRight(w[t - 15], 18) ^ w[t - 15] >> 3;
            var s1 = BitOperations.RotateRight(w[t - 2], 17) ^ BitOperations.RotateRight(w[t - 2], 19) ^ w[t - 2] >> 10;
            w[t] = w[t - 16] + s0 + w[t - 7] + s1;
        }
        var (a, b, c, d) = (state[0], state[1], state[2], state[3]);
        var (e, f, g, h) = (state[4], state[5], state[6], state[7]);
        for (var t = 0; t < 64; t++)
        {
            var s1 = BitOperations.RotateRight(e, 6) ^ BitOperations.RotateRight(e, 11) ^ BitOperations.RotateRight(e, 25);
            var t1 = h + s1 + (e & f ^ ~e & g) + Constants[t] + w[t];
            var s0 = BitOperations.RotateRight(a, 2) ^ BitOperations.RotateRight(a, 13) ^ BitOperations.RotateRight(a, 22);
            var t2 = s0 + (a & b ^ a & c ^ b & c);
            (h, g, f, e, d, c, b, a) = (g, f, e, d + t1, c, b, a, t1 + t2);
        }
        state[0] += a; state[1] += b; state[2] += c; state[3] += d;
        state[4] += e; state[5] += f; state[6] += g; state[7] += h;
    }
}
