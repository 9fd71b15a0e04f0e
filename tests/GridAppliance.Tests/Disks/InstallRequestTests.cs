using System.Net;
using GridAppliance.Api;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Disks;
using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;
using GridAppliance.Boot;
using GridAppliance.Disks;
using GridAppliance.Guard;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Tests.Agents;

namespace GridAppliance.Tests.Disks;

/// <summary>Systems on disks as people ask for them, over real HTTP to an agent that does what a test says.</summary>
public sealed class InstallRequestTests
{
    static readonly CancellationToken Never = CancellationToken.None;
    static readonly DiskDocument[] Disks =
    [
        new() { Name = "vda", SizeBytes = 8L << 30, Serial = "S-1", Wwn = "naa.1", Model = "QEMU" }, new() { Name = "vdb", SizeBytes = 1L << 30, Serial = "S-2" },
        new() { Name = "sda", SizeBytes = 8L << 30, Removable = true }, new() { Name = "sdb", SizeBytes = 8L << 30, Serial = "same" }, new() { Name = "sdc", SizeBytes = 8L << 30, Serial = "same" },
    ];

    [Fact]
    public async Task A_node_is_installed_boots_from_its_disk_and_is_idle_again_only_when_that_is_wiped()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await AgentAsync(appliance);
        Assert.True(Assert.Single((await InstallAsync(appliance, request => request with { DryRun = true })).Nodes).Accepted);
        Assert.Equal(NodeState.Idle, Node().State);
        Assert.True(Assert.Single((await InstallAsync(appliance, request => request with { Disk = "naa.1", HostName = "db-1" })).Nodes).Accepted);

