using System.Net;
using GridAppliance.Api;
using GridAppliance.Nodes;
using GridAppliance.Operations;

namespace GridAppliance.Tests.Agents;

/// <summary>What an agent's first call says of the image that it runs in.</summary>
public sealed class BootProblemTests
{
    [Fact]
    public async Task A_node_that_refused_its_root_image_says_so_on_its_timeline()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        agent.BootProblem = "its digest is 88, and 77 was ordered";
        await agent.BootAndEnrolAsync();
        var refused = Assert.Single(appliance.Timeline.ReadNode(Guid.Parse(agent.NodeId), 100), happened => happened.Kind == "boot.root-refused");
        Assert.Equal(("error", "refused its root image, and runs the tiny image: its digest is 88, and 77 was ordered"), (refused.Severity, refused.Message));
        // And goes on saying so once it is idle, whatever its agent tells of its hardware, until it boots again.
        await appliance.StateAsync(agent.Node, NodeState.Idle);
        await agent.HeartbeatAsync(inventory: agent.Inventory with { Cpus = 4 });
        Assert.Equal((4, "tiny", "its root image was refused: its digest is 88, and 77 was ordered"), Now());
        agent.BootProblem = null;
        await agent.BootAndEnrolAsync();
        await appliance.StateAsync(agent.Node, NodeState.Idle);
        Assert.Equal((2, "tiny", null), Now());

        (int, string?, string?) Now()
        {
            var node = appliance.Nodes.Current.Find(agent.Node)!;
            return (node.Inventory!.Cpus, node.Image, node.Problem);
        }
    }

    [Fact]
    public async Task A_token_for_a_boot_is_given_to_who_was_ordered_to_boot_and_to_nobody_else()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        Assert.Equal(HttpStatusCode.NotFound, (await agent.SignedAsync(HttpMethod.Post, "/agent/v1/boot", [])).Status);
        Assert.IsType<Submission.Accepted>(await appliance.Operations.SubmitAsync(BootImage.For(appliance.Nodes.Current.Find(agent.Node)!, "debian", "alice"), CancellationToken.None));
        var order = await agent.NextOrderAsync();
        Assert.Equal(("image.boot", "debian"), (order!.Kind, order.Boot!.Image));
        Assert.Contains($"grid.root={new string('7', 64)} systemd.hostname={agent.Node}", order.Boot.Arguments, StringComparison.Ordinal);

        var ticket = (await agent.SignedAsync(HttpMethod.Post, "/agent/v1/boot", [])).Read(ApiJson.Default.BootTicket);
        await agent.ReportAsync(order.Id, true, "boots the debian image");
        agent.Image = "debian";
        agent.Renew();
        Assert.Equal(HttpStatusCode.OK, (await agent.EnrolAsync(ticket.Token)).Status);
        var node = await appliance.NodeAsync(agent.Node, found => found is { Image: "debian", State: NodeState.Idle });
        Assert.Equal("debian", node.ImageWish);
    }
}
