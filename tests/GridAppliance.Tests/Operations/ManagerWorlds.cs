using GridAppliance.Agents;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;
using GridAppliance.Nodes;
using GridAppliance.Operations;
using GridAppliance.Resources;

namespace GridAppliance.Tests.Operations;

/// <summary>Idle nodes whose agents answer every order and live on while the daemon dies.</summary>
abstract class ManagerWorld : OperationWorld
{
    readonly List<Guid> idle = [];

    protected AgentOrders Orders { get; private set; } = null!;

    protected IReadOnlyList<Guid> Idle => idle;

    public override async Task<NewOperation> PrepareAsync()
    {
        Open();
        for (var number = 1; number <= 3; number++)
        {
            var node = (await Store.DiscoverAsync(number)).Id;
            await Store.Nodes.ApplyAsync(node, NodeEvent.AgentEnrolled, "enrolling", "node", latest => latest with { AgentKey = [1, 2, 3], AgentVersion = "1.0" }, CancellationToken.None);
            await Store.Nodes.ApplyAsync(node, NodeEvent.Ready, "idle", "appliance", null, CancellationToken.None);
            idle.Add(node);
        }
        return await WantedAsync();
    }

    public override async Task MeanwhileAsync()
    {
        await Orders.SweepAsync(CancellationToken.None);
        foreach (var node in idle) await ServeAsync(node);
    }

    /// <summary>The node's agent comes for an order, and does it.</summary>
    protected async Task ServeAsync(Guid node)
    {
        if (await Orders.TakeAsync(node, CancellationToken.None) is not { } order) return;
        var succeeded = Succeeds(order.Document);
        if (succeeded) await CarryOutAsync(node, order.Document);
        await Orders.ReportAsync(node, order.Id, new() { Succeeded = succeeded, Message = "done", Output = Says(node, order.Document) }, CancellationToken.None);
    }

    public override async Task RestartAsync()
    {
        await base.RestartAsync();
        Open();
    }

    protected abstract Task<NewOperation> WantedAsync();

    protected virtual bool Succeeds(OrderDocument order) => true;

    /// <summary>What a program wrote that was run for an order.</summary>
    protected virtual string? Says(Guid node, OrderDocument order) => null;

    protected abstract Task CarryOutAsync(Guid node, OrderDocument order);

    void Open() => Orders = new(Store.Database, Store.Nodes, new(), Store.Clock);
}

/// <summary>n1 changes from n2 to n3.</summary>
sealed class SetMasterWorld : ManagerWorld
{
    readonly Dictionary<Guid, RelationOrder> told = [];

    public override IOperationKind Kind => new SetMaster(Store.Nodes, new ManagerRelations(Store.Nodes, Orders, Store.Clock));

    public override string Fingerprint() => string.Join("; ", Idle.Select(id => Store.Nodes.Current.Find(id)!).Select(node =>
        $"{node.Name} under {node.Master?.Name}, its agent: {told.GetValueOrDefault(node.Id)?.Master?.Node} over [{string.Join(' ', told.GetValueOrDefault(node.Id)?.Workers.Select(worker => worker.Node) ?? [])}]"));

    protected override async Task<NewOperation> WantedAsync()
    {
        var nodes = Idle.Select(id => Store.Nodes.Current.Find(id)!).ToList();
        await Store.Nodes.ChangeAsync(nodes[0].Id, node => (node with { Master = new(nodes[1].Id, nodes[1].Name), RelationVersion = 1 }, []), CancellationToken.None);
        told[nodes[0].Id] = new() { Version = 1, Master = new() { NodeId = nodes[1].Id.ToString(), Node = nodes[1].Name } };
        told[nodes[1].Id] = new() { Version = 1, Workers = [new() { NodeId = nodes[0].Id.ToString(), Node = nodes[0].Name }] };
        return SetMaster.For(Store.Nodes.Current.Find(nodes[0].Id)!, nodes[2], "alice");
    }

    protected override Task CarryOutAsync(Guid node, OrderDocument order)
    {
        if (order.Relation!.Version >= (told.GetValueOrDefault(node)?.Version ?? 0)) told[node] = order.Relation;
        return Task.CompletedTask;
    }
}

sealed class UpdateAgentWorld : ManagerWorld
{
    public override IOperationKind Kind => new UpdateAgent(Store.Nodes, Orders, Store.Clock);

    public override string Fingerprint() => $"agent {Store.Nodes.Current.Find(Idle[0])!.AgentVersion}, orders waiting: {Orders.HasOrder(Idle[0])}";

    // An agent that has begun goes through with it.
    public override string? ExpectedAfter(OperationEnd end, string before) => null;

    protected override Task<NewOperation> WantedAsync() =>
        Task.FromResult(UpdateAgent.For(Store.Nodes.Current.Find(Idle[0])!, new() { Name = ModuleManifest.Agent, Version = "2.0", Class = "grid-agent", Digest = new('a', 64), SizeBytes = 1 }, "alice"));

    protected override async Task CarryOutAsync(Guid node, OrderDocument order) =>
        await new AgentPresence(Store.Nodes, Store.Clock).HeardAsync(Store.Nodes.Current.Find(node)!, new() { AgentVersion = order.Module!.Version }, null, static () => true, CancellationToken.None);
}
