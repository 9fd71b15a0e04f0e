using System.Text.Json;
using System.Text.Json.Serialization;
using GridAppliance.Api.Agents;
using GridAppliance.Grids;
using GridAppliance.Modules;
using GridAppliance.Nodes;

namespace GridAppliance.Operations;

/// <summary>An idle node becomes master or worker of a grid: the image that the engine needs, its module, what the node and its master have to know, and proof that the engine counts on it.</summary>
sealed class JoinGrid(GridDirectory grids, GridEngines engines, GridTelling telling, GridWork work, GridSecrets secrets, ImageSteps images, ModuleOrders modules, ModuleCatalog catalog, NodeDirectory nodes, TimeProvider time) : IOperationKind
{
    public const string KindName = "grid-join";

    /// <summary>From an idle node, firmware and all.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(20);
    static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    public string Name => KindName;

    public static NewOperation For(Grid grid, GridMember member, string? imageBefore, string actor) =>
        new(KindName, JsonSerializer.Serialize(new(grid.Id, grid.Name, grid.Engine, member.Role, imageBefore), JoinGridJson.Default.JoinGridInput))
        {
            NodeId = member.NodeId, Node = member.Node, Subject = grid.Name, Key = $"{KindName}:{grid.Id}:{member.NodeId}", StartedBy = actor,
        };

    public IReadOnlyList<Step> StepsFor(Operation operation)
    {
        var input = JsonSerializer.Deserialize(operation.Input, JoinGridJson.Default.JoinGridInput)!;
        var engine = engines.Find(input.Engine);
        if (engine is null) return [new("engine", _ => Task.FromResult<StepOutcome>(new StepOutcome.Failed(GridEngines.Unknown(input.Engine))))];
        return
        [
            new("assign", token => AssignAsync(operation, input, token), token => UnassignAsync(operation, token)),
            .. images.For(operation, engine.Image, input.ImageBefore),
            new("order", token => PlaceAsync(operation, engine, input, token), token => modules.TakeBackAsync(operation, Module(engine, input) is { } module ? (OrderKinds.RemoveModule, module) : null, token)),
            new("install", _ => modules.AwaitAsync(operation)),
            new("tell", token => TellAsync(operation, input, token)),
            new("ready", token => ReadyAsync(operation, engine, input, token)),
            new("activate", token => ActivateAsync(operation, input, token)),
        ];
    }

    /// <summary>A node that did not come in is none of the grid's, and its master no longer waits for it.</summary>
    public async Task ConcludeAsync(Operation operation, OperationEnd end, CancellationToken cancellationToken)
    {
        if (end is OperationEnd.Done) return;
        var input = JsonSerializer.Deserialize(operation.Input, JoinGridJson.Default.JoinGridInput)!;
        // A master counts as a member before its last step: while this operation lasts, nobody else has made it one.
        var grid = await grids.ChangeAsync(input.GridId, latest => latest?.Find(operation.NodeId!.Value)?.Standing is GridStanding.Joining or GridStanding.Member ? latest.Without(operation.NodeId!.Value) : latest,
            new("grid.refused", $"{operation.Node} did not become a {input.Role.ToString().ToLowerInvariant()} of {input.Grid}: {end.ReasonOrNull}") { NodeId = operation.NodeId, Node = operation.Node, Severity = EventSeverity.Error }, cancellationToken);
        if (grid is null) secrets.Forget(input.GridId);
        if (input.Role == GridRole.Worker && grid?.Master is { Standing: GridStanding.Member } master) await telling.TellAsync(input.GridId, master, cancellationToken);
    }

    /// <summary>What an engine's module is ordered as, for this grid.</summary>
    ModuleOrder? Module(IGridEngine engine, JoinGridInput input) => catalog.Find(engine.ModuleOf(input.Role)) is { } module ? InstallModule.OrderOf(module) with { Owner = OwnerOf(input.Grid) } : null;

    public static string OwnerOf(string grid) => $"grid:{grid}";

    async Task<StepOutcome> AssignAsync(Operation operation, JoinGridInput input, CancellationToken cancellationToken)
    {
        if (Find(operation) is not { } node) return new StepOutcome.Failed($"{operation.Node} is gone: it was removed from the appliance");
        if (grids.Find(input.GridId)?.Find(node.Id) is null) return new StepOutcome.Failed($"{node.Name} is not in {input.Grid} any more");
        if (node.State is NodeState.Assigning) return new StepOutcome.Done();
        return await nodes.ApplyAsync(node.Id, NodeEvent.Assign, $"{node.Name} is on its way into grid {input.Grid} as {input.Role.ToString().ToLowerInvariant()}", operation.StartedBy, null, cancellationToken) is null
            ? new StepOutcome.Failed($"{node.Name} is {node.State.ToString().ToLowerInvariant()}: only an idle node can be given to a grid") : new StepOutcome.Done();
    }

