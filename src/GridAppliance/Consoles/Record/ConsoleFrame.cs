using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace GridAppliance.Consoles.Record;

/// <summary>
/// One entry on disk, little-endian. The sum lets a reader tell a torn tail (power cut) from an entry.
/// <code>
///  0      4    5                13        13+n     17+n
///  | size n | kind | µs since 1970 | octets … | CRC-32C |
/// </code>
/// </summary>
static class ConsoleFrame
{
    const int HeaderLength = 13;
    public const int Overhead = HeaderLength + sizeof(uint);

    /// <summary>Larger pieces are cut by the writer; a length beyond it is a damaged file.</summary>
    public const int MostOctets = 64 * 1024;

    /// <summary>Writes an entry; returns its length.</summary>
    public static int Write(Span<byte> destination, ConsoleEntryKind kind, DateTimeOffset at, ReadOnlySpan<byte> octets)
    {
        BinaryPrimitives.WriteInt32LittleEndian(destination, octets.Length);
        destination[4] = (byte)kind;
        BinaryPrimitives.WriteInt64LittleEndian(destination[5..], (at - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
        octets.CopyTo(destination[HeaderLength..]);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[(HeaderLength + octets.Length)..], Sum(destination[..(HeaderLength + octets.Length)]));
        return Overhead + octets.Length;
    }

    /// <summary>Reads the entry at the start of <paramref name="source"/>.</summary>
    public static ConsoleFrameResult TryRead(ReadOnlyMemory<byte> source, out ConsoleEntry entry, out int length)
    {
        (entry, length) = (default, 0);
        var span = source.Span;
        if (span.Length < HeaderLength) return ConsoleFrameResult.Incomplete;
        var size = BinaryPrimitives.ReadInt32LittleEndian(span);
        if (size is < 0 or > MostOctets) return ConsoleFrameResult.Damaged;
        if (span.Length < Overhead + size) return ConsoleFrameResult.Incomplete;
        var kind = (ConsoleEntryKind)span[4];
        var micros = BinaryPrimitives.ReadInt64LittleEndian(span[5..]);
        if (BinaryPrimitives.ReadUInt32LittleEndian(span[(HeaderLength + size)..]) != Sum(span[..(HeaderLength + size)])) return ConsoleFrameResult.Damaged;
        if (kind is not (ConsoleEntryKind.Output or ConsoleEntryKind.Mark) || Math.Abs(micros) > 253_402_300_799L * 1_000_000) return ConsoleFrameResult.Damaged;
        entry = new(kind, DateTimeOffset.UnixEpoch.AddMicroseconds(micros), source.Slice(HeaderLength, size));
        length = Overhead + size;
        return ConsoleFrameResult.Entry;
    }

    /// <summary>CRC-32C (RFC 3720 appendix B.4), without the reflection of start and end that interchange formats add: this file is our own.</summary>
    static uint Sum(ReadOnlySpan<byte> octets)
    {
        var sum = uint.MaxValue;
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(octets)) sum = BitOperations.Crc32C(sum, word);
        foreach (var octet in octets[(octets.Length & ~7)..]) sum = BitOperations.Crc32C(sum, octet);
        return sum;
    }
}

enum ConsoleFrameResult
{
    Entry,
    /// <summary>More octets are needed: the end of the file so far.</summary>
    Incomplete,
    Damaged,
}
