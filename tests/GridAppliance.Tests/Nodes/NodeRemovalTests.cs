using GridAppliance.Nodes;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Store;
using GridAppliance.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Nodes;

public sealed class NodeRemovalTests : IAsyncDisposable
{
    readonly string directory = Directory.CreateTempSubdirectory("gridappliance-").FullName;
    readonly ManualClock clock = new();
    readonly Database database;
    readonly Timeline timeline;
    readonly NodeDirectory nodes;

    public NodeRemovalTests()
    {
        database = Database.Open(Path.Combine(directory, "test.db"), Schema.All);
        timeline = new(database, clock);
        nodes = new(database, timeline, clock);
    }

    public async ValueTask DisposeAsync()
    {
        await database.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_retired_node_is_forgotten_also_by_the_store_and_comes_back_as_a_new_one()
    {
        var node = await Discover(1);
        await nodes.ApplyAsync(node.Id, NodeEvent.Retire, "sold", "root", null, default);

        var change = await new NodeRemoval().Apply(nodes, nodes.Current.Find(node.Id)!, "sold", "root", default);

        Assert.True(change.Accepted);
        Assert.Null(nodes.Current.Find(Mac(1)));
        Assert.Empty(database.Read(NodeStore.Load));
        Assert.NotEqual(node.Id, (await Discover(1)).Id);
    }

    [Fact]
    public async Task A_node_that_is_in_use_is_refused_with_what_to_do()
    {
        var node = await Idle(1);

        var change = await new NodeRemoval().Apply(nodes, node, null, "root", default);

        Assert.Equal((false, "is idle: retire it first (`gridctl node retire n1`)"), (change.Accepted, change.Message));
        Assert.NotNull(nodes.Current.Find(node.Id));
    }

    [Fact]
    public async Task Strangers_are_forgotten_after_a_day_and_nobody_else_is()
    {
        var (stranger, approved, idle) = (await Discover(1), await Discover(2), await Idle(3));
        await nodes.ChangeAsync(approved.Id, node => (node with { Approved = true }, []), default);
        var expiry = new StrangerExpiry(nodes, clock, NullLogger<StrangerExpiry>.Instance);

        clock.Advance(TimeSpan.FromHours(23));
        Assert.Equal(0, await expiry.ExpireAsync(default));
        clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal(1, await expiry.ExpireAsync(default));

        Assert.Equal((false, true, true), (nodes.Current.Find(stranger.Id) is not null, nodes.Current.Find(approved.Id) is not null, nodes.Current.Find(idle.Id) is not null));
    }

    [Fact]
    public async Task A_flood_of_strangers_goes_after_an_hour()
    {
        for (var i = 0; i < 1100; i++) await Discover(i);
        clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal(1100, await new StrangerExpiry(nodes, clock, NullLogger<StrangerExpiry>.Instance).ExpireAsync(default));
        Assert.Empty(nodes.Current.Nodes);
    }

    static MacAddress Mac(int n) => MacAddress.FromUInt64(0x525400000000 + (ulong)n);

    Task<Node> Discover(int n) => nodes.DiscoverAsync(Mac(n), "provisioning", node => node, "seen", default);

    async Task<Node> Idle(int n)
    {
        var node = await Discover(n);
        return (await nodes.ChangeAsync(node.Id, latest => (latest with { State = NodeState.Idle }, []), default))!;
    }
}
