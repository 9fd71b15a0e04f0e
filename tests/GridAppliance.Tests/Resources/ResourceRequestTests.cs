using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;
using GridAppliance.Api.Resources;
using GridAppliance.Modules;
using GridAppliance.Nodes;
using GridAppliance.Operations;
using GridAppliance.Resources;
using GridAppliance.Store;
using GridAppliance.Testing;
using GridAppliance.Tests.Agents;
using GridAppliance.Tests.Web;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Resources;

/// <summary>Requests of people and programs, over real HTTP to an agent that does what a test says.</summary>
public sealed class ResourceRequestTests
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    static readonly CancellationToken Never = CancellationToken.None;

    [Fact]
    public async Task A_request_that_needs_a_module_reserves_installs_and_answers_when_it_is_ready_and_the_last_one_takes_it_away()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await AgentAsync(appliance, 1);

        var alice = await HoldAsync(appliance, "alice", cpus: 2);
        await HeldAsync(agent, "alice");
        await ModuleOrderAsync(agent, "module.install", Running);
        await DoneAsync(appliance, alice);
        var held = Assert.Single(appliance.Get<ResourceLedger>().On(appliance.Nodes.Current.Find("n1")!.Id));
        Assert.Equal((HoldingState.Allocated, "alice", "hello"), (held.State, held.Owner, Assert.Single(held.Modules)));

        var bob = await HoldAsync(appliance, "bob", cpus: 1);
        await HeldAsync(agent, "bob");
        await ModuleOrderAsync(agent, "module.install", Running);
        await DoneAsync(appliance, bob);
        Assert.Equal("n1 has too little: 2 CPUs are asked for and 1 is free", Refused(await RequestAsync(appliance, "carol", cpus: 2)));

        var freeing = await FreeAsync(appliance, "alice");
        await FreedAsync(agent, Running);
        await DoneAsync(appliance, freeing);
        freeing = await FreeAsync(appliance, "bob");
        await ModuleOrderAsync(agent, "module.remove", []);
        await FreedAsync(agent);
        await DoneAsync(appliance, freeing);
        Assert.Empty(appliance.Get<ResourceLedger>().All);
        Assert.Empty(appliance.Nodes.Current.Find("n1")!.Modules);
    }

    [Fact]
    public async Task A_module_that_cannot_be_installed_leaves_nothing_held()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await AgentAsync(appliance, 1);
        var asked = await HoldAsync(appliance, "alice", cpus: 4);
        await HeldAsync(agent, "alice");
        await agent.ReportAsync((await agent.NextOrderAsync())!.Id, false, "no room on /run");
        await FreedAsync(agent);
        Assert.Equal(new OperationEnd.Failed("hello: no room on /run"), await appliance.Operations.EndAsync(asked, Never).WaitAsync(Patience));
        Assert.Empty(appliance.Get<ResourceLedger>().All);
    }

    [Fact]
    public async Task A_module_that_nobody_asks_for_is_taken_out_in_its_time_and_installed_again_on_the_next_request()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await AgentAsync(appliance, 1);
        await agent.HeartbeatAsync(Running);
        var clock = new ManualClock();
        var uses = new ModuleUses(appliance.Get<Database>(), appliance.Get<ModuleCatalog>(), clock);
        using var reconciler = new IdleReconciler(appliance.Nodes, uses, appliance.Get<ResourceLedger>(), appliance.Get<ModuleChanges>(), appliance.Operations, clock, NullLogger<IdleReconciler>.Instance);
        await uses.SetPolicyAsync("greeter", TimeSpan.FromMinutes(30), Never);

        async Task PassAsync(TimeSpan by)
        {
            clock.Advance(by);
            await reconciler.ReconcileAsync(Never);
        }
        int Removals() => appliance.Operations.List(null, 100).Count(operation => operation.Kind == RemoveModule.KindName);

        await PassAsync(TimeSpan.Zero);
        await PassAsync(TimeSpan.FromMinutes(29));
        Assert.Equal(0, Removals());
        // Somebody asks: the time begins anew.
        await uses.AskedAsync(appliance.Nodes.Current.Find("n1")!.Id, "hello", null, Never);
        await PassAsync(TimeSpan.FromMinutes(29));
        Assert.Equal(0, Removals());
        await PassAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(1, Removals());
        await ModuleOrderAsync(agent, "module.remove", []);
        await appliance.NodeAsync("n1", node => node.Modules.IsEmpty);

        var asked = await HoldAsync(appliance, "alice", cpus: 1);
        await HeldAsync(agent, "alice");
        await ModuleOrderAsync(agent, "module.install", Running);
        await DoneAsync(appliance, asked);
        // What somebody holds is being asked for all the time.
        for (var hour = 0; hour < 5; hour++) await PassAsync(TimeSpan.FromHours(1));
        Assert.Equal(1, Removals());
    }

    [Fact]
    public async Task A_master_is_changed_while_all_run_and_both_sides_confirm_it()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var (worker, master) = (await AgentAsync(appliance, 1), await AgentAsync(appliance, 2));
        var change = await SetMasterAsync(appliance, "n1", "n2");
        var told = await TellAsync(worker);
        Assert.Equal(("n2", 0), (told.Master?.Node, told.Workers.Count));
        Assert.Equal("running", appliance.Operations.Find(Accepted(change))!.State);
        told = await TellAsync(master);
        Assert.Equal((null, "n1"), (told.Master?.Node, Assert.Single(told.Workers).Node));
        await DoneAsync(appliance, Accepted(change));
        Assert.Equal("n2", appliance.Nodes.Current.Find("n1")!.ToDocument().Master);
        Assert.Equal("n2 would be its own master", Refused(await SetMasterAsync(appliance, "n2", "n1")));

        // An agent that has forgotten it (another boot) is told again.
        await worker.HeartbeatAsync();
        Assert.Equal("n2", (await TellAsync(worker)).Master?.Node);
    }

    [Fact]
    public async Task Of_many_nodes_those_with_the_least_to_spare_are_taken_and_a_dry_run_takes_none()
    {
        await using var appliance = await TestAppliance.StartAsync();
        foreach (var number in (int[])[1, 2, 3]) await AgentAsync(appliance, number, cpus: number * 2);
        var nodes = appliance.Nodes.Current.Nodes.OrderBy(node => node.Name).ToList();
        var request = new HoldRequest { Range = "n[1-3]", Owner = "alice", Amounts = new() { Cpus = 3 }, Seconds = 60, Count = 1, DryRun = true };
        var plan = await appliance.Get<ResourceRequests>().HoldAsync(nodes, request, allocate: false, "alice", Never);
        Assert.Equal("n2", Assert.Single(plan.Nodes).Node);
        Assert.Empty(appliance.Get<ResourceLedger>().All);
        plan = await appliance.Get<ResourceRequests>().HoldAsync(nodes, request with { Count = 3 }, allocate: false, "alice", Never);
        Assert.Equal([true, true, false], plan.Nodes.Select(node => node.Accepted));
    }

    [Fact]
    public async Task Who_names_no_memory_gets_the_share_of_his_processors_or_what_is_left_and_never_what_others_hold()
    {
        await using var appliance = await TestAppliance.StartAsync();
        await AgentAsync(appliance, 1);   // 4 processors, 1000 MiB
        var node = appliance.Nodes.Current.Find("n1")!;
        var ledger = appliance.Get<ResourceLedger>();
        async Task<Holding> ReserveAsync(string owner, ResourceAmounts amounts)
        {
            var change = await appliance.Get<ResourceRequests>().HoldAsync([node], new() { Range = "n1", Owner = owner, Amounts = amounts, Seconds = 600 }, allocate: false, owner, Never);
            Accepted(change);
            await Eventually.UntilAsync(() => ledger.On(node.Id).Any(holding => holding.Owner == owner), $"{owner}'s holding");
            return ledger.On(node.Id).Single(holding => holding.Owner == owner);
        }

        Assert.Equal(250, (await ReserveAsync("alice", new() { Cpus = 1 })).Amounts.MemoryMiB);
        Assert.Equal(700, (await ReserveAsync("bob", new() { Cpus = 1, MemoryMiB = 700 })).Amounts.MemoryMiB);
        Assert.Equal(50, (await ReserveAsync("carol", new() { Cpus = 1 })).Amounts.MemoryMiB);
        var refused = await appliance.Get<ResourceRequests>().HoldAsync([node], new() { Range = "n1", Owner = "dave", Amounts = new() { Cpus = 1 }, Seconds = 600 }, allocate: false, "dave", Never);
        Assert.Equal("n1 has too little: 16 MiB of memory are asked for and 0 are free", Refused(refused));
    }

    [Fact]
    public async Task Gridctl_asks_for_resources_and_says_what_is_wrong_with_a_request()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        await SampleNodes.ReadyAsync(plane, await SampleNodes.DiscoverAsync(plane, 1));
        Assert.Contains("n1", (await plane.Gridctl("resources")).Output);
        Assert.Equal(3, (await plane.Gridctl("resources", "--cpus", "4000")).Status);
        Assert.Equal(0, (await plane.Gridctl("reserve", "n1", "--cpus", "1", "--for", "2h", "--owner", "alice", "--dry-run")).Status);
        Assert.Contains("is no length of time", (await plane.Gridctl("reserve", "n1", "--cpus", "1", "--for", "soon")).Error);
        Assert.Contains("say for how long", (await plane.Gridctl("reserve", "n1", "--cpus", "1")).Error);
        Assert.Contains("say --owner or --holding", (await plane.Gridctl("free", "n1")).Error);
        Assert.Contains("nothing holds nothing of n1", (await plane.Gridctl("free", "n1", "--owner", "nothing")).Output);
        Assert.Equal(0, (await plane.Gridctl("module", "idle", "web-server", "--after", "30m")).Status);
        Assert.Contains("web-server", (await plane.Gridctl("module", "idle")).Output);
        Assert.Contains("there is no grid-agent in the catalogue", (await plane.Gridctl("agent", "update", "n1")).Output);
        Assert.Contains("there is no node n9", (await plane.Gridctl("node", "master", "n1", "n9")).Output);
    }

    static IReadOnlyList<InstalledModuleDocument> Running => [new() { Name = "hello", Version = "1.0", State = "running" }];

    static async Task<ScriptedAgent> AgentAsync(TestAppliance appliance, int number, int cpus = 4)
    {
        var agent = await appliance.IdleAgentAsync(number);
        await agent.HeartbeatAsync([], agent.Inventory with { Allocatable = new() { Cpus = cpus, MemoryMiB = 1000 } });
        return agent;
    }

    static Task<ChangeDocument> RequestAsync(TestAppliance appliance, string owner, int cpus) => appliance.Get<ResourceRequests>().HoldAsync([appliance.Nodes.Current.Find("n1")!],
        new() { Range = "n1", Owner = owner, Amounts = new() { Cpus = cpus }, Seconds = 600, Modules = ["hello"] }, allocate: true, owner, Never);

    static async Task<Guid> HoldAsync(TestAppliance appliance, string owner, int cpus) => Accepted(await RequestAsync(appliance, owner, cpus));

    static async Task<Guid> FreeAsync(TestAppliance appliance, string owner) =>
        Accepted(await appliance.Get<ResourceRequests>().FreeAsync([appliance.Nodes.Current.Find("n1")!], new() { Range = "n1", Owner = owner }, owner, Never));

    static Task<ChangeDocument> SetMasterAsync(TestAppliance appliance, string node, string master) =>
        appliance.Get<ManagerRequests>().SetMasterAsync([appliance.Nodes.Current.Find(node)!], master, dryRun: false, "alice", Never);

    static async Task HeldAsync(ScriptedAgent agent, string owner)
    {
        var order = (await agent.NextOrderAsync())!;
        Assert.Equal(("resources.hold", owner, true, "hello"), (order.Kind, order.Holding!.Owner, order.Holding.Allocated, Assert.Single(order.Holding.Modules)));
        await agent.ReportAsync(order.Id, true, "allocated", []);
    }

    static async Task FreedAsync(ScriptedAgent agent, IReadOnlyList<InstalledModuleDocument>? with = null)
    {
        var order = (await agent.NextOrderAsync())!;
        Assert.Equal("resources.free", order.Kind);
        await agent.ReportAsync(order.Id, true, "free again", with ?? []);
    }

    static async Task ModuleOrderAsync(ScriptedAgent agent, string kind, IReadOnlyList<InstalledModuleDocument> then)
    {
        var order = (await agent.NextOrderAsync())!;
        Assert.Equal((kind, "hello"), (order.Kind, order.Module!.Name));
        await agent.ReportAsync(order.Id, true, "done", then);
    }

    static async Task<RelationOrder> TellAsync(ScriptedAgent agent)
    {
        var order = (await agent.NextOrderAsync())!;
        Assert.Equal("relation", order.Kind);
        await agent.ReportAsync(order.Id, true, "done");
        return order.Relation!;
    }

    static async Task DoneAsync(TestAppliance appliance, Guid operation) => Assert.Equal(new OperationEnd.Done(), await appliance.Operations.EndAsync(operation, Never).WaitAsync(Patience));

    static Guid Accepted(ChangeDocument change)
    {
        var node = Assert.Single(change.Nodes);
        Assert.True(node.Accepted, node.Message);
        return Guid.Parse(node.OperationId!);
    }

    static string Refused(ChangeDocument change)
    {
        var node = Assert.Single(change.Nodes);
        Assert.False(node.Accepted);
        return node.Message;
    }
}