    async Task<StepOutcome> UnassignAsync(Operation operation, CancellationToken cancellationToken)
    {
        if (Find(operation) is not { State: NodeState.Assigning or NodeState.Active or NodeState.Releasing } node) return new StepOutcome.Done();
        if (node.State != NodeState.Releasing) await nodes.ApplyAsync(node.Id, node.State == NodeState.Active ? NodeEvent.Release : NodeEvent.Abort, $"{node.Name} goes back to the idle nodes", "appliance", null, cancellationToken);
        await nodes.ApplyAsync(node.Id, NodeEvent.Released, $"{node.Name} is idle", "appliance", null, cancellationToken);
        return new StepOutcome.Done();
    }

    Task<StepOutcome> PlaceAsync(Operation operation, IGridEngine engine, JoinGridInput input, CancellationToken cancellationToken) => Module(engine, input) is { } module
        ? modules.PlaceAsync(operation, OrderKinds.InstallModule, module, cancellationToken)
        : Task.FromResult<StepOutcome>(new StepOutcome.Failed($"the module {engine.ModuleOf(input.Role)} is not in the catalogue"));

    async Task<StepOutcome> TellAsync(Operation operation, JoinGridInput input, CancellationToken cancellationToken)
    {
        if (grids.Find(input.GridId) is not { } grid || grid.Find(operation.NodeId!.Value) is not { } member) return new StepOutcome.Failed($"{operation.Node} is not in {input.Grid} any more");
        // Its addresses are what the others are told: a master that does not run yet has perhaps another tomorrow.
        if (await telling.TellAsync(grid.Id, member, cancellationToken) is { } untold) return Later(operation, untold);
        if (member.Role == GridRole.Master)
        {
            await grids.ChangeAsync(grid.Id, latest => latest?.Find(member.NodeId) is { } there ? latest.With(there with { Standing = GridStanding.Member }) : latest, null, cancellationToken);
            return new StepOutcome.Done();
        }
        if (grid.Master is not { Standing: GridStanding.Member } master) return Later(operation, $"{grid.Master?.Node ?? "a master"} is not up yet");
        return await telling.TellAsync(grid.Id, master, cancellationToken) is { } other ? Later(operation, other) : new StepOutcome.Done($"{master.Node} has been told of it");
    }

    async Task<StepOutcome> ReadyAsync(Operation operation, IGridEngine engine, JoinGridInput input, CancellationToken cancellationToken)
    {
        if (grids.Find(input.GridId) is not { } grid) return new StepOutcome.Failed($"{input.Grid} is gone");
        var (report, problem) = await work.LookAsync(grid, cancellationToken);
        // Its master may have gone since it was told of this one.
        if (report is null) return grid.Master is null ? new StepOutcome.Failed(problem!) : Later(operation, problem!);
        if (input.Role == GridRole.Master) return new StepOutcome.Done($"{engine.Name} answers on {operation.Node}");
        return report.Find(operation.Node) is { State: "idle" or "busy" }
            ? new StepOutcome.Done($"{engine.Name} counts on it") : Later(operation, $"{engine.Name} on {grid.Master!.Node} does not count on it yet");
    }

    async Task<StepOutcome> ActivateAsync(Operation operation, JoinGridInput input, CancellationToken cancellationToken)
    {
        if (Find(operation) is { State: NodeState.Active }) return new StepOutcome.Done();
        var happened = new NewEvent("grid.joined", $"{operation.Node} is {(input.Role == GridRole.Master ? "the master" : "a worker")} of grid {input.Grid}, {(time.GetUtcNow() - operation.Started).TotalSeconds:0.0} s after it was asked for")
        { NodeId = operation.NodeId, Node = operation.Node };
        await grids.ChangeAsync(input.GridId, latest => latest?.Find(operation.NodeId!.Value) is { Standing: GridStanding.Joining or GridStanding.Member } there ? latest.With(there with { Standing = GridStanding.Member }) : latest,
            happened, cancellationToken);
        // Last: an active node is one with which nothing is left to do.
        await nodes.ApplyAsync(operation.NodeId!.Value, NodeEvent.Assigned, $"{operation.Node} works for grid {input.Grid}", "appliance", null, cancellationToken);
        return new StepOutcome.Done(happened.Message);
    }

    StepOutcome Later(Operation operation, Untold untold) => untold.ForGood ? new StepOutcome.Failed(untold.Reason) : Later(operation, untold.Reason);

    StepOutcome Later(Operation operation, string why) => time.GetUtcNow() - operation.Started > Patience ? new StepOutcome.Failed(why) : new StepOutcome.NotYet(LookAgain, why);

    Node? Find(Operation operation) => nodes.Current.Find(operation.NodeId ?? default);
}

/// <param name="ImageBefore">What the node was to boot.</param>
sealed record JoinGridInput(Guid GridId, string Grid, string Engine, GridRole Role, string? ImageBefore);

[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
[JsonSerializable(typeof(JoinGridInput))]
sealed partial class JoinGridJson : JsonSerializerContext;
