using System.Text.Json;
using System.Text.Json.Serialization;
using GridAppliance.Api.Agents;
using GridAppliance.Boot.Files;
using GridAppliance.Grids;
using GridAppliance.Modules;
using GridAppliance.Nodes;

namespace GridAppliance.Operations;

/// <summary>
/// An idle node becomes master or worker of a grid: the image that the engine needs, its module, what the node and its master have to know, and proof that the engine counts on it.
/// A member that has booted anew has lost all of that with its memory, and comes back the same way; it stays a member, whatever becomes of it.
/// </summary>
sealed class JoinGrid(GridDirectory grids, GridEngines engines, GridTelling telling, GridWork work, GridSecrets secrets, ImageSteps images, ModuleOrders modules, ModuleCatalog catalog, NodeDirectory nodes, TimeProvider time) : IOperationKind
{
    public const string KindName = "grid-join";

    /// <summary>From an idle node, firmware and all.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(20);
    static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    public string Name => KindName;

    public static NewOperation For(Grid grid, GridMember member, Node node, string actor) => Wanted(grid, member, new(grid.Id, grid.Name, grid.Engine, member.Role, node.ImageWish, StaysInItsSystem: node.HasOwnSystem), actor);

    /// <summary>The way back for a member that has booted anew.</summary>
    public static NewOperation BackFor(Grid grid, GridMember member, Node node) =>
        Wanted(grid, member, new(grid.Id, grid.Name, grid.Engine, member.Role, node.ImageWish, IsReturn: true, node.HasOwnSystem), "appliance");

    static NewOperation Wanted(Grid grid, GridMember member, JoinGridInput input, string actor) => new(KindName, JsonSerializer.Serialize(input, JoinGridJson.Default.JoinGridInput))
    {
        NodeId = member.NodeId, Node = member.Node, Subject = grid.Name, Key = $"{KindName}:{grid.Id}:{member.NodeId}", StartedBy = actor,
    };

    /// <summary>Whether an operation brings a member back, rather than a newcomer in.</summary>
    public static bool IsReturn(Operation operation) => operation.Kind == KindName && JsonSerializer.Deserialize(operation.Input, JoinGridJson.Default.JoinGridInput)!.IsReturn;

    public IReadOnlyList<Step> StepsFor(Operation operation)
    {
        var input = JsonSerializer.Deserialize(operation.Input, JoinGridJson.Default.JoinGridInput)!;
        var engine = engines.Find(input.Engine);
        if (engine is null) return [new("engine", _ => Task.FromResult<StepOutcome>(new StepOutcome.Failed(GridEngines.Unknown(input.Engine))))];
        return
        [
            input.IsReturn ? new("assign", _ => Task.FromResult(Belongs(operation, input))) : new("assign", token => AssignAsync(operation, input, token), token => UnassignAsync(operation, token)),
            // One with a system of its own stays in it, and has the image as its module's root.
            .. input.StaysInItsSystem ? [] : images.For(operation, engine.Image, input.ImageBefore),
            // What came back is no harm on a member that did not come back whole.
            new("order", token => PlaceAsync(operation, engine, input, token), token => input.IsReturn ? modules.WithdrawAsync(operation, token)
                : modules.TakeBackAsync(operation, Module(engine, input) is { } module ? (OrderKinds.RemoveModule, module) : null, token)),
            new("install", _ => modules.AwaitAsync(operation)),
            new("tell", token => TellAsync(operation, engine, input, token)),
            new("ready", token => ReadyAsync(operation, engine, input, token)),
            new("activate", token => ActivateAsync(operation, input, token)),
        ];
    }

