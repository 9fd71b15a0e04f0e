using System.Text.Json;
using System.Text.Json.Serialization;
using GridAppliance.Api.Agents;
using GridAppliance.Boot.Files;
using GridAppliance.Grids;
using GridAppliance.Modules;
using GridAppliance.Nodes;

namespace GridAppliance.Operations;

/// <summary>A member leaves its grid: no new work, the work that is there ends (or goes on elsewhere), the master forgets it, and the node becomes what it was: idle, in the tiny image.</summary>
sealed class LeaveGrid(GridDirectory grids, GridEngines engines, GridTelling telling, GridWork work, GridSecrets secrets, ImageSteps images, ModuleOrders modules, ModuleCatalog catalog, NodeDirectory nodes,
    TimeProvider time) : IOperationKind
{
    public const string KindName = "grid-leave";

    /// <summary>Without a heartbeat for so long a node is not waited for: what it has is in its memory, and goes with that.</summary>
    static readonly TimeSpan Silence = TimeSpan.FromSeconds(60);
    /// <summary>One that boots because it was told to says nothing either, and the firmware of large machines takes minutes.</summary>
    static readonly TimeSpan BootSilence = TimeSpan.FromMinutes(10);
    static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(2);
    /// <summary>How long a master is asked to count on a member again that does not leave after all.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    public string Name => KindName;

    /// <param name="now">Its work is not waited for.</param>
    /// <param name="staysInItsSystem">It has a system of its own, and boots nothing.</param>
    public static NewOperation For(Grid grid, GridMember member, bool now, bool staysInItsSystem, string actor) =>
        new(KindName, JsonSerializer.Serialize(new(grid.Id, grid.Name, grid.Engine, member.Role, now, member.Standing == GridStanding.Joining ? GridStanding.Member : member.Standing, staysInItsSystem), LeaveGridJson.Default.LeaveGridInput))
        {
            NodeId = member.NodeId, Node = member.Node, Subject = grid.Name, Key = $"{KindName}:{grid.Id}:{member.NodeId}", StartedBy = actor,
        };

    public IReadOnlyList<Step> StepsFor(Operation operation)
    {
        var input = JsonSerializer.Deserialize(operation.Input, LeaveGridJson.Default.LeaveGridInput)!;
        return
        [
            new("drain", token => DrainAsync(operation, input, token), token => StayAsync(operation, input, token)),
            new("forget", token => ForgetAsync(operation, input, token)),
            new("order", token => OrderAsync(operation, input, token), token => modules.WithdrawAsync(operation, token)),
            new("remove", _ => IsSilent(operation, Silence) ? StepOutcome.DoneNow() : modules.AwaitAsync(operation)),
            .. input.StaysInItsSystem ? [] : images.For(operation, RootImage.Tiny, null).Select(step => step with { Do = token => BootAsync(operation, step, token), Undo = null }),
            new("release", token => ReleaseAsync(operation, input, token)),
        ];
    }

    public Task ConcludeAsync(Operation operation, OperationEnd end, CancellationToken cancellationToken) => Task.CompletedTask;

    async Task<StepOutcome> DrainAsync(Operation operation, LeaveGridInput input, CancellationToken cancellationToken)
    {
        var grid = await grids.ChangeAsync(input.GridId, latest => latest?.Find(operation.NodeId!.Value) is { } there ? latest.With(there with { Standing = GridStanding.Leaving }) : latest, null, cancellationToken);
        if (grid?.Find(operation.NodeId!.Value) is null) return new StepOutcome.Failed($"{operation.Node} is not in {input.Grid}");
        // A backup master goes alone; the one that leads goes with its grid.
        if (input.Role == GridRole.Master && !grid.IsLeaving) return new StepOutcome.Done();
        if (input.Role == GridRole.Master)
            return grid.Members.Any(member => member.Role == GridRole.Worker) ? new StepOutcome.NotYet(LookAgain, "its workers leave first") : new StepOutcome.Done();
        if (grid.Master is not { Standing: GridStanding.Member } master) return new StepOutcome.Done("there is no master to tell");
        await work.DrainAsync(grid, master, operation.Node!, input.Now ? GridDrain.Now : GridDrain.Gently, cancellationToken);
        if (input.Now) return new StepOutcome.Done("its work goes on elsewhere");
        var (report, _) = await work.LookAsync(grid, cancellationToken);
        return report?.Find(operation.Node) is { State: "draining" or "busy" }
            ? new StepOutcome.NotYet(LookAgain, "its work goes on to its end") : new StepOutcome.Done();
    }

    /// <summary>It does not leave after all: what it was, as long as it still has what it needs for that. One whose module is gone stays on its way out until somebody asks again.</summary>
    async Task<StepOutcome> StayAsync(Operation operation, LeaveGridInput input, CancellationToken cancellationToken)
    {
        if (await modules.AwaitAsync(operation) is StepOutcome.Done) return new StepOutcome.Done($"{operation.Node} has left its work behind already");
        var grid = await grids.ChangeAsync(input.GridId, latest => latest?.Find(operation.NodeId!.Value) is { } there ? latest.With(there with { Standing = input.Before }) : latest, null, cancellationToken);
        if (input.Before == GridStanding.Leaving || grid?.Master is not { Standing: GridStanding.Member } master || master.NodeId == operation.NodeId) return new StepOutcome.Done();
        if (await telling.TellAsync(input.GridId, master, cancellationToken) is { } untold)
            return untold.ForGood || time.GetUtcNow() - operation.Started > Patience ? new StepOutcome.Failed(untold.Reason) : new StepOutcome.NotYet(LookAgain, untold.Reason);
        if (input is { Before: GridStanding.Member, Role: GridRole.Worker }) await work.DrainAsync(grid, master, operation.Node!, GridDrain.Resume, cancellationToken);
        return new StepOutcome.Done($"{operation.Node} stays in {input.Grid}");
    }

    async Task<StepOutcome> ForgetAsync(Operation operation, LeaveGridInput input, CancellationToken cancellationToken) =>
        grids.Find(input.GridId) is { IsLeaving: false, Master: { Standing: GridStanding.Member } master } && master.NodeId != operation.NodeId && await telling.TellAsync(input.GridId, master, cancellationToken) is { ForGood: false } untold
            ? new StepOutcome.NotYet(LookAgain, untold.Reason) : new StepOutcome.Done();

    async Task<StepOutcome> OrderAsync(Operation operation, LeaveGridInput input, CancellationToken cancellationToken)
    {
        // One that stays in its system may come back with all that it has: the order waits for it as long as orders do.
        if (IsSilent(operation, Silence) && !input.StaysInItsSystem) return new StepOutcome.Done($"{operation.Node} does not answer: what it has goes with its memory");
        return engines.Find(input.Engine) is { } engine && catalog.Find(engine.ModuleOf(input.Role)) is { } module
            ? await modules.PlaceAsync(operation, OrderKinds.RemoveModule, InstallModule.OrderOf(module) with { Owner = JoinGrid.OwnerOf(input.Grid) }, cancellationToken)
            : new StepOutcome.Failed($"the module of {input.Engine} is not in the catalogue any more");
    }

    async Task<StepOutcome> ReleaseAsync(Operation operation, LeaveGridInput input, CancellationToken cancellationToken)
    {
        var id = operation.NodeId!.Value;
        await nodes.ApplyAsync(id, NodeEvent.Release, $"{operation.Node} has left grid {input.Grid}", "appliance", null, cancellationToken);
        await nodes.ApplyAsync(id, NodeEvent.Released, $"{operation.Node} is idle", "appliance", null, cancellationToken);
        var left = await grids.ChangeAsync(input.GridId, latest => latest?.Without(id),
            new("grid.left", $"{operation.Node} has left grid {input.Grid}") { NodeId = id, Node = operation.Node }, cancellationToken);
        if (left is null) secrets.Forget(input.GridId);
        return new StepOutcome.Done($"{operation.Node} is idle");
    }

    /// <summary>The wish is written down whether or not the node answers.</summary>
    async Task<StepOutcome> BootAsync(Operation operation, Step step, CancellationToken cancellationToken) =>
        step.Name != ImageSteps.Wish && IsSilent(operation, await images.IsUnderwayAsync(operation) ? BootSilence : Silence) ? new StepOutcome.Done("it does not answer") : await step.Do(cancellationToken);

    bool IsSilent(Operation operation, TimeSpan limit) =>
        nodes.Current.Find(operation.NodeId ?? default) is not { } node || (node.AgentLastSeen is not { } seen || time.GetUtcNow() - seen > limit) && time.GetUtcNow() - operation.Started > limit;
}

/// <param name="Now">Without waiting for its work.</param>
/// <param name="Before">What it was, for one that does not leave after all.</param>
/// <param name="StaysInItsSystem">It has a system of its own, and boots nothing.</param>
sealed record LeaveGridInput(Guid GridId, string Grid, string Engine, GridRole Role, bool Now, GridStanding Before = GridStanding.Member, bool StaysInItsSystem = false);

[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
[JsonSerializable(typeof(LeaveGridInput))]
sealed partial class LeaveGridJson : JsonSerializerContext;
