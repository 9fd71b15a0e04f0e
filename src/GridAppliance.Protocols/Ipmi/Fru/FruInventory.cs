using System.Diagnostics.CodeAnalysis;

namespace GridAppliance.Protocols.Ipmi.Fru;

/// <summary>What is wrong with an inventory, area by area: a broken area does not hide the others.</summary>
[Flags]
public enum FruDefects
{
    None = 0,
    ChassisArea = 0x01,
    BoardArea = 0x02,
    ProductArea = 0x04,
    MultiRecords = 0x08,
}

/// <summary>The chassis area (FRU storage definition 1.3, section 10).</summary>
public sealed record FruChassis(byte Type, string PartNumber, string Serial, IReadOnlyList<string> Custom);

/// <summary>The board area (section 11).</summary>
public sealed record FruBoard(DateTimeOffset? Made, string Maker, string Product, string Serial, string PartNumber, string FileId, IReadOnlyList<string> Custom);

/// <summary>The product area (section 12).</summary>
public sealed record FruProduct(string Maker, string Name, string PartNumber, string Version, string Serial, string AssetTag, string FileId, IReadOnlyList<string> Custom);

/// <summary>A record of the multi-record area (section 16), its octets as they are.</summary>
public sealed record FruMultiRecord(byte Type, ReadOnlyMemory<byte> Octets);

/// <summary>A field-replaceable unit's inventory (IPMI Platform Management FRU Information Storage Definition 1.3).</summary>
public sealed record FruInventory
{
    //  octet 0        1          2         3       4         5               6     7
    //  +-----------+----------+---------+-------+---------+---------------+-----+----------+
    //  | version 1 | internal | chassis | board | product | multi-record  | pad | checksum |    offsets in units of eight octets, 0 = absent
    //  +-----------+----------+---------+-------+---------+---------------+-----+----------+

    public const int HeaderLength = 8;
    const int Unit = 8;
    /// <summary>No inventory has more; an endless chain of records ends here.</summary>
    const int MaxFields = 64;

    public FruChassis? Chassis { get; private init; }
    public FruBoard? Board { get; private init; }
    public FruProduct? Product { get; private init; }
    public IReadOnlyList<FruMultiRecord> MultiRecords { get; private init; } = [];
    public FruDefects Defects { get; private init; }

    /// <summary>False when there is no inventory at all: too short, another version, or a header whose checksum is wrong.</summary>
    public static bool TryRead(ReadOnlySpan<byte> image, [MaybeNullWhen(false)] out FruInventory inventory, out IpmiDefect defect)
    {
        inventory = null;
        defect = image.Length < HeaderLength ? IpmiDefect.Truncated
            : (image[0] & 0x0F) != 1 ? IpmiDefect.Value
            : Sum(image[..HeaderLength]) != 0 ? IpmiDefect.Checksum
            : IpmiDefect.None;
        if (defect != IpmiDefect.None) return false;

        var defects = FruDefects.None;
        var chassis = TryReadArea(image, image[2], out var area) ? ReadChassis(area) : null;
        if (chassis is null && image[2] != 0) defects |= FruDefects.ChassisArea;
        var board = TryReadArea(image, image[3], out area) ? ReadBoard(area) : null;
        if (board is null && image[3] != 0) defects |= FruDefects.BoardArea;
        var product = TryReadArea(image, image[4], out area) ? ReadProduct(area) : null;
        if (product is null && image[4] != 0) defects |= FruDefects.ProductArea;
        List<FruMultiRecord> records = [];
        if (image[5] != 0 && !TryReadMultiRecords(image, image[5] * Unit, records)) defects |= FruDefects.MultiRecords;
        inventory = new() { Chassis = chassis, Board = board, Product = product, MultiRecords = records, Defects = defects };
        return true;
    }

    static bool TryReadArea(ReadOnlySpan<byte> image, byte offset, out ReadOnlySpan<byte> area)
    {
        area = default;
        var start = offset * Unit;
        if (offset == 0 || image.Length < start + 2) return false;
        var length = image[start + 1] * Unit;
        if (length < Unit || image.Length - start < length) return false;
        area = image.Slice(start, length);
        return Sum(area) == 0;
    }

    static FruChassis? ReadChassis(ReadOnlySpan<byte> area) =>
        TryReadFields(area[3..], out var fields) ? new(area[2], At(fields, 0), At(fields, 1), Rest(fields, 2)) : null;

    static FruBoard? ReadBoard(ReadOnlySpan<byte> area)
    {
        if (!TryReadFields(area[6..], out var fields)) return null;
        var minutes = area[3] | area[4] << 8 | area[5] << 16;
        DateTimeOffset? made = minutes == 0 ? null : new DateTimeOffset(1996, 1, 1, 0, 0, 0, TimeSpan.Zero).AddMinutes(minutes);
        return new(made, At(fields, 0), At(fields, 1), At(fields, 2), At(fields, 3), At(fields, 4), Rest(fields, 5));
    }

    static FruProduct? ReadProduct(ReadOnlySpan<byte> area) =>
        TryReadFields(area[3..], out var fields)
            ? new(At(fields, 0), At(fields, 1), At(fields, 2), At(fields, 3), At(fields, 4), At(fields, 5), At(fields, 6), Rest(fields, 7))
            : null;

    static bool TryReadFields(ReadOnlySpan<byte> source, out List<string> fields)
    {
        fields = [];
        while (source.Length > 0 && source[0] != FruField.EndOfFields && fields.Count < MaxFields)
        {
            if (!FruField.TryRead(source, out var text, out var length)) return false;
            fields.Add(text);
            source = source[length..];
        }
        return true;
    }

    static bool TryReadMultiRecords(ReadOnlySpan<byte> image, int at, List<FruMultiRecord> records)
    {
        //  octet 0   1                        2        3                  4
        //  +------+------------------------+--------+------------------+-----------------+
        //  | type | end 7, version 3:0     | length | record checksum  | header checksum |
        //  +------+------------------------+--------+------------------+-----------------+
        const int header = 5;
        while (records.Count < MaxFields)
        {
            if (image.Length - at < header || Sum(image.Slice(at, header)) != 0) return false;
            int length = image[at + 2];
            if (image.Length - at - header < length) return false;
            var octets = image.Slice(at + header, length);
            if ((byte)(Sum(octets) + image[at + 3]) != 0) return false;
            records.Add(new(image[at], octets.ToArray()));
            if ((image[at + 1] & 0x80) != 0) return true;
            at += header + length;
        }
        return false;
    }

    static string At(List<string> fields, int index) => index < fields.Count ? fields[index] : "";

    static IReadOnlyList<string> Rest(List<string> fields, int index) => fields.Count > index ? fields[index..] : [];

    static byte Sum(ReadOnlySpan<byte> octets)
    {
        byte sum = 0;
        foreach (var octet in octets) sum += octet;
        return sum;
    }
}
