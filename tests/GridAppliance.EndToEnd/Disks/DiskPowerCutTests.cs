using System.Diagnostics;
using System.Text.Json.Nodes;
using GridAppliance.EndToEnd.Lab;
using GridAppliance.Lab.Servers;
using Xunit.Abstractions;

namespace GridAppliance.EndToEnd.Disks;

/// <summary>The plug is pulled while a node's disk is written, and while it is wiped.</summary>
public sealed class DiskPowerCutTests(ITestOutputHelper output)
{
    [LabFact]
    [Trait("Soak", "yes")]
    public async Task A_power_cut_in_the_middle_of_writing_or_wiping_a_disk_ends_in_a_whole_system_and_in_none()
    {
        await using var at = await DiskLab.StartAsync("e2edskp", ServerFirmware.Bios);
        await at.Lab.GridctlAsync([.. at.Install("--hostname", "storage-1"), "--no-wait"]);
        foreach (var moment in (string[])["fetching the image", "unpacking the image", "making it bootable"])
        {
            var began = Stopwatch.GetTimestamp();
            await CutAsync(at, moment);
            var cut = await at.NodeAsync();
            // Never as if nothing were on it: not idle, and the record says what a release has to wipe.
            Assert.Equal(("assigning", "tiny", at.Disk), (cut.State, cut.Image, cut.Disk?.Name));
            Assert.False(await at.IsZeroAsync(0, DiskLab.Mebi), "nothing was written yet");
            output.Say($"cut while {moment}", began);
            await at.Lab.Rig.Servers.PowerOnAsync(at.Server, CancellationToken.None);
        }
        // Once more, in the middle of its first start from there.
        await LabInstance.UntilAsync(() => File.ReadAllTextAsync(at.Server.ConsoleLog), said => said.Contains("running 'init-local'", StringComparison.Ordinal), "cloud-init's beginning", TimeSpan.FromMinutes(10));
        await at.Lab.Rig.Servers.PowerCycleAsync(at.Server, CancellationToken.None);
        var whole = await at.UntilAsync(node => node.State != "assigning", "the end of the installation");
        Assert.Equal(("active", "debian-disk", "storage-1"), (whole.State, whole.Image, whole.Disk?.HostName));
        await at.LoginAsync(whole.Ip!, answer => answer.Trim() == "storage-1", "hostname");
        var result = await at.LoginAsync(whole.Ip!, answer => answer.Contains("\"datasource\"", StringComparison.Ordinal), "sudo", "cat", "/run/cloud-init/result.json");
        Assert.Contains("\"errors\": []", result, StringComparison.Ordinal);

        // A disk that takes some time for its wipe, as real ones do.
        await QmpClient.SendAsync(at.Server, "block_set_io_throttle", new JsonObject { ["device"] = "disk0", ["bps"] = 0, ["bps_rd"] = 0, ["bps_wr"] = 64 * DiskLab.Mebi, ["iops"] = 0, ["iops_rd"] = 0, ["iops_wr"] = 0 }, CancellationToken.None);
        await at.Lab.GridctlAsync("node", "release", at.Node, "--wipe", "full", "--no-wait");
        await CutAsync(at, "wiping");
        var torn = await at.NodeAsync();
        Assert.Equal(("releasing", "tiny", at.Disk), (torn.State, torn.Image, torn.Disk?.Name));
        Assert.False(await at.IsZeroAsync(0, DiskLab.Size), "the wipe was at its end already");
        await at.Lab.Rig.Servers.PowerOnAsync(at.Server, CancellationToken.None);
        var idle = await at.UntilAsync(node => node.State != "releasing", "the end of the release");
        Assert.Equal(("idle", "tiny", null), (idle.State, idle.Image, idle.Disk));
        await at.Lab.Rig.Servers.PowerOffAsync(at.Server, CancellationToken.None);
        Assert.True(await at.IsZeroAsync(0, DiskLab.Size), "the whole disk");
    }

    /// <summary>Somebody thinks better of it while the machine is without power: what is on its disk by then is wiped, not forgotten.</summary>
    [LabFact]
    [Trait("Soak", "yes")]
    public async Task An_installation_that_is_cancelled_during_a_power_cut_is_wiped_when_the_node_is_back()
    {
        await using var at = await DiskLab.StartAsync("e2edskc", ServerFirmware.Bios);
        await at.Lab.GridctlAsync([.. at.Install(), "--no-wait"]);
        await CutAsync(at, "unpacking the image");
        var operation = (await at.Lab.Rig.Appliance.Client.GetOperations(CancellationToken.None)).Single(one => one.Kind == "node-install");
        await at.Lab.GridctlAsync("operation", "cancel", operation.Id);
        Assert.Equal(at.Disk, (await at.NodeAsync()).Disk?.Name);
        await at.Lab.Rig.Servers.PowerOnAsync(at.Server, CancellationToken.None);
        var back = await at.UntilAsync(node => node.State != "assigning", "the end of the way back");
        Assert.Equal(("idle", "tiny", null), (back.State, back.Image, back.Disk));
        await at.Lab.Rig.Servers.PowerOffAsync(at.Server, CancellationToken.None);
        const long mebi = DiskLab.Mebi;
        foreach (var from in (long[])[0, mebi, 2 * mebi, 513 * mebi, 514 * mebi, DiskLab.Size - 2 * mebi, DiskLab.Size - mebi]) Assert.True(await at.IsZeroAsync(from, mebi), $"octet {from} and the mebibyte behind it");
    }

    /// <summary>As soon as the node's agent says that it is at something.</summary>
    static async Task CutAsync(DiskLab at, string moment)
    {
        await at.UntilAsync(node => node.Doing?.StartsWith(moment, StringComparison.Ordinal) == true, $"an agent that is {moment}");
        await at.Lab.Rig.Servers.PowerOffAsync(at.Server, CancellationToken.None);
    }
}