    /// <summary>A node that did not come in is none of the grid's, and its master no longer waits for it.</summary>
    public async Task ConcludeAsync(Operation operation, OperationEnd end, CancellationToken cancellationToken)
    {
        if (end is OperationEnd.Done) return;
        var input = JsonSerializer.Deserialize(operation.Input, JoinGridJson.Default.JoinGridInput)!;
        if (input.IsReturn) return;
        // A master counts as a member before its last step: while this operation lasts, nobody else has made it one.
        var grid = await grids.ChangeAsync(input.GridId, latest => latest?.Find(operation.NodeId!.Value)?.Standing is GridStanding.Joining or GridStanding.Member ? latest.Without(operation.NodeId!.Value) : latest,
            new("grid.refused", $"{operation.Node} did not become a {input.Role.ToString().ToLowerInvariant()} of {input.Grid}: {end.ReasonOrNull}") { NodeId = operation.NodeId, Node = operation.Node, Severity = EventSeverity.Error }, cancellationToken);
        if (grid is null) secrets.Forget(input.GridId);
        if (grid?.Master is { Standing: GridStanding.Member } master) await telling.TellAsync(input.GridId, master, cancellationToken);
    }

    /// <summary>What an engine's module is ordered as, for this grid.</summary>
    ModuleOrder? Module(IGridEngine engine, JoinGridInput input) => catalog.Find(engine.ModuleOf(input.Role)) is { } module ? InstallModule.OrderOf(module) with { Owner = OwnerOf(input.Grid) } : null;

    public static string OwnerOf(string grid) => $"grid:{grid}";

    StepOutcome Belongs(Operation operation, JoinGridInput input) =>
        grids.Find(input.GridId)?.Find(operation.NodeId!.Value) is not { Standing: GridStanding.Member or GridStanding.Drained } || Find(operation) is not { State: NodeState.Active }
            ? new StepOutcome.Failed($"{operation.Node} does not work for {input.Grid} any more") : new StepOutcome.Done($"{operation.Node} booted anew, and comes back to {input.Grid}");

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
        ? !input.StaysInItsSystem || engine.Image == RootImage.Tiny ? modules.PlaceAsync(operation, OrderKinds.InstallModule, module, cancellationToken)
        : images.RootFor(operation.Node!) is { } root ? modules.PlaceAsync(operation, OrderKinds.InstallModule, module with { Root = root }, cancellationToken)
        : Task.FromResult<StepOutcome>(new StepOutcome.Failed($"there is no {engine.Image} image beside the boot files any more"))
        : Task.FromResult<StepOutcome>(new StepOutcome.Failed($"the module {engine.ModuleOf(input.Role)} is not in the catalogue"));

    async Task<StepOutcome> TellAsync(Operation operation, IGridEngine engine, JoinGridInput input, CancellationToken cancellationToken)
    {
        if (grids.Find(input.GridId) is not { } grid || grid.Find(operation.NodeId!.Value) is not { } member) return new StepOutcome.Failed($"{operation.Node} is not in {input.Grid} any more");
        if (HasBooted(operation, engine, input) is { } reason) return new StepOutcome.Failed(reason);
        // What a master has that stands by comes from the one that leads.
        if (member.Role == GridRole.Master && grid.Master!.NodeId != member.NodeId && grid.Master.Standing != GridStanding.Member) return Later(operation, $"{grid.Master.Node} is not up yet");
        // Its addresses are what the others are told: a master that does not run yet has perhaps another tomorrow.
        if (await telling.TellAsync(grid.Id, member, cancellationToken) is { } untold) return Later(operation, untold);
        if (member.Role == GridRole.Master)
        {
            grid = await grids.ChangeAsync(grid.Id, latest => latest?.Find(member.NodeId) is { } there ? latest.With(there with { Standing = GridStanding.Member }) : latest, null, cancellationToken);
            if (grid?.Master?.NodeId == member.NodeId) return new StepOutcome.Done();
        }
        if (grid is null) return new StepOutcome.Failed($"{input.Grid} is gone");
        if (grid.Master is not { Standing: GridStanding.Member } master) return Later(operation, $"{grid.Master?.Node ?? "a master"} is not up yet");
        return await telling.TellAsync(grid.Id, master, cancellationToken) is { } other ? Later(operation, other) : new StepOutcome.Done($"{master.Node} has been told of it");
    }

