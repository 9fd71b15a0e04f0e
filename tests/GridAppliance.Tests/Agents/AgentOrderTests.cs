using System.Net;
using GridAppliance.Agents;
using GridAppliance.Modules;
using GridAppliance.Nodes;

namespace GridAppliance.Tests.Agents;

public sealed class AgentOrderTests
{
    [Fact]
    public async Task An_order_reaches_an_agent_that_waits_and_its_result_comes_back()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        var waiting = agent.NextOrderAsync();
        var placed = await PlaceAsync(appliance, agent, "first");
        var order = (await waiting.WaitAsync(TimeSpan.FromSeconds(60)))!;
        Assert.Equal((placed.Id, agent.NodeId, "inventory"), (order.Id, order.NodeId, order.Kind));
        Assert.Equal(HttpStatusCode.NoContent, (await agent.ReportAsync(order.Id, true, "done")).Status);
        Assert.Equal((OrderState.Succeeded, "done"), await StandingAsync(appliance, "first"));
        Assert.Null(await agent.NextOrderAsync(0));
    }

    [Fact]
    public async Task An_order_comes_again_until_its_result_is_here_and_the_next_one_waits_for_that()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        await PlaceAsync(appliance, agent, "first");
        await PlaceAsync(appliance, agent, "second");
        await PlaceAsync(appliance, agent, "first");
        Assert.Equal("first", (await agent.NextOrderAsync())!.Id);
        Assert.Equal("first", (await agent.NextOrderAsync())!.Id);
        await appliance.RestartAsync();
        Assert.Equal("first", (await agent.NextOrderAsync())!.Id);
        Assert.Equal(HttpStatusCode.NoContent, (await agent.ReportAsync("first", false, "no room")).Status);
        Assert.Equal((OrderState.Failed, "no room"), await StandingAsync(appliance, "first"));
        Assert.Equal("second", (await agent.NextOrderAsync())!.Id);
    }

    [Fact]
    public async Task A_result_may_come_twice_and_the_first_one_counts()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        await PlaceAsync(appliance, agent, "first");
        await agent.NextOrderAsync();
        await agent.ReportAsync("first", true, "done");
        Assert.Equal(HttpStatusCode.NoContent, (await agent.ReportAsync("first", false, "no")).Status);
        Assert.Equal((OrderState.Succeeded, "done"), await StandingAsync(appliance, "first"));
        Assert.Equal(HttpStatusCode.NotFound, (await agent.ReportAsync("never-placed", true)).Status);
    }

    [Fact]
    public async Task A_heartbeat_that_left_before_a_result_and_comes_after_it_does_not_take_the_module_back()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        await PlaceAsync(appliance, agent, "first");
        await agent.NextOrderAsync();
        Task<ScriptedAgent.Reply> SayAsync(long counter, string path, byte[] body) => agent.SendAsync(HttpMethod.Post, path, body, agent.Header(HttpMethod.Post, path, body, counter));
        await SayAsync(1001, "/agent/v1/order/first", """{"succeeded":true,"modules":[{"name":"hello","version":"1.0","state":"running"}]}"""u8.ToArray());
        Assert.Equal(HttpStatusCode.OK, (await SayAsync(1000, "/agent/v1/heartbeat", """{"agentVersion":"1.0","modules":[]}"""u8.ToArray())).Status);
        Assert.Equal("hello", Assert.Single(appliance.Nodes.Current.Find("n1")!.Modules).Name);
        await SayAsync(1002, "/agent/v1/heartbeat", """{"agentVersion":"1.0","modules":[]}"""u8.ToArray());
        Assert.Empty(appliance.Nodes.Current.Find("n1")!.Modules);
    }

    [Fact]
    public async Task Nobody_answers_for_another_nodes_order()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var (agent, other) = (await appliance.IdleAgentAsync(1), await appliance.IdleAgentAsync(2));
        await PlaceAsync(appliance, agent, "first");
        Assert.Equal(HttpStatusCode.NotFound, (await other.ReportAsync("first", true)).Status);
        Assert.Equal(OrderState.Open, (await StandingAsync(appliance, "first")).State);
    }

    [Fact]
    public async Task An_order_for_a_node_that_is_gone_or_retired_fails_with_its_reason()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        await PlaceAsync(appliance, agent, "first");
        var node = appliance.Nodes.Current.Find("n1")!;
        await appliance.Nodes.ApplyAsync(node.Id, NodeEvent.Retire, "retired", "alice", null, CancellationToken.None);
        await appliance.Get<AgentOrders>().SweepAsync(CancellationToken.None);
        Assert.Equal((OrderState.Lost, "n1 is retired"), await StandingAsync(appliance, "first"));

        await appliance.Nodes.RemoveAsync(node.Id, static _ => true, "removed", "root", CancellationToken.None);
        var late = await PlaceAsync(appliance, agent, "second");
        Assert.Equal((OrderState.Lost, "n1 is gone: it was removed from the appliance"), (late.State, late.Message));
        Assert.Equal(HttpStatusCode.Unauthorized, (await agent.HeartbeatAsync()).Status);
    }

    [Fact]
    public async Task An_order_ends_when_its_time_is_over_and_says_whether_the_agent_had_it()
    {
        await using var store = new TestStore();
        var node = await store.DiscoverAsync(1);
        var orders = new AgentOrders(store.Database, store.Nodes, new(), store.Clock);
        await orders.PlaceAsync(Order(node, "seen", store.Clock.GetUtcNow().AddMinutes(10)), CancellationToken.None);
        await orders.PlaceAsync(Order(node, "unseen", store.Clock.GetUtcNow().AddMinutes(10)), CancellationToken.None);
        await orders.TakeAsync(node.Id, CancellationToken.None);
        store.Clock.Advance(TimeSpan.FromMinutes(9));
        await orders.SweepAsync(CancellationToken.None);
        Assert.Equal(OrderState.Open, (await orders.FindAsync("seen"))!.State);
        store.Clock.Advance(TimeSpan.FromMinutes(1));
        await orders.SweepAsync(CancellationToken.None);
        Assert.Equal("n1's agent took the order and did not answer in time", (await orders.FindAsync("seen"))!.Message);
        Assert.Equal("n1's agent did not come for the order in time", (await orders.FindAsync("unseen"))!.Message);
    }

    [Fact]
    public async Task Only_an_order_that_no_agent_has_seen_can_be_withdrawn()
    {
        await using var store = new TestStore();
        var node = await store.DiscoverAsync(1);
        var orders = new AgentOrders(store.Database, store.Nodes, new(), store.Clock);
        await orders.PlaceAsync(Order(node, "unseen", DateTimeOffset.MaxValue), CancellationToken.None);
        Assert.Equal(OrderState.Withdrawn, (await orders.WithdrawAsync("unseen", CancellationToken.None))!.State);
        await orders.PlaceAsync(Order(node, "seen", DateTimeOffset.MaxValue), CancellationToken.None);
        await orders.TakeAsync(node.Id, CancellationToken.None);
        Assert.Equal(OrderState.Open, (await orders.WithdrawAsync("seen", CancellationToken.None))!.State);
        // Also after a restart it is known that an agent has it.
        await store.ReopenAsync();
        orders = new(store.Database, store.Nodes, new(), store.Clock);
        Assert.Equal(OrderState.Open, (await orders.WithdrawAsync("seen", CancellationToken.None))!.State);
        Assert.Null(await orders.WithdrawAsync("never-placed", CancellationToken.None));
    }

    [Fact]
    public async Task Ten_thousand_agents_wait_without_a_timer_each_and_all_end_in_time()
    {
        await using var store = new TestStore();
        var orders = new AgentOrders(store.Database, store.Nodes, new(), store.Clock);
        var waiters = new OrderWaiters(orders, store.Clock);
        var waits = Enumerable.Range(0, 10_000).Select(_ => waiters.WaitAsync(Guid.NewGuid(), TimeSpan.FromSeconds(25), () => false, CancellationToken.None)).ToList();
        Assert.Equal(10_000, waiters.Count);
        waiters.Sweep();
        Assert.DoesNotContain(waits, wait => wait.IsCompleted);
        store.Clock.Advance(TimeSpan.FromSeconds(25));
        waiters.Sweep();
        await Task.WhenAll(waits).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(0, waiters.Count);
    }

    [Fact]
    public async Task A_node_that_waits_twice_ends_its_first_wait()
    {
        await using var store = new TestStore();
        var node = await store.DiscoverAsync(1);
        var orders = new AgentOrders(store.Database, store.Nodes, new(), store.Clock);
        var waiters = new OrderWaiters(orders, store.Clock);
        var first = waiters.WaitAsync(node.Id, TimeSpan.FromSeconds(25), () => false, CancellationToken.None);
        var second = waiters.WaitAsync(node.Id, TimeSpan.FromSeconds(25), () => false, CancellationToken.None);
        await first.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.False(second.IsCompleted);
        await orders.PlaceAsync(Order(node, "first", DateTimeOffset.MaxValue), CancellationToken.None);
        await second.WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task A_package_is_handed_out_only_to_a_node_with_an_order_that_names_it()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var (agent, other) = (await appliance.IdleAgentAsync(1), await appliance.IdleAgentAsync(2));
        byte[] content = [.. Enumerable.Range(0, 300_000).Select(i => (byte)i)];
        using var staged = await appliance.Get<ModuleFiles>().StageAsync(default, new MemoryStream(content), long.MaxValue, CancellationToken.None);
        var digest = await appliance.Get<ModuleFiles>().KeepAsync(staged!, CancellationToken.None);
        Assert.Equal(HttpStatusCode.NotFound, (await agent.DownloadAsync(digest)).Status);
        var order = Order(appliance.Nodes.Current.Find("n1")!, "first", DateTimeOffset.MaxValue);
        await appliance.Get<AgentOrders>().PlaceAsync(order with { Document = order.Document with { Module = new() { Name = "x", Version = "1", Digest = digest, SizeBytes = content.Length } } }, CancellationToken.None);
        Assert.Equal(content, (await agent.DownloadAsync(digest)).Body);
        Assert.Equal(HttpStatusCode.NotFound, (await other.DownloadAsync(digest)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await agent.DownloadAsync("..%2Fappliance.key")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await agent.DownloadAsync(new string('0', 64))).Status);
    }

    static Task<AgentOrder> PlaceAsync(TestAppliance appliance, ScriptedAgent agent, string id) => appliance.Get<AgentOrders>().PlaceAsync(new()
    {
        Id = id, NodeId = Guid.Parse(agent.NodeId), Node = agent.Node, Expires = DateTimeOffset.MaxValue, Document = new() { Id = id, NodeId = agent.NodeId, Kind = "inventory" },
    }, CancellationToken.None);

    static AgentOrder Order(Node node, string id, DateTimeOffset expires) => new()
    {
        Id = id, NodeId = node.Id, Node = node.Name, Expires = expires, Document = new() { Id = id, NodeId = node.Id.ToString(), Kind = "inventory" },
    };

    static async Task<(OrderState State, string? Message)> StandingAsync(TestAppliance appliance, string id) =>
        await appliance.Get<AgentOrders>().FindAsync(id) is { } order ? (order.State, order.Message) : throw new InvalidOperationException($"no order {id}");
}
