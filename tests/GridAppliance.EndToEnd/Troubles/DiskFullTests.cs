using GridAppliance.EndToEnd.Lab;
using GridAppliance.Lab.Servers;
using GridAppliance.Lab.Troubles;

namespace GridAppliance.EndToEnd.Troubles;

public sealed class DiskFullTests
{
    [LabFact]
    public async Task A_full_disk_stops_no_known_node_from_booting_and_the_status_says_so_until_there_is_room()
    {
        await using var instance = await LabInstance.BuildAsync("e2efull", ServerFirmware.Bios);
        var server = instance.Plan.Servers[0];
        var client = instance.Rig.Appliance.Client;
        var full = new DiskFull();
        await instance.Rig.Appliance.StartAsync(CancellationToken.None);
        await instance.PowerOnAsync();
        await instance.UntilIdleAsync();
        var before = await instance.NodeOfAsync(server);

        await full.MakeAsync(instance.Rig, "", CancellationToken.None);
        await instance.Rig.Servers.PowerCycleAsync(server, CancellationToken.None);

        // The node's own kernel runs again: address, loader, script, kernel and image came from an appliance that cannot write a byte.
        var booted = await LabInstance.UntilAsync(
            () => instance.NodeOfAsync(server), node => node.Boot?.Started > before.Boot?.Started && node.Boot.Stage is "initramfs" or "agent" or "idle", "a boot beside a full disk");
        Assert.Equal((before.Name, before.Ip), (booted.Name, booted.Ip));
        await LabInstance.UntilAsync(
            () => client.GetStatus(CancellationToken.None), status => status.Problems.Any(problem => problem.Code == "store.disk-full"), "the status saying that the disk is full");

        await full.UndoAsync(instance.Rig, "", CancellationToken.None);
        await instance.UntilIdleAsync();
        await LabInstance.UntilAsync(() => client.GetStatus(CancellationToken.None), status => status.Problems.Count == 0, "the status saying that all is well");
    }
}
