using System.Globalization;

namespace GridAppliance.Lab.Servers;

/// <summary>The command line of a server's QEMU; pure. The settings and their reasons are in docs/lab.md.</summary>
static class QemuArguments
{
    public const string Program = "/usr/bin/qemu-system-x86_64";

    const string Binder = "/usr/bin/taskset";

    /// <summary>
    /// The best that QEMU emulates, without what emulation makes slow: five levels of page tables are five steps for each miss of an emulated TLB; and where a processor says that it moves
    /// strings fast (ERMS, FSRM), the kernel copies and clears by <c>rep movsb</c>, which an emulator does a byte at a time. Together a quarter of a boot.
    /// </summary>
    public const string Processor = "max,-la57,-erms,-fsrm";

    /// <summary>What QEMU puts into a virtio NIC when it is not told: iPXE for BIOS and UEFI in one image.</summary>
    public const string DefaultBootRom = "/usr/lib/ipxe/qemu/efi-virtio.rom";
    public const string UefiCode = "/usr/share/OVMF/OVMF_CODE_4M.fd";
    public const string UefiVariables = "/usr/share/OVMF/OVMF_VARS_4M.fd";

    /// <param name="lab">Whose.</param>
    /// <param name="server">Which.</param>
    /// <param name="diskFirst">It tries its disk before the network, as its BMC was told; otherwise the network comes first.</param>
    public static IReadOnlyList<string> For(LabName lab, LabServer server, bool diskFirst = false) =>
    [
        .. server.Processor is { } processor ? (IReadOnlyList<string>)[Binder, "--cpu-list", processor.ToString(CultureInfo.InvariantCulture)] : [],
        Program,
        "-name", $"{lab}-{server.Name}",
        // Nested KVM may be there and hang, so it is never tried.
        "-accel", "tcg",
        // Without graphics SeaBIOS and iPXE speak on the serial port.
        "-machine", "q35,graphics=off",
        "-cpu", Processor, "-smp", "1", "-m", server.MemoryMiB.ToString(CultureInfo.InvariantCulture),
        "-nodefaults", "-no-user-config", "-display", "none",
        "-uuid", server.Uuid.ToString(),
        "-smbios", $"type=1,manufacturer=GridLab,product={ProductOf(server.Firmware)},serial={server.Serial}",
        .. FirmwareOf(server),
        // As its own boot loader would start it; none is written to the disk for that. A kernel that QEMU is given is the first of what boots.
        .. server.OwnSystem is { } system ? (IReadOnlyList<string>)["-kernel", $"{system}/vmlinuz", "-initrd", $"{system}/initrd.img", "-append", "root=/dev/vda console=ttyS0 no_timer_check"] : [],
        // vnet_hdr=off: the userspace datapath passes on frames with unfinished checksums, which the guest's TCP then drops.
        "-netdev", $"tap,id=net0,ifname={server.Tap},script=no,downscript=no,vnet_hdr=off",
        "-device", $"virtio-net-pci,netdev=net0,mac={server.Mac}{(server.OwnSystem is null ? $",bootindex={(diskFirst ? 1 : 0)}" : "")}{BootRomOf(server.Firmware)}",
        "-drive", $"if=none,id=disk0,format=raw,file={server.Disk},cache=unsafe",
        .. DiskOf(server, bootIndex: diskFirst && server.OwnSystem is null ? 0 : 1),
        "-device", "virtio-rng-pci",
        // Where its BMC finds it for serial over LAN.
        "-chardev", $"socket,id=console,host=127.0.0.1,port={server.Bmc.SerialPort},server=on,wait=off,nodelay=on,logfile={server.ConsoleLog},logappend=on",
        "-serial", "chardev:console",
        // Its BMC as its own operating system finds it; one that is away is looked for again every second.
        "-chardev", $"socket,id=bmc,host=127.0.0.1,port={server.Bmc.InBandPort},reconnect=1",
        "-device", "ipmi-bmc-extern,id=bmc0,chardev=bmc", "-device", "isa-ipmi-kcs,bmc=bmc0",
        "-qmp", $"unix:{server.MonitorSocket},server=on,wait=off",
    ];

    static IReadOnlyList<string> DiskOf(LabServer server, int bootIndex)
    {
        var sectors = server.DiskSectorSize == 512 ? "" : string.Create(CultureInfo.InvariantCulture, $",logical_block_size={server.DiskSectorSize},physical_block_size={server.DiskSectorSize}");
        var disk = $"drive=disk0,serial={server.Serial}-0,bootindex={bootIndex}{sectors}";
        return server.DiskKind switch
        {
            LabDiskKind.Virtio => ["-device", $"virtio-blk-pci,{disk}"],
            LabDiskKind.VirtioScsi => ["-device", "virtio-scsi-pci,id=scsi0", "-device", $"scsi-hd,bus=scsi0.0,{disk}"],
            LabDiskKind.Nvme => ["-device", $"nvme,{disk}"],
            LabDiskKind.Sata => ["-device", $"ide-hd,bus=ide.0,{disk}"],
        };
    }

    static IReadOnlyList<string> FirmwareOf(LabServer server) => server.Firmware switch
    {
        // Servers go through their boot order again when nothing boots; SeaBIOS does when it is told to.
        ServerFirmware.Bios => ["-boot", "reboot-timeout=1000"],
        ServerFirmware.UefiPxe => Uefi(server),
        ServerFirmware.UefiHttp =>
        [
            .. Uefi(server),
            "-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=n",
            "-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n",
        ],
    };

    static IReadOnlyList<string> Uefi(LabServer server) =>
    [
        "-drive", $"if=pflash,format=raw,unit=0,readonly=on,file={UefiCode}",
        "-drive", $"if=pflash,format=raw,unit=1,file={server.FirmwareVariables}",
        // OVMF ends in its shell when nothing boots, and the shell runs startup.nsh from any drive: this one restarts the machine, as servers do.
        // It is in the boot order, since OVMF looks for no other drives where it is given one.
        "-device", "qemu-xhci",
        "-drive", $"if=none,id=retry,format=raw,read-only=on,file=fat:{server.RetryStick}",
        "-device", "usb-storage,drive=retry,removable=on,bootindex=2",
    ];

    /// <summary>
    /// An empty ROM file takes iPXE away, so that OVMF's own clients boot. The default must not be named: QEMU writes the NIC's PCI ids into a ROM only when it
    /// chose it itself, and SeaBIOS passes over one with other ids.
    /// </summary>
    static string BootRomOf(ServerFirmware firmware) => firmware switch
    {
        ServerFirmware.Bios => "",
        ServerFirmware.UefiPxe => ",romfile=",
        ServerFirmware.UefiHttp => ",romfile=",
    };

    public static string ProductOf(ServerFirmware firmware) => firmware switch
    {
        ServerFirmware.Bios => "BIOS server",
        ServerFirmware.UefiPxe => "UEFI PXE server",
        ServerFirmware.UefiHttp => "UEFI HTTP boot server",
    };
}
