using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace GridAppliance.Protocols.Disks;

/// <summary>One partition (UEFI 2.10 section 5.3.3).</summary>
/// <param name="Type">What it is for.</param>
/// <param name="Id">Which it is.</param>
/// <param name="First">Its first sector.</param>
/// <param name="Last">Its last sector, included.</param>
/// <param name="Name">Up to 36 UTF-16 units.</param>
public sealed record GptPartition(Guid Type, Guid Id, long First, long Last, string Name);

/// <summary>Why something is no partition table.</summary>
public enum GptDefect
{
    None, TooShort, NoSignature, BadHeaderSize, BadHeaderSum, NotWhereItSays, BadEntries, BadEntrySum, BadPartition,
}

/// <summary>
/// A GUID partition table (UEFI 2.10 section 5.3), written at both ends of a disk; the partition entries stand beside each header. It is written with 128 entries of 128 octets, as firmware expects, and read with any number.
/// </summary>
/// <param name="DiskId">Which disk it is.</param>
/// <param name="SectorSize">Octets of a logical sector, 512 or 4096.</param>
/// <param name="Sectors">How many the disk has.</param>
/// <param name="Partitions">In the order of their numbers, which begin at one.</param>
public sealed record GuidPartitionTable(Guid DiskId, int SectorSize, long Sectors, IReadOnlyList<GptPartition> Partitions)
{
    public static readonly Guid BiosBoot = new("21686148-6449-6E6F-744E-656564454649");
    public static readonly Guid EfiSystem = new("C12A7328-F81F-11D2-BA4B-00A0C93EC93B");
    /// <summary>The root of an x86-64 system (UAPI discoverable partitions).</summary>
    public static readonly Guid LinuxRoot = new("4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709");

    /// <summary>Octets of a master boot record that are a boot loader's; the rest is the table's own.</summary>
    public const int BootCode = 440;

    const int HeaderLength = 92, Entries = 128, EntryLength = 128, EntriesLength = Entries * EntryLength, MostEntries = 1024;
    const int RecordTable = 446, RecordSignature = 510;

    static ReadOnlySpan<byte> Signature => "EFI PART"u8;

    int EntrySectors => EntriesLength / SectorSize;

    /// <summary>Octets at the disk's beginning: protective record, header, entries.</summary>
    public int PrimaryLength => 2 * SectorSize + EntriesLength;

    /// <summary>Octets at the disk's end: entries, header.</summary>
    public int BackupLength => SectorSize + EntriesLength;

