using GridAppliance.Api.Nodes;
using GridAppliance.Api.Ports;
using GridAppliance.EndToEnd.Lab;
using GridAppliance.Lab;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Servers;

namespace GridAppliance.EndToEnd.Power;

/// <summary>A server that somebody racked, cabled and switched on, and told nobody the password of its BMC.</summary>
public sealed class AdoptionTests
{
    [LabFact]
    public async Task A_node_finds_its_bmc_from_inside_and_hands_it_over_and_nobody_types_a_password()
    {
        await using var lab = await LabInstance.BuildAsync(LabPlan.For(LabName.Parse("e2eadop"), [ServerFirmware.Bios], LabImage.Metal));
        var server = lab.Plan.Servers[0];
        var client = lab.Rig.Appliance.Client;
        await lab.Rig.Appliance.StartAsync(default);
        await lab.PowerOnAsync();
        await lab.UntilIdleAsync();

        var name = (await lab.NodeOfAsync(server)).Name;
        var address = $"ipmi://{server.Bmc.Address}";
        var port = await LabInstance.UntilAsync(async () => (await client.GetPorts(name, default)).SingleOrDefault(), p => p is { State: "answers" }, "the BMC's account in the appliance's hands");
        Assert.Equal((address, "gridappliance", name, true), (port!.Address, port.User, port.Node, port.HasPassword));

        // The account that the list of the administrator would have had is not touched, and the new one is a third.
        var accounts = (await client.GetBmc(name, default)).Accounts.Where(account => account.Name.Length > 0).Select(account => (account.Name, account.Role));
        Assert.Equal([(LabBmc.User, "administrator"), ("gridappliance", "administrator")], accounts);
        var node = await LabInstance.UntilAsync(() => client.GetNode(name, default), n => n.Power == "on", "its power, seen through the new account");
        Assert.Equal(("ipmi", server.Bmc.Address), (node.Bmc!.Kind, node.Bmc.Address));
        var events = (await client.GetTimeline(name, default)).Events;
        Assert.DoesNotContain(events, e => e.Kind == "port.not-adopted");

        // It is good for what it is there for.
        var done = Assert.Single((await client.SetPower(new() { Range = name, Action = "off" }, default)).Nodes);
        Assert.True(done.Accepted, done.Message);
        Assert.Null(lab.Rig.Servers.Running(server));
    }
}
