using System.Buffers.Binary;
using System.Text;

namespace GridAppliance.Protocols.Smbios;

/// <summary>One structure of the table (DSP0134 section 6.1): formatted area and strings.</summary>
public readonly ref struct SmbiosStructure(ReadOnlySpan<byte> formatted, ReadOnlySpan<byte> strings)
{
    readonly ReadOnlySpan<byte> strings = strings;

    public ReadOnlySpan<byte> Formatted { get; } = formatted;
    public byte Type => Formatted[0];
    public ushort Handle => BinaryPrimitives.ReadUInt16LittleEndian(Formatted[2..]);

    /// <summary>A field, or null when this structure is too short to have it: older versions are shorter.</summary>
    public byte? Byte(int offset) => offset < Formatted.Length ? Formatted[offset] : null;

    public ushort? Word(int offset) => offset + 2 <= Formatted.Length ? BinaryPrimitives.ReadUInt16LittleEndian(Formatted[offset..]) : null;

    public uint? DoubleWord(int offset) => offset + 4 <= Formatted.Length ? BinaryPrimitives.ReadUInt32LittleEndian(Formatted[offset..]) : null;

    /// <summary>The string that the field at <paramref name="offset"/> numbers; null for number 0 and for one that is not there.</summary>
    public string? String(int offset)
    {
        if (Byte(offset) is not { } number || number == 0) return null;
        var rest = strings;
        for (var i = 1; !rest.IsEmpty; i++)
        {
            var end = rest.IndexOf((byte)0);
            var text = end < 0 ? rest : rest[..end];
            if (i == number) return Encoding.Latin1.GetString(text).Trim() is { Length: > 0 } found ? found : null;
            rest = end < 0 ? default : rest[(end + 1)..];
        }
        return null;
    }
}

/// <summary>Walks the structures of an SMBIOS table (DSP0134 section 6.1.1).</summary>
/// <remarks>
/// <code>
///  0      1        2        4             length
///  | type | length | handle | fields …    | string NUL string NUL … NUL
/// </code>
/// </remarks>
public ref struct SmbiosReader(ReadOnlySpan<byte> table)
{
    const int HeaderLength = 4;
    const byte EndOfTable = 127;

    ReadOnlySpan<byte> rest = table;

    /// <summary>False at the end of the table, and at a defect, which says so.</summary>
    public bool TryReadNext(out SmbiosStructure structure, out SmbiosDefect defect)
    {
        structure = default;
        defect = SmbiosDefect.None;
        if (rest.IsEmpty) return false;
        if (rest.Length < HeaderLength) { defect = SmbiosDefect.Truncated; return false; }
        int length = rest[1];
        if (length < HeaderLength) { defect = SmbiosDefect.BadLength; return false; }
        if (rest.Length < length) { defect = SmbiosDefect.Truncated; return false; }
        var tail = rest[length..];
        var end = tail.IndexOf((ReadOnlySpan<byte>)[0, 0]);
        if (end < 0) { defect = SmbiosDefect.Truncated; return false; }
        structure = new SmbiosStructure(rest[..length], tail[..end]);
        rest = structure.Type == EndOfTable ? default : tail[(end + 2)..];
        return true;
    }
}
