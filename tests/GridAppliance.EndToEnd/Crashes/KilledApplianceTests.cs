using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;
using GridAppliance.EndToEnd.Lab;
using GridAppliance.Lab.Servers;
using Xunit.Abstractions;

namespace GridAppliance.EndToEnd.Crashes;

public sealed class KilledApplianceTests(ITestOutputHelper output)
{
    /// <summary>
    /// The appliance is killed right after the first event of each of these kinds (and a seeded moment later), so that the kills are spread over all stages of the boots,
    /// while the four servers are at different ones.
    /// </summary>
    static readonly string[] Moments =
    [
        "dhcp.discover", "dhcp.offer", "dhcp.ack", "boot.loader", "boot.script", "boot.kernel", "boot.kernel-fetched", "boot.initramfs", "boot.initramfs-fetched",
        "state.enrolling", "agent.enrolled", "state.idle",
    ];

    const int FewestKills = 8;
    readonly Random random = new(20261121);

    [LabFact]
    public async Task Killed_at_many_moments_of_four_boots_the_appliance_brings_all_to_idle_gives_no_address_twice_and_loses_no_operation()
    {
        await using var lab = await LabInstance.BuildAsync("e2ekill", [.. LabServers.StandardRack]);
        await DhcpCapture.StartAsync(lab);
        await lab.Rig.Appliance.StartAsync(CancellationToken.None);
        await lab.PowerOnAsync();

        var kills = await KillAtEveryMomentAsync(lab);

        Assert.InRange(kills, FewestKills, Moments.Length);
        await lab.UntilIdleAsync();
        AssertNoAddressWasGivenTwice(lab);
        await AssertNothingWasLostAsync(lab);
        await AssertModulesSurviveKillsAsync(lab);
    }

    /// <summary>Kills and restarts until every moment was hit or every server is idle.</summary>
    async Task<int> KillAtEveryMomentAsync(LabInstance lab)
    {
        var left = Moments.ToHashSet();
        long after = 0;
        var kills = 0;
        while (left.Count > 0 && await NextMomentAsync(lab, after, left) is { } moment)
        {
            left.Remove(moment.Kind);
            after = moment.Sequence;
            await Task.Delay(random.Next(60));
            await lab.Rig.Appliance.KillAsync(CancellationToken.None);
            await lab.Rig.Appliance.StartAsync(CancellationToken.None);
            kills++;
            output.WriteLine($"kill {kills}: after {moment.Kind} of {moment.Node} (event {moment.Sequence})");
        }
        return kills;
    }

    /// <returns>Null when every server is idle and nothing more will happen.</returns>
    static async Task<EventDocument?> NextMomentAsync(LabInstance lab, long after, HashSet<string> left)
    {
        var client = lab.Rig.Appliance.Client;
        var seen = await LabInstance.UntilAsync(async () =>
        {
            var events = await client.GetEvents(after, CancellationToken.None);
            var nodes = await client.GetNodes(null, CancellationToken.None);
            return (Event: events.FirstOrDefault(e => left.Contains(e.Kind)), AllIdle: nodes.Count == lab.Plan.Servers.Count && nodes.All(node => node.State == "idle"));
        }, seen => seen.Event is not null || seen.AllIdle, "another stage of a boot");
        return seen.Event;
    }

    static void AssertNoAddressWasGivenTwice(LabInstance lab)
    {
        var acknowledged = DhcpCapture.Acknowledged(lab);

        Assert.Equal(lab.Plan.Servers.Select(server => server.Mac).Order(), acknowledged.Select(ack => ack.Mac).Distinct().Order());
        Assert.All(acknowledged.GroupBy(ack => ack.Address), address => Assert.Single(address.Select(ack => ack.Mac).Distinct()));
    }

    static async Task AssertNothingWasLostAsync(LabInstance lab)
    {
        var client = lab.Rig.Appliance.Client;
        var nodes = await client.GetNodes(null, CancellationToken.None);
        Assert.Equal(lab.Plan.Servers.Count, nodes.Count);
        Assert.Equal(lab.Plan.Servers.Select(server => server.Mac.ToString()).Order(), nodes.Select(node => node.Mac).Order());

        foreach (var node in nodes)
        {
            var timeline = await client.GetTimeline(node.Name, CancellationToken.None);
            Assert.Equal(timeline.Events.Select(e => e.Sequence).Order().Distinct(), timeline.Events.Select(e => e.Sequence));
        }
    }

    /// <summary>Orders a module onto every node and kills the appliance in the middle, both ways.</summary>
    async Task AssertModulesSurviveKillsAsync(LabInstance lab)
    {
        var client = lab.Rig.Appliance.Client;
        var range = string.Join(',', (await client.GetNodes(null, CancellationToken.None)).Select(node => node.Name));
        var request = new ModuleChangeRequest { Range = range, Module = "hello" };

        await AcceptedAndDoneAsync(lab, await client.InstallModule(request, CancellationToken.None));
        Assert.All(await client.GetNodes(null, CancellationToken.None), node => Assert.Equal(("hello", "running"), node.Modules.Select(m => (m.Name, m.State)).Single()));

        await AcceptedAndDoneAsync(lab, await client.RemoveModule(request, CancellationToken.None));
        Assert.All(await client.GetNodes(null, CancellationToken.None), node => Assert.Empty(node.Modules));
    }

    async Task AcceptedAndDoneAsync(LabInstance lab, ChangeDocument change)
    {
        var operations = change.Nodes.Select(node => node.OperationId).ToList();
        Assert.All(change.Nodes, node => Assert.True(node.Accepted, node.Message));
        Assert.Equal(lab.Plan.Servers.Count, operations.OfType<string>().Distinct().Count());

        foreach (var _ in Enumerable.Range(0, 2))
        {
            await Task.Delay(random.Next(100));
            await lab.Rig.Appliance.KillAsync(CancellationToken.None);
            await lab.Rig.Appliance.StartAsync(CancellationToken.None);
        }
        foreach (var id in operations.OfType<string>())
        {
            var operation = await LabInstance.UntilAsync(
                () => lab.Rig.Appliance.Client.GetOperation(id, CancellationToken.None), o => o.State is not ("running" or "undoing"), $"the end of operation {id}");
            Assert.Equal(("done", null), (operation.State, operation.Reason));
        }
    }
}
