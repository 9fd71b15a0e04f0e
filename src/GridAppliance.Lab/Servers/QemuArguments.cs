using System.Globalization;

namespace GridAppliance.Lab.Servers;

/// <summary>The command line of a server's QEMU; pure. The settings and their reasons are in docs/lab.md.</summary>
static class QemuArguments
{
    public const string Program = "/usr/bin/qemu-system-x86_64";
    public const string BiosBootRom = "/usr/lib/ipxe/qemu/pxe-virtio.rom";
    public const string UefiCode = "/usr/share/OVMF/OVMF_CODE_4M.fd";
    public const string UefiVariables = "/usr/share/OVMF/OVMF_VARS_4M.fd";

    public static IReadOnlyList<string> For(LabName lab, LabServer server) =>
    [
        Program,
        "-name", $"{lab}-{server.Name}",
        // Nested KVM may be there and hang, so it is never tried.
        "-accel", "tcg",
        // Without graphics SeaBIOS and iPXE speak on the serial port.
        "-machine", "q35,graphics=off",
        "-cpu", "max", "-smp", "1", "-m", server.MemoryMiB.ToString(CultureInfo.InvariantCulture),
        "-nodefaults", "-no-user-config", "-display", "none",
        "-uuid", server.Uuid.ToString(),
        "-smbios", $"type=1,manufacturer=GridLab,product={ProductOf(server.Firmware)},serial={server.Serial}",
        .. FirmwareOf(server),
        // vnet_hdr=off: the userspace datapath passes on frames with unfinished checksums, which the guest's TCP then drops.
        "-netdev", $"tap,id=net0,ifname={server.Tap},script=no,downscript=no,vnet_hdr=off",
        "-device", $"virtio-net-pci,netdev=net0,mac={server.Mac},bootindex=0,romfile={BootRomOf(server.Firmware)}",
        "-drive", $"if=none,id=disk0,format=raw,file={server.Disk},cache=unsafe",
        "-device", $"virtio-blk-pci,drive=disk0,serial={server.Serial}-0,bootindex=1",
        "-device", "virtio-rng-pci",
        "-chardev", $"socket,id=console,path={server.ConsoleSocket},server=on,wait=off,logfile={server.ConsoleLog},logappend=on",
        "-serial", "chardev:console",
        "-qmp", $"unix:{server.MonitorSocket},server=on,wait=off",
    ];

    static IEnumerable<string> FirmwareOf(LabServer server)
    {
        if (server.Firmware is ServerFirmware.Bios) yield break;
        yield return "-drive";
        yield return $"if=pflash,format=raw,unit=0,readonly=on,file={UefiCode}";
        yield return "-drive";
        yield return $"if=pflash,format=raw,unit=1,file={server.FirmwareVariables}";
        if (server.Firmware is ServerFirmware.UefiPxe) yield break;
        foreach (var family in (string[])["IPv4PXESupport", "IPv6PXESupport"])
        {
            yield return "-fw_cfg";
            yield return $"name=opt/org.tianocore/{family},string=n";
        }
    }

    /// <summary>An empty ROM file takes iPXE away, so that OVMF's own clients boot.</summary>
    static string BootRomOf(ServerFirmware firmware) => firmware switch
    {
        ServerFirmware.Bios => BiosBootRom,
        ServerFirmware.UefiPxe => "",
        ServerFirmware.UefiHttp => "",
    };

    static string ProductOf(ServerFirmware firmware) => firmware switch
    {
        ServerFirmware.Bios => "BIOS server",
        ServerFirmware.UefiPxe => "UEFI PXE server",
        ServerFirmware.UefiHttp => "UEFI HTTP boot server",
    };
}
