using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using GridAppliance.Api;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Grids;
using GridAppliance.Api.Modules;
using GridAppliance.Grids;
using GridAppliance.Modules;
using GridAppliance.Nodes;
using GridAppliance.Operations;
using GridAppliance.Testing;
using GridAppliance.Tests.Agents;

namespace GridAppliance.Tests.Grids;

/// <summary>A grid by an engine of the tests' own, over the agents' real protocol.</summary>
public sealed class GridSeamTests
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_second_engine_forms_a_grid_is_asked_takes_another_worker_and_leaves_idle_nodes()
    {
        await using var appliance = await TestAppliance.StartAsync();
        using var life = new CancellationTokenSource();
        List<ScriptedAgent> agents = [await appliance.IdleAgentAsync(1), await appliance.IdleAgentAsync(2), await appliance.IdleAgentAsync(3)];
        var members = agents.Select(agent => new Member(agent, life.Token)).ToList();
        var (grids, requests, work) = (appliance.Get<GridDirectory>(), appliance.Get<GridRequests>(), appliance.Get<GridWork>());
        IReadOnlyList<Node> Nodes(params int[] which) => [.. which.Select(number => appliance.Nodes.Current.Find(agents[number].Node)!)];
        var request = new GridRequest { Name = "pool", Engine = "roster", Masters = "x", Workers = "y" };

        Assert.Equal("a roster has to be somewhere", requests.Defect(request, [], Nodes(1)));
        Assert.Null(requests.Defect(request, Nodes(0), Nodes(1)));
        await EndAsync(appliance, await requests.CreateAsync(request, Nodes(0), Nodes(1), "alice", CancellationToken.None));

        Assert.Equal(agents[1].Node, members[0].Files["roster"]);
        Assert.Equal(agents[0].Node, members[1].Files["roster"]);
        // Sealed on the way, the same for both, and nowhere in what was ordered.
        Assert.Equal(128, members[0].Secret.Length);
        Assert.Equal(members[0].Secret, members[1].Secret);
        Assert.DoesNotContain(members[0].Orders, order => order.Contains(Convert.ToBase64String(members[0].Secret), StringComparison.Ordinal));
        Assert.Equal(NodeState.Active, Nodes(1)[0].State);
        Assert.Contains("belongs to grid pool", (await requests.AddAsync(grids.Find("pool")!, Nodes(1), true, "alice", CancellationToken.None)).Nodes[0].Message, StringComparison.Ordinal);

        await EndAsync(appliance, await requests.AddAsync(grids.Find("pool")!, Nodes(2), false, "alice", CancellationToken.None));
        Assert.Equal($"{agents[1].Node} {agents[2].Node}", members[0].Files["roster"]);
        var shown = await work.ShowAsync(grids.Find("pool")!, CancellationToken.None);
        Assert.Equal(("up", "idle", "idle"), (shown.State, shown.Members[1].State, shown.Members[2].State));

        await EndAsync(appliance, await requests.LeaveAsync(grids.Find("pool")!, Nodes(1), new(), "alice", CancellationToken.None));
        Assert.Equal(agents[2].Node, members[0].Files["roster"]);
        await EndAsync(appliance, await requests.LeaveAsync(grids.Find("pool")!, null, new(), "alice", CancellationToken.None));
        Assert.Empty(grids.All);
        Assert.All(Nodes(0, 1, 2), node => Assert.Equal(NodeState.Idle, node.State));
        await life.CancelAsync();
        await Task.WhenAll(members.Select(member => member.Life)).WaitAsync(Patience);
    }

    [Fact]
    public async Task Workers_of_a_grid_whose_master_cannot_be_made_are_told_so_and_go_back_to_idle()
    {
        await using var appliance = await TestAppliance.StartAsync();
        using var life = new CancellationTokenSource();
        List<ScriptedAgent> agents = [await appliance.IdleAgentAsync(1), await appliance.IdleAgentAsync(2)];
        var members = new[] { new Member(agents[0], life.Token) { CanInstall = false }, new Member(agents[1], life.Token) };
        IReadOnlyList<Node> Nodes(int which) => [appliance.Nodes.Current.Find(agents[which].Node)!];
        var request = new GridRequest { Name = "pool", Engine = "roster", Masters = "x", Workers = "y" };
        var change = await appliance.Get<GridRequests>().CreateAsync(request, Nodes(0), Nodes(1), "alice", CancellationToken.None);
        var ends = new List<OperationEnd>();
        foreach (var node in change.Nodes) ends.Add((await appliance.Operations.EndAsync(Guid.Parse(node.OperationId!), CancellationToken.None).WaitAsync(Patience))!);
        Assert.All(ends, end => Assert.IsNotType<OperationEnd.Done>(end));
        Assert.Equal("pool has no master any more", ends[1].ReasonOrNull);
        Assert.Equal([NodeState.Idle, NodeState.Idle], [Nodes(0)[0].State, Nodes(1)[0].State]);
        await life.CancelAsync();
        await Task.WhenAll(members.Select(member => member.Life)).WaitAsync(Patience);
    }

    [Fact]
    public async Task A_worker_that_its_engine_gives_up_is_written_down_and_told_and_its_work_goes_on_elsewhere()
    {
        await using var appliance = await TestAppliance.StartAsync();
        using CancellationTokenSource life = new(), dying = new();
        List<ScriptedAgent> agents = [await appliance.IdleAgentAsync(1), await appliance.IdleAgentAsync(2), await appliance.IdleAgentAsync(3)];
        var members = agents.Select((agent, place) => new Member(agent, place == 1 ? dying.Token : life.Token)).ToList();
        var (grids, watch, work) = (appliance.Get<GridDirectory>(), appliance.Get<GridWatch>(), appliance.Get<GridWork>());
        IReadOnlyList<Node> Nodes(params int[] which) => [.. which.Select(number => appliance.Nodes.Current.Find(agents[number].Node)!)];
        await EndAsync(appliance, await appliance.Get<GridRequests>().CreateAsync(new() { Name = "pool", Engine = "roster", Masters = "x", Workers = "y" }, Nodes(0), Nodes(1, 2), "alice", CancellationToken.None));
        GridMember Worker() => grids.Find("pool")!.Find(Nodes(1)[0].Id)!;
        members[0].Job = "render";
        await watch.LookAsync(CancellationToken.None);
        Assert.Equal((agents[1].Node, null), (work.Describe(grids.Find("pool")!).Jobs.Single().Nodes, Worker().DownSince));

        await dying.CancelAsync();
        await members[1].Life.WaitAsync(Patience);
        members[0].Dead = agents[1].Node;
        await Eventually.UntilAsync(async () => { await watch.LookAsync(CancellationToken.None); return Worker().DownSince; }, since => since is not null, "the record that the worker is down");
        Assert.Equal("grid.worker-down", appliance.EventsOf(agents[1].Node).Single(kind => kind.StartsWith("grid.worker", StringComparison.Ordinal)));
        var shown = work.Describe(grids.Find("pool")!);
        Assert.Equal(("down", "idle", agents[2].Node), (shown.Members[1].State, shown.Members[2].State, shown.Jobs.Single().Nodes));
        Assert.NotNull(shown.Members[1].DownSince);
        Assert.Null(shown.Members[2].DownSince);
        // No news a second time.
        await watch.LookAsync(CancellationToken.None);
        Assert.Single(appliance.EventsOf(agents[1].Node), "grid.worker-down");

        members[0].Dead = null;
        await Eventually.UntilAsync(async () => { await watch.LookAsync(CancellationToken.None); return Worker().DownSince; }, since => since is null, "the record that the worker is back");
        Assert.Single(appliance.EventsOf(agents[1].Node), "grid.worker-back");
        await life.CancelAsync();
        await Task.WhenAll(members.Select(member => member.Life)).WaitAsync(Patience);
    }

    /// <summary>Who comes is written down before the operations, all at once; this is what a daemon leaves that dies between the two.</summary>
    [Fact]
    public async Task Members_on_their_way_in_with_whom_nobody_is_busy_are_taken_out_at_the_next_start()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        var node = appliance.Nodes.Current.Find(agent.Node)!;
        Grid Made(string name, bool leaving, params GridMember[] members) => new() { Id = Guid.NewGuid(), Name = name, Engine = "roster", Created = DateTimeOffset.UnixEpoch, Members = [.. members], IsLeaving = leaving };
        foreach (var grid in (Grid[])[Made("half", false, new GridMember(node.Id, node.Name, GridRole.Master, GridStanding.Joining)), Made("gone", true)])
            await appliance.Get<GridDirectory>().ChangeAsync(grid.Id, _ => grid, null, CancellationToken.None);

        await appliance.RestartAsync();
        await Eventually.UntilAsync(() => appliance.Get<GridDirectory>().Of(node.Id) is null, $"{node.Name} out of its half-made grid");
        Assert.Contains("grid.refused", appliance.EventsOf(node.Name));
        // The one is there with nobody in it, and can be made whole or deleted; the other was on its way out, and is.
        Assert.Equal(["half"], appliance.Get<GridDirectory>().All.Select(grid => grid.Name));
        Assert.True((await appliance.Get<GridRequests>().AddAsync(appliance.Get<GridDirectory>().Find("half")!, [appliance.Nodes.Current.Find(node.Name)!], dryRun: true, "alice", CancellationToken.None)).Nodes[0].Accepted);
    }

    static async Task EndAsync(TestAppliance appliance, ChangeDocument change)
    {
        foreach (var node in change.Nodes)
        {
            Assert.True(node.Accepted, node.Message);
            Assert.IsType<OperationEnd.Done>(await appliance.Operations.EndAsync(Guid.Parse(node.OperationId!), CancellationToken.None).WaitAsync(Patience));
        }
    }

    /// <summary>An agent with a module that answers.</summary>
    sealed class Member
    {
        readonly ScriptedAgent agent;

        public Member(ScriptedAgent agent, CancellationToken end) => (this.agent, Life) = (agent, ServeAsync(agent, end));

        public Task Life { get; }

        public bool CanInstall { get; init; } = true;

        /// <summary>Of a master: the one that its engine hears nothing of.</summary>
        public string? Dead { get; set; }

        /// <summary>Of a master: work that is on the first worker that lives.</summary>
        public string? Job { get; set; }

        public ConcurrentDictionary<string, string> Files { get; } = new();

        public ConcurrentBag<string> Orders { get; } = [];

        public byte[] Secret { get; private set; } = [];

        async Task ServeAsync(ScriptedAgent served, CancellationToken end)
        {
            while (!end.IsCancellationRequested)
            {
                if (await served.NextOrderAsync(1) is not { } order) continue;
                Orders.Add(JsonSerializer.Serialize(order, ApiJson.Default.OrderDocument));
                await served.ReportAsync(order.Id, new OrderResult { Succeeded = CanInstall || order.Kind != OrderKinds.InstallModule, Output = order.Run is { } run ? await RunAsync(order.Id, run) : null });
            }
        }

        async Task<string> RunAsync(string orderId, RunOrder run)
        {
            foreach (var (name, content) in run.Files ?? new Dictionary<string, string>()) Files[name] = content;
            foreach (var name in run.Secrets)
            {
                using var own = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
                var reply = await agent.SignedAsync(HttpMethod.Post, "/agent/v1/secret", JsonSerializer.SerializeToUtf8Bytes(
                    new() { OrderId = orderId, Name = name, SealTo = Convert.ToBase64String(own.ExportSubjectPublicKeyInfo()) }, ApiJson.Default.SecretRequest));
                var answer = reply.Read(ApiJson.Default.SecretAnswer);
                Secret = SealedHandover.Open(own, answer.Key, answer.Box, orderId, agent.NodeId)!;
            }
            if (run.Command[0] != "state") return "";
            var roster = Files["roster"].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return string.Concat(roster.Select(node => $"node {node} {(node == Dead ? "down" : "idle")} 0 1 0.00\n"))
                + (Job is null ? "" : $"job 1 RUNNING {roster.First(node => node != Dead)} {Job}\n");
        }
    }
}
