using System.Net;
using System.Security.Cryptography;
using GridAppliance.Agents;
using GridAppliance.Nodes;

namespace GridAppliance.Tests.Agents;

public sealed class SignedCallTests
{
    const string Heartbeat = "/agent/v1/heartbeat";

    static readonly byte[] Body = "{\"agentVersion\":\"1.0\"}"u8.ToArray();

    [Fact]
    public async Task A_call_is_taken_once_and_its_replay_is_refused()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        var header = agent.Header(HttpMethod.Post, Heartbeat, Body, 100);
        Assert.Equal(HttpStatusCode.OK, (await agent.SendAsync(HttpMethod.Post, Heartbeat, Body, header)).Status);
        var replay = await agent.SendAsync(HttpMethod.Post, Heartbeat, Body, header);
        Assert.Equal((HttpStatusCode.Unauthorized, "the signature does not match, or the call was made before"), (replay.Status, replay.Detail));
        Assert.Equal(HttpStatusCode.OK, (await agent.SendAsync(HttpMethod.Post, Heartbeat, Body, agent.Header(HttpMethod.Post, Heartbeat, Body, 99))).Status);
    }

    [Fact]
    public async Task A_replay_is_refused_after_a_restart_too()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        var header = agent.Header(HttpMethod.Post, Heartbeat, Body, 100);
        Assert.Equal(HttpStatusCode.OK, (await agent.SendAsync(HttpMethod.Post, Heartbeat, Body, header)).Status);
        await appliance.RestartAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, (await agent.SendAsync(HttpMethod.Post, Heartbeat, Body, header)).Status);
        Assert.Equal(HttpStatusCode.OK, (await agent.SendAsync(HttpMethod.Post, Heartbeat, Body, agent.Header(HttpMethod.Post, Heartbeat, Body, 101))).Status);
    }

    [Fact]
    public async Task The_signature_binds_method_path_query_node_counter_and_body()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        var other = await appliance.IdleAgentAsync(2);
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var good = agent.Header(HttpMethod.Post, Heartbeat, Body, 100);
        (string What, string? Header, byte[] Body)[] forged =
        [
            ("another body", good, "{\"agentVersion\":\"6.6\"}"u8.ToArray()),
            ("another path", agent.Header(HttpMethod.Post, Heartbeat + "/", Body, 100), Body),
            ("another method", agent.Header(HttpMethod.Get, Heartbeat, Body, 100), Body),
            ("a query that is not there", agent.Header(HttpMethod.Post, Heartbeat + "?a=1", Body, 100), Body),
            ("another counter", good.Replace(" 100 ", " 101 ", StringComparison.Ordinal), Body),
            ("another node", good.Replace(agent.NodeId, other.NodeId, StringComparison.Ordinal), Body),
            ("a node that is not there", good.Replace(agent.NodeId, Guid.NewGuid().ToString(), StringComparison.Ordinal), Body),
            ("another key", agent.Header(HttpMethod.Post, Heartbeat, Body, 100, stranger), Body),
            ("no header", null, Body),
            ("half a header", good[..^10], Body),
            ("another scheme", good.Replace("v1 ", "v2 ", StringComparison.Ordinal), Body),
        ];
        foreach (var (what, header, body) in forged)
        {
            var reply = await agent.SendAsync(HttpMethod.Post, Heartbeat, body, header);
            Assert.True(reply.Status == HttpStatusCode.Unauthorized, $"{what}: {reply.Status} {reply.Text}");
        }
        // None of them used the counter up.
        Assert.Equal(HttpStatusCode.OK, (await agent.SendAsync(HttpMethod.Post, Heartbeat, Body, good)).Status);
    }

    [Fact]
    public async Task The_key_of_the_boot_before_is_worth_nothing()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        var before = agent.Key;
        await agent.BootAndEnrolAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, (await agent.SendAsync(HttpMethod.Post, Heartbeat, Body, agent.Header(HttpMethod.Post, Heartbeat, Body, 1000, before))).Status);
        Assert.Equal(HttpStatusCode.OK, (await agent.HeartbeatAsync()).Status);
    }

    [Fact]
    public async Task A_heartbeat_changes_the_store_only_when_it_says_something_new()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        await agent.HeartbeatAsync();
        var last = appliance.Timeline.Last;
        var before = appliance.Nodes.Current.Find("n1")!;
        await agent.HeartbeatAsync();
        Assert.Equal(last, appliance.Timeline.Last);
        Assert.True(appliance.Nodes.Current.Find("n1")!.AgentLastSeen > before.AgentLastSeen);

        await agent.HeartbeatAsync([new() { Name = "web", Version = "2", State = "failed" }], agent.Inventory with { Cpus = 4 });
        var after = appliance.Nodes.Current.Find("n1")!;
        Assert.Equal(("web", 4), (Assert.Single(after.Modules).Name, after.Inventory!.Cpus));
        Assert.Contains("module.failed", appliance.EventsOf("n1"));
    }

    [Fact]
    public async Task A_switch_that_announces_itself_late_still_locates_the_node()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = new ScriptedAgent(appliance, TestStore.Mac(1));
        var heard = agent.Inventory;
        agent.Inventory = heard with { Nics = [heard.Nics[0] with { Neighbours = [] }] };
        await agent.BootAndEnrolAsync();
        Assert.Null((await appliance.StateAsync("n1", NodeState.Idle)).Switch);
        await agent.HeartbeatAsync(inventory: heard);
        Assert.Equal("rack3", appliance.Nodes.Current.Find("n1")!.Switch);
        Assert.Contains("node.located", appliance.EventsOf("n1"));
    }

    [Fact]
    public async Task An_agent_that_misses_three_heartbeats_is_a_problem_until_it_returns()
    {
        await using var store = new TestStore();
        var node = await store.DiscoverAsync(1);
        await store.Nodes.ChangeAsync(node.Id, latest => (latest with { AgentKey = [1, 2, 3] }, []), CancellationToken.None);
        store.Nodes.Touch(node.Id, latest => latest with { AgentLastSeen = store.Clock.GetUtcNow() });
        var orders = new AgentOrders(store.Database, store.Nodes, new(), store.Clock);
        using var watch = new AgentWatch(store.Nodes, orders, new(orders, store.Clock), new(store.Database), store.Clock, Microsoft.Extensions.Logging.Abstractions.NullLogger<AgentWatch>.Instance);

        store.Clock.Advance(TimeSpan.FromSeconds(30));
        await watch.FindSilentAsync(CancellationToken.None);
        Assert.Null(store.Nodes.Current.Find(node.Id)!.Problem);
        store.Clock.Advance(TimeSpan.FromSeconds(1));
        await watch.FindSilentAsync(CancellationToken.None);
        await watch.FindSilentAsync(CancellationToken.None);
        Assert.Equal(AgentPresence.Silent, store.Nodes.Current.Find(node.Id)!.Problem);
        Assert.Single(store.Timeline.ReadNode(node.Id, 10), e => e.Kind == "agent.silent");

        await store.ReopenAsync();
        await new AgentPresence(store.Nodes, store.Clock).HeardAsync(store.Nodes.Current.Find(node.Id)!, new() { AgentVersion = "1.0" }, null, static () => true, CancellationToken.None);
        Assert.Null(store.Nodes.Current.Find(node.Id)!.Problem);
        Assert.Single(store.Timeline.ReadNode(node.Id, 10), e => e.Kind == "agent.returned");
    }

    [Fact]
    public async Task A_node_that_is_booting_is_not_silent()
    {
        await using var store = new TestStore();
        var node = await store.DiscoverAsync(1);
        await store.Nodes.ChangeAsync(node.Id, latest => (latest with { AgentKey = [1, 2, 3] }, []), CancellationToken.None);
        var now = store.Clock.GetUtcNow();
        store.Nodes.Touch(node.Id, latest => latest with { AgentLastSeen = now, Boot = new() { Started = now, LastActivity = now.AddMinutes(1), Milestone = BootMilestone.Kernel } });
        var orders = new AgentOrders(store.Database, store.Nodes, new(), store.Clock);
        using var watch = new AgentWatch(store.Nodes, orders, new(orders, store.Clock), new(store.Database), store.Clock, Microsoft.Extensions.Logging.Abstractions.NullLogger<AgentWatch>.Instance);
        store.Clock.Advance(TimeSpan.FromMinutes(2));
        await watch.FindSilentAsync(CancellationToken.None);
        Assert.Null(store.Nodes.Current.Find(node.Id)!.Problem);
        store.Clock.Advance(TimeSpan.FromMinutes(10));
        await watch.FindSilentAsync(CancellationToken.None);
        Assert.NotNull(store.Nodes.Current.Find(node.Id)!.Problem);
    }
}
