using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Lab.Servers;

/// <summary>One simulated server, as it stands in its rack: nothing of it is told to the appliance.</summary>
sealed record LabServer
{
    public required string Name { get; init; }
    public required ServerFirmware Firmware { get; init; }
    public required MacAddress Mac { get; init; }
    /// <summary>SMBIOS system UUID.</summary>
    public required Guid Uuid { get; init; }
    public required string Serial { get; init; }
    /// <summary>The switch port's interface that its cable ends in.</summary>
    public required string Tap { get; init; }
    public required LabBmc Bmc { get; init; }
    /// <summary>Holds its disk, firmware variables, console log, socket and BMC.</summary>
    public required string Directory { get; init; }
    public int MemoryMiB { get; init; } = 512;
    public int DiskMiB { get; init; } = 64;
    public LabDiskKind DiskKind { get; init; }
    /// <summary>Octets of a logical sector of its disk: 512, or 4096 (which SATA disks of QEMU do not have, nor a BIOS boots from).</summary>
    public int DiskSectorSize { get; init; } = 512;
    /// <summary>Folder with vmlinuz and initrd.img of a system that is on its disk (/dev/vda) and starts without asking the network; null: a blank machine.</summary>
    public string? OwnSystem { get; init; }
    /// <summary>The processor of this machine that it is emulated on; null: any.</summary>
    public int? Processor { get; init; }

    public string Disk => $"{Directory}/disk.img";
    public string FirmwareVariables => $"{Directory}/vars.fd";
    /// <summary>Folder that UEFI firmware sees as a USB drive; no driver of the node image does.</summary>
    public string RetryStick => $"{Directory}/retry";
    /// <summary>Everything that the serial port said since power-on.</summary>
    public string ConsoleLog => $"{Directory}/console.log";
    public string MonitorSocket => $"{Directory}/qmp.sock";
}

/// <summary>How a server comes to its boot file.</summary>
enum ServerFirmware
{
    /// <summary>SeaBIOS with iPXE in the NIC's option ROM.</summary>
    Bios,
    /// <summary>OVMF's own PXE client: DHCP, then TFTP.</summary>
    UefiPxe,
    /// <summary>OVMF's own HTTP client: DHCP, then a URL.</summary>
    UefiHttp,
}

/// <summary>What a server's disk hangs on. The virtual image has drivers for all but SATA.</summary>
enum LabDiskKind
{
    Virtio,
    VirtioScsi,
    Nvme,
    /// <summary>AHCI.</summary>
    Sata,
}
