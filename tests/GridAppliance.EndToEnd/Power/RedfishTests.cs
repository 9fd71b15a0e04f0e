using GridAppliance.EndToEnd.Lab;
using GridAppliance.Lab.Servers;

namespace GridAppliance.EndToEnd.Power;

/// <summary>The lab's server whose BMC speaks Redfish, switched on by it and watched through it.</summary>
public sealed class RedfishTests
{
    [LabFact]
    public async Task A_machine_is_booted_through_redfish_and_its_bmc_keeps_state_and_tells_what_happens()
    {
        await using var lab = await LabInstance.BuildAsync("e2erf", ServerFirmware.UefiHttp);
        var server = lab.Plan.Servers[0];
        var client = lab.Rig.Appliance.Client;
        await lab.Rig.Appliance.StartAsync(default);
        await lab.Rig.Bmcs.ListeningAsync(default);
        // Only its Redfish side is told: so everything goes through that.
        var address = $"redfish+https://{server.Bmc.Address}";
        await client.ImportPorts(new() { Ports = [new() { Address = address, User = LabBmc.User, Password = server.Bmc.Password }] }, default);
        await LabInstance.UntilAsync(async () => Assert.Single(await client.GetPorts(null, default)), p => p.State == "answers", "an answer of the BMC");
        await lab.GridctlAsync("discover", "boot", "--all");
        await lab.UntilIdleAsync();
        var name = (await lab.NodeOfAsync(server)).Name;
        var node = await LabInstance.UntilAsync(() => client.GetNode(name, default), n => n.Bmc is not null && n.Power == "on", "its BMC and its power");
        Assert.Equal(("redfish+https", server.Bmc.Address), (node.Bmc!.Kind, node.Bmc.Address));
        Assert.NotNull(Assert.Single(await client.GetPorts(name, default)).Certificate);

        Assert.Equal($"{name}: is off", (await lab.GridctlAsync("power", "off", name)).Trim());
        Assert.Null(lab.Rig.Servers.Running(server));
        // It says so itself, on the stream of events.
        await LabInstance.UntilAsync(async () => (await client.GetTimeline(name, default)).Events, e => e.Any(one => one.Kind == "port.event" && one.Message.Contains("The machine is off", StringComparison.Ordinal)), "the BMC's own word");

        // What it was told outlives it, as in a BMC's own memory.
        await lab.GridctlAsync("boot", name, "--once", "http", "--uri", "http://10.77.0.1:8067/somewhere");
        await lab.GridctlAsync("media", name, "--insert", "http://10.77.0.1/rescue.iso");
        await lab.Rig.Bmcs.KillAsync(server, default);
        await lab.Rig.Bmcs.StartAsync(server, default);
        var media = await LabInstance.UntilAsync(async () => { try { return await client.GetMedia(name, default); } catch (Api.Client.ApplianceException) { return null; } }, m => m is not null, "its answer after a restart");
        Assert.Equal("http://10.77.0.1/rescue.iso", Assert.Single(media!.Drives).Image);
        Assert.Contains("somewhere", await File.ReadAllTextAsync(server.Bmc.RedfishState), StringComparison.Ordinal);
    }
}
