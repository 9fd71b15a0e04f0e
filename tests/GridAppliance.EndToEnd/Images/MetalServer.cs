using System.Diagnostics;
using System.Text.Json.Nodes;
using GridAppliance.Lab.Servers;

namespace GridAppliance.EndToEnd.Images;

/// <summary>
/// A server whose hardware is none of the lab's: an Intel NIC, disks on NVMe, AHCI and virtio, a BMC, and two slots into which things are plugged while it runs. It boots
/// the metal image directly and reaches 10.0.2.2, which is this machine's loopback (QEMU's user network: no interface, no namespace).
/// </summary>
sealed class MetalServer : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("metal-server-");
    readonly Process process;

    public MetalServer(NodeImage image, string bootParameters)
    {
        foreach (var disk in (string[])["nvme", "sata", "virtio", "later"])
            using (var file = File.Create(Disk(disk))) file.SetLength(Size(disk));
        var start = new ProcessStartInfo("/usr/bin/qemu-system-x86_64") { UseShellExecute = false };
        foreach (var argument in Arguments(image, bootParameters)) start.ArgumentList.Add(argument);
        process = Process.Start(start)!;
    }

    public string Console => File.Exists(ConsoleLog) ? File.ReadAllText(ConsoleLog) : "";

    public static long Size(string disk) => disk switch { "nvme" => 64 << 20, "sata" => 48 << 20, "virtio" => 32 << 20, _ => 16 << 20 };

    string ConsoleLog => Path.Combine(folder.FullName, "console.log");
    string Monitor => Path.Combine(folder.FullName, "qmp.sock");

    /// <summary>A drive in the first slot and a card in the second.</summary>
    public async Task PlugInAsync(CancellationToken cancellationToken)
    {
        await QmpClient.SendAsync(Monitor, "device_add", new JsonObject { ["driver"] = "nvme", ["id"] = "late-disk", ["drive"] = "later", ["serial"] = "LATER", ["bus"] = "slot1" }, cancellationToken);
        await QmpClient.SendAsync(Monitor, "device_add", new JsonObject { ["driver"] = "virtio-net-pci", ["id"] = "late-card", ["mac"] = "52:54:00:00:00:02", ["bus"] = "slot2" }, cancellationToken);
    }

    public void Dispose()
    {
        if (!process.HasExited) process.Kill();
        process.WaitForExit(TimeSpan.FromSeconds(30));
        process.Dispose();
        folder.Delete(recursive: true);
    }

    string Disk(string name) => Path.Combine(folder.FullName, name + ".img");

    string[] Arguments(NodeImage image, string bootParameters) =>
    [
        "-name", "metal-server", "-accel", "tcg", "-machine", "q35,graphics=off", "-cpu", QemuArguments.Processor, "-smp", "1", "-m", "1024", "-nodefaults", "-no-user-config", "-display", "none",
        "-kernel", image.PathOf("vmlinuz"), "-initrd", image.PathOf("initramfs.zst"), "-append", $"{image.CommandLine} no_timer_check {bootParameters}",
        "-netdev", "user,id=net0", "-device", "e1000e,netdev=net0,mac=52:54:00:00:00:01",
        "-drive", $"if=none,id=nvme,format=raw,file={Disk("nvme")}", "-device", "nvme,drive=nvme,serial=NVME-0",
        "-drive", $"if=none,id=sata,format=raw,file={Disk("sata")}", "-device", "ide-hd,drive=sata,bus=ide.0,serial=SATA-0",
        "-drive", $"if=none,id=virtio,format=raw,file={Disk("virtio")}", "-device", "virtio-blk-pci,drive=virtio,serial=VIRTIO-0",
        "-drive", $"if=none,id=later,format=raw,file={Disk("later")}",
        "-device", "pcie-root-port,id=slot1,chassis=1,slot=1", "-device", "pcie-root-port,id=slot2,chassis=2,slot=2",
        "-device", "ipmi-bmc-sim,id=bmc0", "-device", "isa-ipmi-kcs,bmc=bmc0",
        "-chardev", $"file,id=console,path={ConsoleLog}", "-serial", "chardev:console", "-qmp", $"unix:{Monitor},server=on,wait=off",
    ];
}
