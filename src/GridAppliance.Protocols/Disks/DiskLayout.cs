namespace GridAppliance.Protocols.Disks;

/// <summary>
/// How a system lies on a node's disk: a place for a BIOS boot loader, the EFI system partition, and the root, which takes the rest. Pure: the same disk and identity give the same table, so what was written can be found
/// again when nothing of it can be read any more.
/// </summary>
public static class DiskLayout
{
    public const int BiosBoot = 1, EfiSystem = 2, Root = 3;

    /// <summary>Octets. Partitions begin and end at multiples, which suits every flash page and RAID stripe.</summary>
    public const long Alignment = 1 << 20;

    /// <summary>Octets. The image is staged there until the root holds it, so none that is larger can be installed.</summary>
    public const long EfiSystemSize = 512 << 20;

    /// <summary>Octets of the smallest disk: an unpacked system of half a gigabyte, and room to live in.</summary>
    public const long SmallestDisk = 2L << 30;

    /// <param name="id">The disk's identity from now on; its partitions' are derived from it.</param>
    /// <param name="size">Octets of the disk.</param>
    /// <param name="sectorSize">Octets of a logical sector.</param>
    /// <returns>Null for a disk that is too small.</returns>
    public static GuidPartitionTable? For(Guid id, long size, int sectorSize)
    {
        if (size < SmallestDisk || sectorSize is not (512 or 4096)) return null;
        var end = (size - Alignment) / Alignment * Alignment;
        GptPartition Partition(int number, Guid type, long from, long to, string name) => new(type, Derived(id, number), from / sectorSize, to / sectorSize - 1, name);
        const long bios = Alignment, efi = 2 * Alignment, root = efi + EfiSystemSize;
        return new(id, sectorSize, size / sectorSize,
        [
            Partition(BiosBoot, GuidPartitionTable.BiosBoot, bios, efi, "grid-bios"),
            Partition(EfiSystem, GuidPartitionTable.EfiSystem, efi, root, "grid-efi"),
            Partition(Root, GuidPartitionTable.LinuxRoot, root, end, "grid-root"),
        ]);
    }

    static Guid Derived(Guid id, int number)
    {
        var bytes = id.ToByteArray();
        bytes[^1] ^= (byte)number;
        return new(bytes);
    }
}
