using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using GridAppliance.Api;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Grids;
using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;
using GridAppliance.Boot.Files;
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
        Assert.Equal($"{agents[1].Node} is named as master and as worker", requests.Defect(request, Nodes(0, 1), Nodes(1, 2)));
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

        // Whom another grid has is refused as a worker, without the others, and as a master the whole.
        var other = request with { Name = "other" };
        Assert.Equal($"{agents[0].Node} belongs to grid pool", requests.Defect(other, Nodes(0), Nodes(2)));
        Assert.Equal([(false, $"{agents[1].Node} belongs to grid pool")], (await requests.CreateAsync(other with { DryRun = true }, Nodes(2), Nodes(1), "alice", CancellationToken.None)).Nodes.Where(node => node.Node == agents[1].Node).Select(node => (node.Accepted, node.Message)));

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
    public async Task Nodes_with_a_system_of_their_own_stay_in_it_and_have_the_engines_image_as_their_modules_root()
    {
        await using var appliance = await TestAppliance.StartAsync();
        using var life = new CancellationTokenSource();
        List<ScriptedAgent> agents = [await appliance.IdleAgentAsync(1, image: null), await appliance.IdleAgentAsync(2, image: null)];
        var members = agents.Select(agent => new Member(agent, life.Token)).ToList();
        var (grids, requests, files) = (appliance.Get<GridDirectory>(), appliance.Get<GridRequests>(), appliance.Get<BootCatalogState>());
        IReadOnlyList<Node> Nodes(int which) => [appliance.Nodes.Current.Find(agents[which].Node)!];
        var request = new GridRequest { Name = "pool", Engine = "roster-debian", Masters = "x", Workers = "y" };

        var served = files.Current;
        files.Current = null;
        Assert.Contains("there is no debian image beside the boot files", requests.Defect(request, Nodes(0), Nodes(1)), StringComparison.Ordinal);
        files.Current = served;
        await EndAsync(appliance, await requests.CreateAsync(request, Nodes(0), Nodes(1), "alice", CancellationToken.None));
        for (var which = 0; which < 2; which++)
        {
            var orders = members[which].Orders.Select(order => JsonSerializer.Deserialize(order, ApiJson.Default.OrderDocument)!).ToList();
            Assert.DoesNotContain(orders, order => order.Kind is OrderKinds.BootImage or OrderKinds.Reboot);
            Assert.Equal(new() { Digest = served!.Root!.Digest, SizeBytes = served.Root.Size, HostName = agents[which].Node }, Assert.Single(orders, order => order.Kind == OrderKinds.InstallModule).Module!.Root);
        }
        await EndAsync(appliance, await requests.LeaveAsync(grids.Find("pool")!, null, new(), "alice", CancellationToken.None));
        Assert.All([Nodes(0)[0], Nodes(1)[0]], node => Assert.Equal((NodeState.Idle, null), (node.State, node.ImageWish)));
        Assert.DoesNotContain(members[0].Orders, order => order.Contains(OrderKinds.BootImage, StringComparison.Ordinal));
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

    [Fact]
    public async Task A_worker_that_was_restarted_comes_back_by_itself_and_one_that_a_person_takes_out_does_not()
    {
        await using var appliance = await TestAppliance.StartAsync();
        using CancellationTokenSource life = new(), first = new(), second = new();
        List<ScriptedAgent> agents = [await appliance.IdleAgentAsync(1), await appliance.IdleAgentAsync(2)];
        List<Member> members = [new(agents[0], life.Token), new(agents[1], first.Token)];
        var (grids, requests, watch) = (appliance.Get<GridDirectory>(), appliance.Get<GridRequests>(), appliance.Get<GridWatch>());
        Node Worker() => appliance.Nodes.Current.Find(agents[1].Node)!;
        GridMember? Seen() => grids.Find("pool")!.Find(Worker().Id);
        async Task BootsAsync(CancellationTokenSource dying)
        {
            await dying.CancelAsync();
            await members[^1].Life.WaitAsync(Patience);
            await agents[1].BootAndEnrolAsync();
            Assert.Equal((NodeState.Active, false), (Worker().State, Worker().Has("web")));
            await Eventually.UntilAsync(async () => { await watch.LookAsync(CancellationToken.None); return appliance.Operations.UnfinishedOn(Worker().Id); }, operations => operations.Any(JoinGrid.IsReturn), "the way back of a worker that booted");
        }
        await EndAsync(appliance, await requests.CreateAsync(new() { Name = "pool", Engine = "roster", Masters = "x", Workers = "y" }, [appliance.Nodes.Current.Find(agents[0].Node)!], [Worker()], "alice", CancellationToken.None));

        await BootsAsync(first);
        Assert.NotNull(Seen()!.DownSince);
        members.Add(new(agents[1], second.Token));
        await Eventually.UntilAsync(() => Seen()!.DownSince is null, "a worker that is back");
        Assert.Equal(["grid.worker-down", "grid.worker-back"], appliance.EventsOf(agents[1].Node).Where(kind => kind.StartsWith("grid.worker", StringComparison.Ordinal)));
        Assert.Equal((agents[0].Node, true), (members[^1].Files["roster"], Worker().Has("web")));
        Assert.Equal(128, members[^1].Secret.Length);

        // On its way once more, it is taken out.
        await Eventually.UntilAsync(() => appliance.Operations.UnfinishedOn(Worker().Id).Count == 0, "the end of the way back");
        await BootsAsync(second);
        var leaving = requests.LeaveAsync(grids.Find("pool")!, [Worker()], new() { Now = true }, "alice", CancellationToken.None);
        members.Add(new(agents[1], life.Token));
        await EndAsync(appliance, await leaving);
        await watch.LookAsync(CancellationToken.None);
        Assert.Equal((null, NodeState.Idle, 0), (Seen(), Worker().State, appliance.Operations.UnfinishedOn(Worker().Id).Count));
        await life.CancelAsync();
        await Task.WhenAll(members.Select(member => member.Life)).WaitAsync(Patience);
    }

    [Fact]
    public async Task A_master_that_is_gone_is_replaced_by_its_backup_and_stands_by_when_it_comes_back()
    {
        await using var appliance = await TestAppliance.StartAsync();
        using CancellationTokenSource life = new(), dying = new();
        List<ScriptedAgent> agents = [await appliance.IdleAgentAsync(1), await appliance.IdleAgentAsync(2), await appliance.IdleAgentAsync(3)];
        var members = agents.Select((agent, place) => new Member(agent, place == 0 ? dying.Token : life.Token)).ToList();
        var (grids, requests, watch, work) = (appliance.Get<GridDirectory>(), appliance.Get<GridRequests>(), appliance.Get<GridWatch>(), appliance.Get<GridWork>());
        IReadOnlyList<Node> Nodes(params int[] which) => [.. which.Select(number => appliance.Nodes.Current.Find(agents[number].Node)!)];
        Grid Pool() => grids.Find("pool")!;
        IEnumerable<string> Masters() => Pool().Masters.Select(member => member.Node);
        var plan = await requests.CreateAsync(new() { Name = "pool", Engine = "roster", Masters = "x", Workers = "y", DryRun = true }, Nodes(0, 1), Nodes(2), "alice", CancellationToken.None);
        Assert.Equal([$"{agents[0].Node} will be the master of pool", $"{agents[1].Node} will be the backup master of pool", $"{agents[2].Node} will be a worker of pool"], plan.Nodes.Select(node => node.Message));
        await EndAsync(appliance, await requests.CreateAsync(new() { Name = "pool", Engine = "roster", Masters = "x", Workers = "y" }, Nodes(0, 1), Nodes(2), "alice", CancellationToken.None));
        Assert.Equal([agents[0].Node, agents[1].Node], Masters());
        Assert.Equal((null, "ready"), ((await work.ShowAsync(Pool(), CancellationToken.None)).Members[0].State, (await work.ShowAsync(Pool(), CancellationToken.None)).Members[1].State));

        await dying.CancelAsync();
        await members[0].Life.WaitAsync(Patience);
        members[1].Dead = agents[0].Node;
        appliance.Nodes.Touch(Nodes(0)[0].Id, latest => latest with { AgentLastSeen = DateTimeOffset.UnixEpoch });
        await watch.LookAsync(CancellationToken.None);
        Assert.Equal([agents[1].Node, agents[0].Node], Masters());
        Assert.Single(appliance.EventsOf(agents[1].Node), "grid.master-replaced");
        Assert.NotNull(Pool().Find(Nodes(0)[0].Id)!.DownSince);
        Assert.Equal($"{agents[1].Node} {agents[0].Node}", members[1].Files["masters"]);
        var (answer, defect) = await work.RequestAsync(Pool(), new() { Kind = "run", Command = ["hostname"] }, CancellationToken.None);
        Assert.Equal((null, true), (defect, answer!.Succeeded));
        Assert.Contains(members[1].Orders, order => order.Contains("\"request\"", StringComparison.Ordinal));
        // The one that leads goes with its grid.
        Assert.False((await requests.LeaveAsync(Pool(), Nodes(1), new(), "alice", CancellationToken.None)).Nodes[0].Accepted);

        await agents[0].BootAndEnrolAsync();
        members.Add(new(agents[0], life.Token));
        members[1].Dead = null;
        await Eventually.UntilAsync(async () => { await watch.LookAsync(CancellationToken.None); return Pool().Find(Nodes(0)[0].Id)!.DownSince; }, since => since is null, "a master that stands by");
        Assert.Equal([agents[1].Node, agents[0].Node], Masters());
        Assert.Equal($"{agents[1].Node} {agents[0].Node}", members[^1].Files["masters"]);
        Assert.Contains("grid.master-back", appliance.EventsOf(agents[0].Node));

        await Eventually.UntilAsync(() => appliance.Operations.UnfinishedOn(Nodes(0)[0].Id).Count == 0, "the end of the way back");
        await EndAsync(appliance, await requests.LeaveAsync(Pool(), Nodes(0), new(), "alice", CancellationToken.None));
        Assert.Equal([agents[1].Node], Masters());
        Assert.Equal(agents[1].Node, members[1].Files["masters"]);
        await EndAsync(appliance, await requests.LeaveAsync(Pool(), null, new(), "alice", CancellationToken.None));
        await life.CancelAsync();
        await Task.WhenAll(members.Select(member => member.Life)).WaitAsync(Patience);
    }

    /// <summary>It would lose what the other one has that is gone.</summary>
    [Fact]
    public async Task A_backup_that_has_not_all_takes_nobodys_place()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var nodes = new[] { (await appliance.IdleAgentAsync(1)).Node, (await appliance.IdleAgentAsync(2)).Node }.Select(name => appliance.Nodes.Current.Find(name)!).ToList();
        foreach (var node in nodes) await appliance.Nodes.ChangeAsync(node.Id, latest => (latest with { Modules = [new() { Name = "hello", Version = "1.0", State = "running" }] }, []), CancellationToken.None);
        appliance.Nodes.Touch(nodes[0].Id, latest => latest with { AgentLastSeen = DateTimeOffset.UnixEpoch });
        var (grids, succession) = (appliance.Get<GridDirectory>(), appliance.Get<GridSuccession>());
        GridMember Master(int which, DateTimeOffset? down) => new(nodes[which].Id, nodes[which].Name, GridRole.Master, GridStanding.Member) { DownSince = down };
        var grid = await grids.ChangeAsync(Guid.NewGuid(), _ => new() { Id = Guid.NewGuid(), Name = "pool", Engine = "roster", Created = DateTimeOffset.UnixEpoch, Members = [Master(0, null), Master(1, DateTimeOffset.UnixEpoch)] }, null, CancellationToken.None);
        Assert.Equal(nodes[0].Id, (await succession.LookAsync(grid!, CancellationToken.None))!.Master!.NodeId);
    }

    [Fact]
    public async Task A_node_that_boots_between_its_module_and_what_it_is_told_is_refused_with_the_reason_and_the_others_go_on()
    {
        await using var appliance = await TestAppliance.StartAsync();
        using var life = new CancellationTokenSource();
        List<ScriptedAgent> agents = [await appliance.IdleAgentAsync(1), await appliance.IdleAgentAsync(2), await appliance.IdleAgentAsync(3)];
        var members = agents.Select((agent, place) => new Member(agent, life.Token) { DiesWhenTold = place == 1 }).ToList();
        IReadOnlyList<Node> Nodes(params int[] which) => [.. which.Select(number => appliance.Nodes.Current.Find(agents[number].Node)!)];
        var change = await appliance.Get<GridRequests>().CreateAsync(new() { Name = "pool", Engine = "roster", Masters = "x", Workers = "y" }, Nodes(0), Nodes(1, 2), "alice", CancellationToken.None);
        await members[1].Life.WaitAsync(Patience);
        await agents[1].BootAndEnrolAsync();
        members.Add(new(agents[1], life.Token));
        var ends = new List<string?>();
        foreach (var node in change.Nodes) ends.Add((await appliance.Operations.EndAsync(Guid.Parse(node.OperationId!), CancellationToken.None).WaitAsync(Patience))!.ReasonOrNull);
        Assert.Equal([null, $"{agents[1].Node} booted meanwhile, and has lost the module web", null], ends);
        Assert.Equal([agents[0].Node, agents[2].Node], appliance.Get<GridDirectory>().Find("pool")!.Members.Select(member => member.Node));
        Assert.Equal(agents[2].Node, members[0].Files["roster"]);
        Assert.Equal((NodeState.Idle, 0), (Nodes(1)[0].State, Nodes(1)[0].Modules.Length));
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
        IReadOnlyList<InstalledModuleDocument> modules = [];

        public Member(ScriptedAgent agent, CancellationToken end) => (this.agent, Life) = (agent, ServeAsync(agent, end));

        public Task Life { get; }

        public bool CanInstall { get; init; } = true;

        /// <summary>Its machine goes down when it is told its part for the first time.</summary>
        public bool DiesWhenTold { get; init; }

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
                if (DiesWhenTold && order.Run?.Command is ["told"]) return;
                var succeeds = order.Run is not null ? modules.Count > 0 : CanInstall || order.Kind != OrderKinds.InstallModule;
                if (order.Module is { } module && succeeds) modules = order.Kind == OrderKinds.InstallModule ? [new() { Name = module.Name, Version = module.Version, State = "running" }] : [];
                await served.ReportAsync(order.Id, new OrderResult { Succeeded = succeeds, Output = order.Run is { } run && succeeds ? await RunAsync(order.Id, run) : null, Modules = modules });
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
                + string.Concat(Files["masters"].Split(' ').Where(name => name != agent.Node).Select(name => $"standby {name} {(name == Dead ? "behind" : "ready")}\n"))
                + (Job is null ? "" : $"job 1 RUNNING {roster.First(node => node != Dead)} {Job}\n");
        }
    }
}
