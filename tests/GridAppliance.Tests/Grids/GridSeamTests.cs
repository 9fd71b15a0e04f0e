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
            return run.Command[0] == "state" ? string.Concat(Files["roster"].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(node => $"node {node} idle 0 1 0.00\n")) : "";
        }
    }
}
