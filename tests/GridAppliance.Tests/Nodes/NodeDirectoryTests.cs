using GridAppliance.Boot;
using GridAppliance.Nodes;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Store;
using GridAppliance.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Nodes;

public sealed class NodeDirectoryTests : IAsyncDisposable
{
    readonly string directory = Directory.CreateTempSubdirectory("gridappliance-").FullName;
    readonly ManualClock clock = new();
    Database database;

    public NodeDirectoryTests() => database = Open();

    public async ValueTask DisposeAsync()
    {
        await database.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    Database Open() => Database.Open(Path.Combine(directory, "test.db"), Schema.All);

    (NodeDirectory Nodes, Timeline Timeline) Start()
    {
        var timeline = new Timeline(database, clock);
        return (new NodeDirectory(database, timeline, clock), timeline);
    }

    static MacAddress Mac(int n) => MacAddress.FromUInt64(0x525400000000 + (ulong)n);

    static Task<Node> Discover(NodeDirectory nodes, MacAddress mac) => nodes.DiscoverAsync(mac, "provisioning", n => n, "seen", default);

    [Fact]
    public async Task A_hundred_packets_of_one_new_NIC_make_one_node()
    {
        var (nodes, _) = Start();

        var found = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Discover(nodes, Mac(1))));

        Assert.Single(found.Select(n => n.Id).Distinct());
        Assert.Equal("n1", found[0].Name);
    }

    [Fact]
    public async Task Nodes_come_back_after_a_restart_with_their_state_and_without_soft_fields()
    {
        var (nodes, _) = Start();
        var node = await Discover(nodes, Mac(1));
        await nodes.ApplyAsync(node.Id, NodeEvent.AgentEnrolled, "agent is there", "node", n => n with { AgentKey = [1, 2, 3] }, default);
        nodes.Touch(node.Id, n => n with { AgentLastSeen = clock.GetUtcNow() });
        await database.DisposeAsync();

        database = Open();
        var again = Start().Nodes.Current.Find(Mac(1));

        Assert.NotNull(again);
        Assert.Equal(NodeState.Enrolling, again.State);
        Assert.Equal<byte>([1, 2, 3], again.AgentKey);
        Assert.Null(again.AgentLastSeen);
    }

    [Fact]
    public async Task A_durable_change_keeps_what_was_touched_meanwhile()
    {
        var (nodes, _) = Start();
        var node = await Discover(nodes, Mac(1));
        var seen = clock.GetUtcNow().AddSeconds(5);
        await nodes.ChangeAsync(node.Id, n =>
        {
            nodes.Touch(node.Id, t => t with { AgentLastSeen = seen });
            return (n with { Problem = "something" }, []);
        }, default);

        Assert.Equal(seen, nodes.Current.Find(node.Id)!.AgentLastSeen);
        Assert.Equal("something", nodes.Current.Find(node.Id)!.Problem);
    }

    [Fact]
    public async Task An_event_that_cannot_happen_changes_and_tells_nothing()
    {
        var (nodes, timeline) = Start();
        var node = await Discover(nodes, Mac(1));
        var before = timeline.Last;

        Assert.Null(await nodes.ApplyAsync(node.Id, NodeEvent.Ready, "no", "appliance", null, default));
        Assert.Equal(before, timeline.Last);
        Assert.Equal(NodeState.Discovered, nodes.Current.Find(node.Id)!.State);
    }

    [Fact]
    public async Task State_and_its_event_are_one_transaction_and_subscribers_see_numbers_in_order()
    {
        var (nodes, timeline) = Start();
        using var subscription = timeline.Subscribe();
        await Task.WhenAll(Enumerable.Range(1, 200).Select(n => Discover(nodes, Mac(n))));

        var seen = new List<long>();
        while (subscription.Reader.TryRead(out var document)) seen.Add(document.Sequence);
        Assert.Equal(200, seen.Count);
        Assert.Equal(seen.Order(), seen);
        Assert.Equal(200, timeline.Read(0, 1000).Count);
    }

    [Fact]
    public async Task A_MAC_of_another_node_is_refused_by_the_store_and_neither_node_changes()
    {
        var (nodes, _) = Start();
        var first = await Discover(nodes, Mac(1));
        var second = await Discover(nodes, Mac(2));

        await Assert.ThrowsAsync<StoreException>(() => nodes.ChangeAsync(second.Id, n => (n with { Macs = [.. n.Macs, Mac(1)] }, []), default));

        Assert.Equal(first.Id, nodes.Current.Find(Mac(1))!.Id);
        Assert.Equal<MacAddress>([Mac(2)], nodes.Current.Find(second.Id)!.Macs);
    }

    [Fact]
    public async Task A_retired_node_gets_no_boot_file_and_a_stranger_gets_the_image()
    {
        var (nodes, _) = Start();
        var node = await Discover(nodes, Mac(1));
        await nodes.ApplyAsync(node.Id, NodeEvent.Retire, "old", "root", null, default);

        var directory = BootDirectoryReconciler.Build(nodes.Current);

        Assert.Equal(BootAction.None, directory.ActionFor(Mac(1)));
        Assert.Equal(BootAction.NodeImage, directory.ActionFor(Mac(99)));
    }

    [Fact]
    public async Task What_the_boot_path_reports_becomes_a_node_with_a_timeline()
    {
        var (nodes, timeline) = Start();
        var observer = new BootObserver();
        using var watcher = new BootWatcher(observer, nodes, timeline, NullLogger<BootWatcher>.Instance);
        using var live = timeline.Subscribe();
        await watcher.StartAsync(default);

        observer.Report(new() { Mac = Mac(7), Stage = BootStage.DhcpDiscover, Network = "provisioning", At = clock.GetUtcNow(), NetworkBoot = false });
        observer.Report(new() { Mac = Mac(8), Stage = BootStage.DhcpDiscover, Network = "provisioning", At = clock.GetUtcNow(), NetworkBoot = true, ArchitectureCode = 7 });
        observer.Report(new() { Mac = Mac(8), Stage = BootStage.DhcpAck, Network = "provisioning", At = clock.GetUtcNow(), NetworkBoot = true, Ip = Ipv4Address.Parse("10.77.0.50"), Service = TimeSpan.FromMilliseconds(2) });
        var kinds = new List<string>();
        await foreach (var happened in live.Reader.ReadAllAsync())
        {
            kinds.Add(happened.Kind);
            if (happened.Kind == "dhcp.ack") break;
        }
        await watcher.StopAsync(default);

        Assert.Equal(["state.discovered", "dhcp.discover", "dhcp.ack"], kinds);
        Assert.Null(nodes.Current.Find(Mac(7)));
        var node = nodes.Current.Find(Mac(8))!;
        Assert.Equal("uefi", node.Firmware);
        Assert.Equal(Ipv4Address.Parse("10.77.0.50"), node.Ip);
        Assert.Equal(BootMilestone.Address, node.Boot!.Milestone);
        Assert.Equal(TimeSpan.FromMilliseconds(2), node.Boot.Appliance);
    }
}