    /// <summary>The disk's first sectors; its boot code is left as it is in <paramref name="destination"/>.</summary>
    //  LBA 0            LBA 1    LBA 2 …                                        … last
    // +----------------+--------+--------------+-------- … -------+--------------+--------+
    // | protective MBR | header | 128 entries  | partitions       | 128 entries  | header |
    // +----------------+--------+--------------+-------- … -------+--------------+--------+
    public void WritePrimary(Span<byte> destination)
    {
        destination[RecordTable..SectorSize].Clear();
        var entry = destination[RecordTable..];
        // Section 5.2.3: one partition of type EEh over all that 32 bits can say, not active.
        (entry[2], entry[4], entry[5], entry[6], entry[7]) = (2, 0xEE, 0xFF, 0xFF, 0xFF);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], 1);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[12..], (uint)Math.Min(Sectors - 1, uint.MaxValue));
        BinaryPrimitives.WriteUInt16LittleEndian(destination[RecordSignature..], 0xAA55);
        WriteEntries(destination.Slice(2 * SectorSize, EntriesLength));
        WriteHeader(destination.Slice(SectorSize, SectorSize), destination.Slice(2 * SectorSize, EntriesLength), own: 1, other: Sectors - 1, entries: 2);
    }

    public void WriteBackup(Span<byte> destination)
    {
        WriteEntries(destination[..EntriesLength]);
        WriteHeader(destination.Slice(EntriesLength, SectorSize), destination[..EntriesLength], own: Sectors - 1, other: 1, entries: Sectors - 1 - EntrySectors);
    }

    //  0           8          12       16      20    24      32      40       48       56        72         80      84      88
    // +-----------+----------+--------+-------+-----+-------+-------+--------+--------+---------+----------+-------+-------+-------+
    // | signature | revision | length | CRC   | 0   | own   | other | first  | last   | disk id | entries  | count | size  | CRC   |
    // +-----------+----------+--------+-------+-----+-------+-------+--------+--------+---------+----------+-------+-------+-------+
    void WriteHeader(Span<byte> header, ReadOnlySpan<byte> list, long own, long other, long entries)
    {
        header.Clear();
        Signature.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], 0x00010000);
        BinaryPrimitives.WriteUInt32LittleEndian(header[12..], HeaderLength);
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], own);
        BinaryPrimitives.WriteInt64LittleEndian(header[32..], other);
        BinaryPrimitives.WriteInt64LittleEndian(header[40..], 2 + EntrySectors);
        BinaryPrimitives.WriteInt64LittleEndian(header[48..], Sectors - 2 - EntrySectors);
        DiskId.TryWriteBytes(header[56..]);
        BinaryPrimitives.WriteInt64LittleEndian(header[72..], entries);
        BinaryPrimitives.WriteUInt32LittleEndian(header[80..], Entries);
        BinaryPrimitives.WriteUInt32LittleEndian(header[84..], EntryLength);
        BinaryPrimitives.WriteUInt32LittleEndian(header[88..], Crc32.Of(list));
        BinaryPrimitives.WriteUInt32LittleEndian(header[16..], Crc32.Of(header[..HeaderLength]));
    }

    void WriteEntries(Span<byte> list)
    {
        list.Clear();
        for (var i = 0; i < Partitions.Count; i++)
        {
            var entry = list.Slice(i * EntryLength, EntryLength);
            var partition = Partitions[i];
            partition.Type.TryWriteBytes(entry);
            partition.Id.TryWriteBytes(entry[16..]);
            BinaryPrimitives.WriteInt64LittleEndian(entry[32..], partition.First);
            BinaryPrimitives.WriteInt64LittleEndian(entry[40..], partition.Last);
            Encoding.Unicode.GetBytes(partition.Name, entry[56..]);
        }
    }

    /// <param name="start">The disk's beginning; a table needs some 17 KiB of it.</param>
    /// <param name="sectorSize">Octets of a logical sector.</param>
    /// <param name="table">What stands there.</param>
    /// <param name="defect">Why that is no table.</param>
    public static bool TryReadPrimary(ReadOnlySpan<byte> start, int sectorSize, [NotNullWhen(true)] out GuidPartitionTable? table, out GptDefect defect)
    {
        table = null;
        if (start.Length < 3 * sectorSize) return (defect = GptDefect.TooShort) == GptDefect.None;
        defect = Read(start.Slice(sectorSize, sectorSize), start[(2 * sectorSize)..], isBackup: false, sectorSize, out table);
        return table is not null;
    }

    /// <param name="end">The disk's end.</param>
    /// <param name="sectorSize">Octets of a logical sector.</param>
    /// <param name="table">What stands there.</param>
    /// <param name="defect">Why that is no table.</param>
    public static bool TryReadBackup(ReadOnlySpan<byte> end, int sectorSize, [NotNullWhen(true)] out GuidPartitionTable? table, out GptDefect defect)
    {
        table = null;
        if (end.Length < 2 * sectorSize) return (defect = GptDefect.TooShort) == GptDefect.None;
        defect = Read(end[^sectorSize..], end[..^sectorSize], isBackup: true, sectorSize, out table);
        return table is not null;
    }

    static GptDefect Read(ReadOnlySpan<byte> header, ReadOnlySpan<byte> beside, bool isBackup, int sectorSize, out GuidPartitionTable? table)
    {
        table = null;
        if (!header.StartsWith(Signature)) return GptDefect.NoSignature;
        var length = BinaryPrimitives.ReadUInt32LittleEndian(header[12..]);
        if (length < HeaderLength || length > sectorSize) return GptDefect.BadHeaderSize;
        var summed = header[..(int)length].ToArray();
        summed.AsSpan(16, 4).Clear();
        if (Crc32.Of(summed) != BinaryPrimitives.ReadUInt32LittleEndian(header[16..])) return GptDefect.BadHeaderSum;
        var (own, other) = (BinaryPrimitives.ReadInt64LittleEndian(header[24..]), BinaryPrimitives.ReadInt64LittleEndian(header[32..]));
        if (own <= 0 || other <= 0 || (isBackup ? other : own) != 1) return GptDefect.NotWhereItSays;
        var (count, size) = (BinaryPrimitives.ReadUInt32LittleEndian(header[80..]), BinaryPrimitives.ReadUInt32LittleEndian(header[84..]));
        if (count is 0 or > MostEntries || size is < EntryLength or > 4096 || size % EntryLength != 0 || count * size > beside.Length) return GptDefect.BadEntries;
        // A backup's entries end where its header begins, but for what rounding to sectors leaves.
        var used = (int)(count * size);
        var at = isBackup ? beside.Length - (used + sectorSize - 1) / sectorSize * sectorSize : 0;
        if (at < 0) return GptDefect.BadEntries;
        var list = beside.Slice(at, used);
        if (Crc32.Of(list) != BinaryPrimitives.ReadUInt32LittleEndian(header[88..])) return GptDefect.BadEntrySum;
        var partitions = new List<GptPartition>();
        for (var i = 0; i < count; i++)
        {
            var entry = list.Slice(i * (int)size, EntryLength);
            var partition = new GptPartition(new(entry[..16]), new(entry[16..32]), BinaryPrimitives.ReadInt64LittleEndian(entry[32..]), BinaryPrimitives.ReadInt64LittleEndian(entry[40..]), NameOf(entry[56..]));
            if (partition.Type == Guid.Empty) continue;
            if (partition.First < 0 || partition.Last < partition.First || partition.Last >= Math.Max(own, other)) return GptDefect.BadPartition;
            partitions.Add(partition);
        }
        table = new(new(header[56..72]), sectorSize, Math.Max(own, other) + 1, partitions);
        return GptDefect.None;
    }

    static string NameOf(ReadOnlySpan<byte> field)
    {
        var text = Encoding.Unicode.GetString(field);
        return text.IndexOf('\0', StringComparison.Ordinal) is >= 0 and var end ? text[..end] : text;
    }
}
