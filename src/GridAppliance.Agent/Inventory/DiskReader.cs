using System.Text;
using GridAppliance.Api.Nodes;

namespace GridAppliance.Agent.Inventory;

/// <summary>Disks out of <c>/sys/block</c>: what a person would call a disk, so neither loop devices nor memory nor what is stacked on other disks.</summary>
static class DiskReader
{
    const int SectorSize = 512;   // the unit of `size`, whatever the disk's own sectors are
    static readonly string[] NotDisks = ["loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd"];

    public static IReadOnlyList<DiskDocument> Read(string sys) => [.. SystemFiles.Entries(Path.Combine(sys, "block")).Select(ReadOne).OfType<DiskDocument>()];

    static DiskDocument? ReadOne(string path)
    {
        var name = Path.GetFileName(path);
        if (NotDisks.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal))) return null;
        var size = (SystemFiles.Number(path, "size") ?? 0) * SectorSize;
        var removable = SystemFiles.Number(path, "removable") == 1;
        // A card reader without a card, a drive without a medium.
        if (size == 0 && removable) return null;
        return new DiskDocument
        {
            Name = name,
            SizeBytes = size,
            Model = SystemFiles.Text(path, "device/model"),
            Serial = SystemFiles.Text(path, "serial") ?? SystemFiles.Text(path, "device/serial") ?? UnitSerial(path),
            Wwn = SystemFiles.Text(path, "wwid") ?? SystemFiles.Text(path, "device/wwid"),
            Rotational = SystemFiles.Number(path, "queue/rotational") == 1,
            Removable = removable,
            Transport = TransportOf(name, SystemFiles.Resolve(path)),
        };
    }

    /// <summary>SCSI vital product data, page 80h (SPC-4 section 7.8.15): page code, length at offset 2, then the serial number.</summary>
    static string? UnitSerial(string path)
    {
        if (SystemFiles.Bytes(Path.Combine(path, "device/vpd_pg80")) is not { Length: > 4 } page) return null;
        var length = Math.Min(page[2] << 8 | page[3], page.Length - 4);
        var text = Encoding.ASCII.GetString(page, 4, length).Trim('\0', ' ');
        return text.Length > 0 && !text.Any(char.IsControl) ? text : null;
    }

    static string? TransportOf(string name, string place) =>
        name.StartsWith("nvme", StringComparison.Ordinal) ? "nvme"
        : place.Contains("/virtio", StringComparison.Ordinal) ? "virtio"
        : place.Contains("/usb", StringComparison.Ordinal) ? "usb"
        : place.Contains("/ata", StringComparison.Ordinal) ? "sata"
        : place.Contains("/end_device-", StringComparison.Ordinal) ? "sas"
        : null;
}
