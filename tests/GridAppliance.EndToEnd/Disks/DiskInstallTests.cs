using System.Diagnostics;
using System.Globalization;
using GridAppliance.EndToEnd.Lab;
using GridAppliance.Lab;
using GridAppliance.Lab.Servers;
using Xunit.Abstractions;

namespace GridAppliance.EndToEnd.Disks;

/// <summary>A system on a node's own disk, started by the machine's firmware from there, and gone from it again.</summary>
public sealed class DiskInstallTests(ITestOutputHelper output)
{
    const string Own = "10.77.0.20";

    // Minutes each under emulation. The cloud kernel of the virtual image has no driver for SATA.
    [LabTheory]
    [Trait("Soak", "yes")]
    [InlineData("e2edskb", nameof(ServerFirmware.Bios), nameof(LabDiskKind.Virtio), 512, nameof(LabImage.Virtual), null, "quick")]
    [InlineData("e2edsku", nameof(ServerFirmware.UefiHttp), nameof(LabDiskKind.Virtio), 512, nameof(LabImage.Virtual), null, "full")]
    [InlineData("e2edskn", nameof(ServerFirmware.Bios), nameof(LabDiskKind.Nvme), 512, nameof(LabImage.Virtual), Own, "full")]
    [InlineData("e2edsk4", nameof(ServerFirmware.UefiHttp), nameof(LabDiskKind.Nvme), 4096, nameof(LabImage.Virtual), null, "quick")]
    [InlineData("e2edsks", nameof(ServerFirmware.Bios), nameof(LabDiskKind.Sata), 512, nameof(LabImage.Metal), null, "quick")]
    [InlineData("e2edskv", nameof(ServerFirmware.Bios), nameof(LabDiskKind.VirtioScsi), 512, nameof(LabImage.Virtual), null, "quick")]
    public async Task An_idle_node_gets_a_system_on_its_disk_boots_from_there_and_is_released_with_nothing_left(string name, string firmware, string kind, int sectorSize, string image, string? address, string wipe)
    {
        await using var at = await DiskLab.StartAsync(name, Enum.Parse<ServerFirmware>(firmware), Enum.Parse<LabDiskKind>(kind), sectorSize, Enum.Parse<LabImage>(image));
        var client = at.Lab.Rig.Appliance.Client;
        var install = at.Install(["--hostname", "storage-1", .. address is null ? (string[])[] : ["--address", $"{address}/24", "--gateway", "10.77.0.1", "--dns", "10.77.0.1"]]);
        Assert.Contains("storage-1", await at.Lab.GridctlAsync([.. install, "--dry-run"]), StringComparison.Ordinal);
        Assert.Equal("idle", (await at.NodeAsync()).State);

        var began = Stopwatch.GetTimestamp();
        await at.Lab.GridctlAsync(install);
        output.Say("an idle node to one that runs from its disk", began);
        await SayStepsAsync(at);
        var there = await at.NodeAsync();
        Assert.Equal(("active", "debian-disk", at.Disk, "storage-1"), (there.State, there.Image, there.Disk?.Name, there.Disk?.HostName));
        // Its agent calls from where its network settings put it.
        if (address is not null) there = await at.UntilAsync(found => found.Ip == address, "a call from the node's own address");

        // What cloud-init was told of: its name, and a key that lets in.
        await at.LoginAsync(there.Ip!, answer => answer.Trim() == "storage-1", "hostname");
        output.Say("and to a login", began);
        // It starts sshd anew once it has set that up.
        var result = await at.LoginAsync(there.Ip!, answer => answer.Contains("\"datasource\"", StringComparison.Ordinal), "sudo", "cat", "/run/cloud-init/result.json");
        Assert.Contains("\"errors\": []", result, StringComparison.Ordinal);
        Assert.Contains("/cloud/", result, StringComparison.Ordinal);
        Task<string> Login(params string[] command) => at.LoginAsync(there.Ip!, static _ => true, command);
        Assert.Contains($"{(char.IsDigit(at.Disk[^1]) ? at.Disk + "p" : at.Disk)}3 / ext4", await Login("cat", "/proc/mounts"), StringComparison.Ordinal);
        Assert.Contains("seedfrom", await Login("sudo", "cat", "/etc/cloud/cloud.cfg.d/91-grid-source.cfg"), StringComparison.Ordinal);
        var addresses = await Login("ip", "-4", "-o", "address", "show", "dev", "eth0");
        Assert.Equal(address is null, addresses.Contains(" dynamic ", StringComparison.Ordinal));
        Assert.Contains($"inet {there.Ip}/24 ", addresses, StringComparison.Ordinal);
        Assert.Equal("", (await Login("sudo", "systemctl", "--failed", "--no-legend")).Trim());

        // It is the machine's own now: another start goes there without anybody's doing.
        began = Stopwatch.GetTimestamp();
        await at.Lab.Rig.Servers.PowerOffAsync(at.Server, CancellationToken.None);
        await LabInstance.UntilAsync(() => client.GetWhy(at.Node, CancellationToken.None), why => !why.Ok, "a machine that is off to be missed");
        var last = (await at.NodeAsync()).Agent!.LastSeen;
        var on = Stopwatch.GetTimestamp();
        await at.Lab.Rig.Servers.PowerOnAsync(at.Server, CancellationToken.None);
        await at.UntilAsync(found => found.Agent?.LastSeen > last && found.Image == "debian-disk" && (address is null || found.Ip == address), "the agent on the disk again");
        output.Say("off, missed, switched on again", began);
        await at.LoginAsync(there.Ip!, answer => answer.Trim() == "storage-1", "hostname");
        output.Say("power-on to a login", on);

        began = Stopwatch.GetTimestamp();
        await at.Lab.GridctlAsync("node", "release", at.Node, "--wipe", wipe);
        output.Say($"released with a {wipe} wipe", began);
        var released = await at.NodeAsync();
        Assert.Equal(("idle", "tiny", null), (released.State, released.Image, released.Disk));
        await at.Lab.Rig.Servers.PowerOffAsync(at.Server, CancellationToken.None);
        const long mebi = DiskLab.Mebi;
        foreach (var from in (long[])[0, mebi, 2 * mebi, 514 * mebi - mebi, 514 * mebi, DiskLab.Size - 2 * mebi, DiskLab.Size - mebi]) Assert.True(await at.IsZeroAsync(from, mebi), $"octet {from} and the mebibyte behind it");
        if (wipe == "full") Assert.True(await at.IsZeroAsync(0, DiskLab.Size), "the whole disk");
    }

    async Task SayStepsAsync(DiskLab at)
    {
        foreach (var step in (await at.Lab.Rig.Appliance.Client.GetTimeline(at.Node, CancellationToken.None)).Events.Where(step => step.Kind.StartsWith("operation.", StringComparison.Ordinal)))
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {step.At:HH:mm:ss.f} {step.Message}"));
    }
}