    async Task<StepOutcome> ReadyAsync(Operation operation, IGridEngine engine, JoinGridInput input, CancellationToken cancellationToken)
    {
        if (grids.Find(input.GridId) is not { } grid) return new StepOutcome.Failed($"{input.Grid} is gone");
        if (HasBooted(operation, engine, input) is { } lost) return new StepOutcome.Failed(lost);
        var (report, problem) = await work.LookAsync(grid, cancellationToken);
        // Its master may have gone since it was told of this one.
        if (report is null) return grid.Master is null ? new StepOutcome.Failed(problem!) : Later(operation, problem!);
        if (grid.Master!.NodeId == operation.NodeId) return new StepOutcome.Done($"{engine.Name} answers on {operation.Node}");
        if (input.Role == GridRole.Master)
        {
            return report.Standbys.GetValueOrDefault(operation.Node!) == GridReport.Ready
                ? new StepOutcome.Done($"{operation.Node} has what {grid.Master.Node} has") : Later(operation, $"{operation.Node} has not yet what {grid.Master.Node} has");
        }
        return report.Find(operation.Node) is { State: "idle" or "busy" } || grid.Find(operation.NodeId!.Value)?.Standing == GridStanding.Drained && report.Find(operation.Node) is { State: not GridNodeReport.Down }
            ? new StepOutcome.Done($"{engine.Name} counts on it") : Later(operation, $"{engine.Name} on {grid.Master!.Node} does not count on it yet");
    }

    async Task<StepOutcome> ActivateAsync(Operation operation, JoinGridInput input, CancellationToken cancellationToken)
    {
        if (input.IsReturn)
        {
            if (grids.Find(input.GridId) is not { } grid || grid.Find(operation.NodeId!.Value) is not { } member) return new StepOutcome.Failed($"{operation.Node} is not in {input.Grid} any more");
            await grids.ChangeAsync(grid.Id, latest => latest?.Find(member.NodeId) is { DownSince: not null } there ? latest.With(there with { DownSince = null }) : latest,
                GridWatch.Back(grid, member) with { NodeId = member.NodeId, Node = member.Node }, cancellationToken);
            return new StepOutcome.Done($"{operation.Node} is back in {input.Grid}");
        }
        if (Find(operation) is { State: NodeState.Active }) return new StepOutcome.Done();
        var leads = grids.Find(input.GridId)?.Master?.NodeId == operation.NodeId;
        var happened = new NewEvent("grid.joined", $"{operation.Node} is {(leads ? "the master" : input.Role == GridRole.Master ? "the backup master" : "a worker")} of grid {input.Grid}, {(time.GetUtcNow() - operation.Started).TotalSeconds:0.0} s after it was asked for")
        { NodeId = operation.NodeId, Node = operation.Node };
        await grids.ChangeAsync(input.GridId, latest => latest?.Find(operation.NodeId!.Value) is { Standing: GridStanding.Joining or GridStanding.Member } there ? latest.With(there with { Standing = GridStanding.Member }) : latest,
            happened, cancellationToken);
        // Last: an active node is one with which nothing is left to do.
        await nodes.ApplyAsync(operation.NodeId!.Value, NodeEvent.Assigned, $"{operation.Node} works for grid {input.Grid}", "appliance", null, cancellationToken);
        return new StepOutcome.Done(happened.Message);
    }

    /// <summary>Why nothing comes of a node that has booted since its module was installed, which went with its memory; null for one that has it.</summary>
    string? HasBooted(Operation operation, IGridEngine engine, JoinGridInput input) =>
        Find(operation)?.Has(engine.ModuleOf(input.Role)) == true ? null : $"{operation.Node} booted meanwhile, and has lost the module {engine.ModuleOf(input.Role)}";

    StepOutcome Later(Operation operation, Untold untold) => untold.ForGood ? new StepOutcome.Failed(untold.Reason) : Later(operation, untold.Reason);

    StepOutcome Later(Operation operation, string why) => time.GetUtcNow() - operation.Started > Patience ? new StepOutcome.Failed(why) : new StepOutcome.NotYet(LookAgain, why);

    Node? Find(Operation operation) => nodes.Current.Find(operation.NodeId ?? default);
}

/// <param name="ImageBefore">What the node was to boot.</param>
/// <param name="IsReturn">It is a member already, and has booted.</param>
sealed record JoinGridInput(Guid GridId, string Grid, string Engine, GridRole Role, string? ImageBefore, bool IsReturn = false, bool StaysInItsSystem = false);

[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
[JsonSerializable(typeof(JoinGridInput))]
sealed partial class JoinGridJson : JsonSerializerContext;
