using System.Buffers.Binary;

namespace GridAppliance.Protocols.Disks;

/// <summary>
/// What <c>grub-bios-setup</c> does on a disk with a BIOS boot partition, for GRUB 2's i386-pc images: the boot sector is told where the core image lies, and the core image's first sector where the rest of it does
/// (offsets: include/grub/i386/pc/boot.h; the settings: util/setup.c).
/// </summary>
public static class GrubBiosBoot
{
    public const int Sector = 512;

    const int KernelSector = 0x5C, BootDrive = 0x64, DriveCheck = 0x66, BlockList = Sector - 12;
    const byte AnyDrive = 0xFF, NoOperation = 0x90;
    /// <summary>Where the rest of the core image goes in memory, one sector after its first: 0x8200.</summary>
    const ushort Segment = 0x820;

    /// <param name="bootImage"><c>boot.img</c>, one sector.</param>
    /// <param name="coreSector">Where the core image begins on the disk, in sectors of 512 octets.</param>
    /// <param name="record">The disk's master boot record, whose boot code is set and whose partition table is left.</param>
    public static void PlaceBootCode(ReadOnlySpan<byte> bootImage, long coreSector, Span<byte> record)
    {
        bootImage[..GuidPartitionTable.BootCode].CopyTo(record);
        BinaryPrimitives.WriteInt64LittleEndian(record[KernelSector..], coreSector);
        record[BootDrive] = AnyDrive;
        // Instead of the jump that believes what the BIOS says of the drive: on a disk, some say that it is a floppy.
        record[DriveCheck] = record[DriveCheck + 1] = NoOperation;
    }

    /// <summary>Makes a core image of <c>grub-mkimage</c> one that can be started where it lies.</summary>
    /// <param name="core">The core image, whole.</param>
    /// <param name="coreSector">As above.</param>
    public static void PlaceCore(Span<byte> core, long coreSector)
    {
        BinaryPrimitives.WriteInt64LittleEndian(core[BlockList..], coreSector + 1);
        BinaryPrimitives.WriteUInt16LittleEndian(core[(BlockList + 8)..], (ushort)((core.Length - 1) / Sector));
        BinaryPrimitives.WriteUInt16LittleEndian(core[(BlockList + 10)..], Segment);
    }
}
