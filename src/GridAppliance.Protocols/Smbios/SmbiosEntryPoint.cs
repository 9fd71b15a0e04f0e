using System.Buffers.Binary;

namespace GridAppliance.Protocols.Smbios;

public enum SmbiosDefect
{
    None,
    NotAnEntryPoint,
    BadChecksum,
    /// <summary>The octets end within an entry point, a structure or its strings.</summary>
    Truncated,
    /// <summary>A structure says that it is shorter than its own header.</summary>
    BadLength,
}

/// <summary>The SMBIOS entry point (DSP0134 section 5.2), 32-bit (<c>_SM_</c>) or 64-bit (<c>_SM3_</c>): the version and where the table is.</summary>
/// <remarks>
/// <code>
///  0       4    5    6      7         16      22         24          28
///  | _SM_  | ck | ln | major| minor … | _DMI_ | tbl len  | tbl addr  | count …
///  0        5    6    7      8      9     10       12          16
///  | _SM3_  | ck | ln | major| minor| doc | rev, 0 | max len   | tbl addr (8)
/// </code>
/// </remarks>
public readonly record struct SmbiosEntryPoint(byte Major, byte Minor, uint TableLength, ulong TableAddress)
{
    const int Length32 = 31, Length64 = 24;

    /// <summary>Whether UUIDs have their first three fields in little-endian order (from version 2.6 on).</summary>
    public bool UuidIsLittleEndian => Major > 2 || (Major == 2 && Minor >= 6);

    public static bool TryRead(ReadOnlySpan<byte> source, out SmbiosEntryPoint entryPoint, out SmbiosDefect defect)
    {
        entryPoint = default;
        defect = SmbiosDefect.NotAnEntryPoint;
        var is64 = source.StartsWith("_SM3_"u8);
        if (!is64 && !source.StartsWith("_SM_"u8)) return false;
        defect = SmbiosDefect.Truncated;
        if (source.Length < (is64 ? Length64 : Length32)) return false;
        int length = is64 ? source[6] : source[5];
        // Old firmware says 30 where 31 is meant (DSP0134 section 5.2.1).
        if (!is64 && length == Length32 - 1) length = Length32;
        if (length < (is64 ? Length64 : Length32) || length > source.Length) return false;
        byte sum = 0;
        foreach (var octet in source[..length]) sum += octet;
        defect = SmbiosDefect.BadChecksum;
        if (sum != 0) return false;
        entryPoint = is64
            ? new(source[7], source[8], BinaryPrimitives.ReadUInt32LittleEndian(source[12..]), BinaryPrimitives.ReadUInt64LittleEndian(source[16..]))
            : new(source[6], source[7], BinaryPrimitives.ReadUInt16LittleEndian(source[22..]), BinaryPrimitives.ReadUInt32LittleEndian(source[24..]));
        defect = SmbiosDefect.None;
        return true;
    }
}
