using System.Text;
using GridAppliance.Protocols.Disks;
using Microsoft.Win32.SafeHandles;

namespace GridAppliance.Agent.Disks;

/// <summary>What lies on a disk, before anything of it is written.</summary>
/// <param name="Table">Its GUID partition table, from either end.</param>
/// <param name="Data">In a few words, what somebody may have there; null for a disk whose both ends are zero.</param>
sealed record DiskContent(GuidPartitionTable? Table, string? Data)
{
    /// <summary>Octets at each end: every file system, volume manager, RAID and partition table in use has its mark there.</summary>
    const int End = 1 << 20;

    /// <summary>Marks worth a word: name, offset, octets.</summary>
    static readonly (string Name, int At, byte[] Mark)[] Marks =
    [
        ("ext", 0x438, [0x53, 0xEF]), ("XFS", 0, "XFSB"u8.ToArray()), ("btrfs", 0x10040, "_BHRfS_M"u8.ToArray()), ("LVM", 0x218, "LVM2 001"u8.ToArray()), ("LUKS", 0, [(byte)'L', (byte)'U', (byte)'K', (byte)'S', 0xBA, 0xBE]),
        ("swap", 4086, "SWAPSPACE2"u8.ToArray()), ("Linux RAID", 0x1000, [0xFC, 0x4E, 0x2B, 0xA9]), ("NTFS", 3, "NTFS    "u8.ToArray()), ("an MBR", 510, [0x55, 0xAA]),
    ];

    public static DiskContent Of(DiskDevice disk, SafeFileHandle file)
    {
        var (start, end) = (Read(file, 0, (int)Math.Min(End, disk.Size)), Read(file, Math.Max(0, disk.Size - End), (int)Math.Min(End, disk.Size)));
        if (GuidPartitionTable.TryReadPrimary(start, disk.SectorSize, out var table, out _) || GuidPartitionTable.TryReadBackup(end, disk.SectorSize, out table, out _))
            return new(table, table.Partitions.Count == 0 ? "an empty partition table" : $"{(table.Partitions.Count == 1 ? "a partition" : $"{table.Partitions.Count} partitions")}: {string.Join(", ", table.Partitions.Take(8).Select(NameOf))}");
        var mark = Marks.Where(mark => start.AsSpan(mark.At).StartsWith(mark.Mark)).Select(mark => mark.Name).FirstOrDefault();
        return new(null, mark ?? (start.AsSpan().ContainsAnyExcept((byte)0) || end.AsSpan().ContainsAnyExcept((byte)0) ? "data of an unknown kind" : null));
    }

    /// <summary>For people: what a stranger called it, in harmless letters.</summary>
    static string NameOf(GptPartition partition, int index) =>
        $"{index + 1} \"{string.Concat(partition.Name.Where(c => c is >= ' ' and <= '~' and not '"').Take(32))}\" from sector {partition.First} to {partition.Last}";

    static byte[] Read(SafeFileHandle file, long offset, int length)
    {
        var buffer = new byte[length];
        for (var got = 0; got < length;)
        {
            var read = RandomAccess.Read(file, buffer.AsSpan(got), offset + got);
            if (read == 0) throw new IOException($"the disk ends at octet {offset + got}, before its own size");
            got += read;
        }
        return buffer;
    }
}