        var order = await agent.NextOrderAsync();
        Assert.Equal((OrderKinds.LookAtDisk, "vda", "S-1", 8L << 30, false), (order!.Kind, order.Disk!.Name, order.Disk.Serial, order.Disk.SizeBytes, order.Disk.Overwrite));
        Assert.Null(Node().Disk);
        await agent.ReportAsync(order.Id, true, "vda is blank");
        order = await agent.NextOrderAsync();
        Assert.Equal(OrderKinds.InstallDisk, order!.Kind);
        var write = order.Disk!;
        Assert.Equal((write.Id, "debian", NodeState.Assigning), (Node().Disk!.Id.ToString(), Node().Disk!.Image, Node().State));
        Assert.Equal((new string('8', 64), "vmlinuz"), (write.Image!.Digest, write.Kernel!.Key));
        await appliance.RestartAsync();
        // It is the same order again, and what it is to say to cloud-init is served by now.
        order = await agent.NextOrderAsync();
        Assert.Contains("\"local-hostname\":\"db-1\"", (await agent.SendAsync(HttpMethod.Get, $"{write.Cloud}/meta-data", [], null)).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await agent.SendAsync(HttpMethod.Get, "/cloud/another/meta-data", [], null)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await agent.SendAsync(HttpMethod.Get, $"{write.Cloud}/agent.conf", [], null)).Status);
        // The address is another machine's now.
        appliance.Get<BootClients>().Granted(TestAppliance.Network, Ipv4Address.Parse("127.0.0.1"), TestStore.Mac(9));
        Assert.Equal(HttpStatusCode.NotFound, (await agent.SendAsync(HttpMethod.Get, $"{write.Cloud}/meta-data", [], null)).Status);
        appliance.Get<BootClients>().Granted(TestAppliance.Network, Ipv4Address.Parse("127.0.0.1"), TestStore.Mac(1));

        var ticket = (await agent.SignedAsync(HttpMethod.Post, "/agent/v1/boot", [])).Read(ApiJson.Default.BootTicket);
        await agent.ReportAsync(order!.Id, true, "vda boots the image");
        await TakeRebootAsync(agent);
        Assert.Equal(BootAction.LocalDisk, BootDirectoryReconciler.Build(appliance.Nodes.Current).ActionFor(TestStore.Mac(1)));
        agent.Image = "debian-disk";
        agent.Renew();
        Assert.Equal(HttpStatusCode.OK, (await agent.EnrolAsync(ticket.Token)).Status);
        var there = await appliance.StateAsync(agent.Node, NodeState.Active);
        Assert.Equal(("debian-disk", "vda", "db-1"), (there.Image, there.ToDocument().Disk!.Name, there.ToDocument().Disk!.HostName));
        Assert.Contains("has a system on vda already", (await InstallAsync(appliance)).Nodes[0].Message, StringComparison.Ordinal);

        Assert.Contains("quick or full", (await ReleaseAsync(appliance, "thorough")).Nodes[0].Message, StringComparison.Ordinal);
        Assert.True((await ReleaseAsync(appliance, "full")).Nodes[0].Accepted);
        await BackInTinyAsync(agent);
        Assert.Equal((true, write.Id), ((await TakeAsync(agent, OrderKinds.WipeDisk)) is var wipe && wipe.Full, wipe.Id));
        var idle = await appliance.StateAsync(agent.Node, NodeState.Idle);
        Assert.Equal((null, null), (idle.Disk, idle.ImageWish));
        Assert.Equal(BootAction.NodeImage, BootDirectoryReconciler.Build(appliance.Nodes.Current).ActionFor(TestStore.Mac(1)));
        Assert.Equal(HttpStatusCode.NotFound, (await agent.SendAsync(HttpMethod.Get, $"{write.Cloud}/meta-data", [], null)).Status);

        Node Node() => appliance.Nodes.Current.Find(agent.Node)!;
    }

    [Fact]
    public async Task A_disk_with_somebodys_data_leaves_the_node_idle_and_without_a_record()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await AgentAsync(appliance);
        await InstallAsync(appliance);
        await agent.ReportAsync((await agent.NextOrderAsync())!.Id, false, "vda holds what was not written here: LVM. `--overwrite vda` writes over it");
        var idle = await appliance.StateAsync(agent.Node, NodeState.Idle);
        Assert.Null(idle.Disk);
        Assert.DoesNotContain("disk.recorded", appliance.EventsOf(agent.Node));
    }

    [Fact]
    public async Task What_cannot_be_wiped_keeps_the_node_from_being_idle_until_it_is()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await AgentAsync(appliance);
        await InstallAsync(appliance);
        await TakeAsync(agent, OrderKinds.LookAtDisk);
        await agent.ReportAsync((await agent.NextOrderAsync())!.Id, false, "vda: the image could not be fetched: Input/output error");
        await agent.ReportAsync((await agent.NextOrderAsync())!.Id, false, "vda is not wiped: octet 5 reads back as 7 and not as zero");
        var failed = await appliance.StateAsync(agent.Node, NodeState.Failed);
        Assert.Contains("what was written to its disk vda is not wiped", failed.Problem, StringComparison.Ordinal);
        Assert.Equal("vda", failed.Disk!.Name);
        Assert.Contains("nobody would wipe", new NodeRemoval().Refusal(failed), StringComparison.Ordinal);

        await agent.BootAndEnrolAsync();
        var again = await appliance.StateAsync(agent.Node, NodeState.Failed);
        Assert.Contains("gridctl node release", again.Problem, StringComparison.Ordinal);

        Assert.True((await ReleaseAsync(appliance, "quick")).Nodes[0].Accepted);
        await TakeAsync(agent, OrderKinds.WipeDisk);
        Assert.Null((await appliance.StateAsync(agent.Node, NodeState.Idle)).Disk);
    }

    [Fact]
    public async Task What_cannot_be_done_is_said_before_anything_is()
    {
        await using var appliance = await TestAppliance.StartAsync();
        await AgentAsync(appliance);
        async Task<string> Refused(Func<NodeInstallRequest, NodeInstallRequest> with)
        {
            var node = Assert.Single((await InstallAsync(appliance, with)).Nodes);
            Assert.False(node.Accepted, node.Message);
            return node.Message;
        }
        Assert.Contains("there is no image 'tiny' for disks", await Refused(request => request with { Image = "tiny" }), StringComparison.Ordinal);
        Assert.Contains("n1 has no disk 'nvme0n1'; it has vda, vdb", await Refused(request => request with { Disk = "nvme0n1" }), StringComparison.Ordinal);
        Assert.Contains("vdb has 1024 MiB, and 2048 are needed", await Refused(request => request with { Disk = "vdb" }), StringComparison.Ordinal);
        Assert.Contains("sda is removable", await Refused(request => request with { Disk = "sda" }), StringComparison.Ordinal);
        Assert.Contains("2 disks that are 'same'", await Refused(request => request with { Disk = "same" }), StringComparison.Ordinal);
        Assert.Contains("'vdb' is not the disk vda", await Refused(request => request with { Overwrite = "vdb" }), StringComparison.Ordinal);
        Assert.Contains("is no host name", await Refused(request => request with { HostName = "a b" }), StringComparison.Ordinal);
        Assert.Contains("nothing on a disk that was written here", (await ReleaseAsync(appliance, "quick")).Nodes[0].Message, StringComparison.Ordinal);
        await OtherAsync(appliance, new() { HostName = "other", Address = Ipv4Network.Parse("127.0.0.9/8") });
        Assert.Contains("127.0.0.9 is n2's", await Refused(request => request with { Address = "127.0.0.9/8" }), StringComparison.Ordinal);
        var two = appliance.Nodes.Current.Find("n1")!;
        var refused = await appliance.Get<InstallRequests>().InstallAsync([two, two], new() { Range = "n1", Image = "debian", Disk = "vda", HostName = "x", DryRun = true }, "alice", Never);
        Assert.All(refused.Nodes, node => Assert.Contains("for one node", node.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_address_that_was_written_to_a_disk_is_one_that_its_node_may_speak_from_and_where_an_agent_calls_from_is_shown()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await AgentAsync(appliance);
        Assert.Equal(Ipv4Address.Parse("127.0.0.1"), appliance.Nodes.Current.Find(agent.Node)!.Ip);
        var other = await OtherAsync(appliance, new() { HostName = "other", Address = Ipv4Network.Parse("127.0.0.9/8") });
        var network = appliance.Get<ApplianceOptions>().Networks.Single();
        Assert.Equal([new(other.BootMac, Ipv4Address.Parse("127.0.0.9"))], SourceGuard.Written(appliance.Nodes.Current, network));
        Assert.Empty(SourceGuard.Written(appliance.Nodes.Current, network with { Name = "another" }));
    }

    /// <summary>A node that has a system on its disk.</summary>
    static async Task<Node> OtherAsync(TestAppliance appliance, CloudSettings settings)
    {
        var node = await appliance.Nodes.DiscoverAsync(TestStore.Mac(2), TestAppliance.Network, node => node, "seen", Never);
        var disk = new WrittenDisk { Id = Guid.NewGuid(), Name = "vda", SizeBytes = 8L << 30, Image = "debian", Digest = new('d', 64), Settings = settings, Token = "a-word", Since = default, By = "alice" };
        return (await appliance.Nodes.ChangeAsync(node.Id, latest => (latest with { Disk = disk }, []), Never))!;
    }

    static async Task<ScriptedAgent> AgentAsync(TestAppliance appliance)
    {
        var agent = await appliance.IdleAgentAsync(1);
        await agent.HeartbeatAsync(inventory: agent.Inventory = agent.Inventory with { Disks = Disks });
        return agent;
    }

    static Task<ChangeDocument> InstallAsync(TestAppliance appliance, Func<NodeInstallRequest, NodeInstallRequest>? with = null)
    {
        var request = new NodeInstallRequest { Range = "n1", Image = "debian", Disk = "vda" };
        return appliance.Get<InstallRequests>().InstallAsync([appliance.Nodes.Current.Find("n1")!], with?.Invoke(request) ?? request, "alice", Never);
    }

    static Task<ChangeDocument> ReleaseAsync(TestAppliance appliance, string wipe) =>
        appliance.Get<InstallRequests>().ReleaseAsync([appliance.Nodes.Current.Find("n1")!], new() { Range = "n1", Wipe = wipe }, "alice", Never);

    static async Task<DiskOrder> TakeAsync(ScriptedAgent agent, string kind)
    {
        var order = await agent.NextOrderAsync();
        Assert.Equal(kind, order?.Kind);
        await agent.ReportAsync(order!.Id, true, "done");
        return order.Disk!;
    }

    static async Task TakeRebootAsync(ScriptedAgent agent)
    {
        var order = await agent.NextOrderAsync();
        Assert.Equal(OrderKinds.Reboot, order?.Kind);
        await agent.ReportAsync(order!.Id, true, "restarting");
    }

    /// <summary>By kexec, as a release asks for it.</summary>
    static async Task BackInTinyAsync(ScriptedAgent agent)
    {
        var order = await agent.NextOrderAsync();
        Assert.Equal((OrderKinds.BootImage, "tiny"), (order?.Kind, order?.Boot?.Image));
        var ticket = (await agent.SignedAsync(HttpMethod.Post, "/agent/v1/boot", [])).Read(ApiJson.Default.BootTicket);
        await agent.ReportAsync(order!.Id, true, "boots the tiny image");
        agent.Image = "tiny";
        agent.Renew();
        Assert.Equal(HttpStatusCode.OK, (await agent.EnrolAsync(ticket.Token)).Status);
    }
}
