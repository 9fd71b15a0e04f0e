using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;
using GridAppliance.Modules;
using GridAppliance.Nodes;
using GridAppliance.Operations;

namespace GridAppliance.Resources;

/// <summary>
/// The modules that a holding needs: installed by the operation that installs modules, shared by all holdings of the node that name them, and taken away with the last of these
/// unless a policy lets them stay for a while.
/// </summary>
sealed class HoldingModules(ResourceLedger ledger, ModuleUses uses, NodeDirectory nodes, Lazy<ModuleChanges> changes, Lazy<OperationRunner> operations)
{
    // The ends of nested operations wake nobody; an installation takes a second.
    static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(250);

    /// <summary>Done once the module runs.</summary>
    public async Task<StepOutcome> InstallAsync(Operation operation, Guid id, string module, CancellationToken cancellationToken)
    {
        if (ledger.Find(id) is not { } holding || nodes.Current.Find(holding.NodeId) is not { } node) return new StepOutcome.Failed("the holding has ended");
        if (Started(holding, operation, "install", module) is { } nested) return Standing(nested, node, module, $"{module} runs");
        var present = node.Modules.Any(installed => installed.Name == module);
        await uses.AskedAsync(node.Id, module, present ? null : true, cancellationToken);
        // Also when it runs: holdings are one of its owners then, and nobody else's leaving takes it away.
        var change = await changes.Value.InstallAsync([node], module, dryRun: false, operation.StartedBy, cancellationToken, new(ModuleOrder.Holdings));
        return await BeginAsync(operation, holding, "install", module, change, cancellationToken);
    }

    /// <summary>Takes back an installation that was begun for this holding and that nobody else shares.</summary>
    public async Task<StepOutcome> TakeBackAsync(Operation operation, Guid id, string module, CancellationToken cancellationToken)
    {
        if (ledger.Find(id) is not { } holding || nodes.Current.Find(holding.NodeId) is not { } node || Started(holding, operation, "install", module) is not { } nested) return new StepOutcome.Done();
        if (operations.Value.Find(nested) is { State: "running" })
        {
            await operations.Value.CancelAsync(nested, operation.StartedBy, "what it was installed for is taken back", cancellationToken);
            return new StepOutcome.NotYet(LookAgain, $"{module} is being taken back");
        }
        return operations.Value.Find(nested) is { State: "undoing" } ? new StepOutcome.NotYet(LookAgain, $"{module} is being taken back") : await LeaveAsync(operation, id, module, cancellationToken);
    }

    /// <summary>The holding does not need the module any more: it goes with the last that does. What cannot be removed does not keep the rest from being freed.</summary>
    public async Task<StepOutcome> LeaveAsync(Operation operation, Guid id, string module, CancellationToken cancellationToken)
    {
        if (ledger.Find(id) is not { } holding || nodes.Current.Find(holding.NodeId) is not { } node) return new StepOutcome.Done();
        if (Started(holding, operation, "remove", module) is { } nested)
            return Standing(nested, node, module, $"{module} is removed") is StepOutcome.NotYet wait ? wait : new StepOutcome.Done($"{module} is removed or stays: see its own operation");
        if (node.Modules.FirstOrDefault(installed => installed.Name == module) is not { } present) return new StepOutcome.Done();
        if (ledger.On(node.Id).Any(other => other.Id != id && other.State != HoldingState.Ending && other.Modules.Contains(module))) return new StepOutcome.Done($"{module} stays: others need it");
        // From here on nobody asks.
        await uses.AskedAsync(node.Id, module, null, cancellationToken);
        if (uses.TimeoutOf(module, present.Version) is { } timeout) return new StepOutcome.Done($"{module} stays for {timeout.TotalSeconds:0} s");
        if (InstallModule.NoAgent(node) is { } obstacle) return new StepOutcome.Done(obstacle);
        var change = await changes.Value.RemoveAsync([node], module, dryRun: false, operation.StartedBy, cancellationToken, ModuleOrder.Holdings);
        return await BeginAsync(operation, holding, "remove", module, change, cancellationToken) is StepOutcome.NotYet begun ? begun : new StepOutcome.Done($"{module} stays: it could not be removed");
    }

    static Guid? Started(Holding holding, Operation operation, string what, string module) => holding.Started.TryGetValue(Key(operation, what, module), out var id) ? id : null;

    static string Key(Operation operation, string what, string module) => $"{operation.Id:N} {what} {module}";

    async Task<StepOutcome> BeginAsync(Operation operation, Holding holding, string what, string module, ChangeDocument change, CancellationToken cancellationToken)
    {
        var begun = change.Nodes[0];
        if (!begun.Accepted || !Guid.TryParse(begun.OperationId, out var nested)) return new StepOutcome.Failed(begun.Message);
        await ledger.ChangeAsync(holding.Id, latest => latest with { Started = new Dictionary<string, Guid>(latest.Started) { [Key(operation, what, module)] = nested } }, null, cancellationToken);
        return new StepOutcome.NotYet(LookAgain, begun.Message);
    }

    StepOutcome Standing(Guid nested, Node node, string module, string done) => operations.Value.Find(nested) switch
    {
        { State: "done" } => new StepOutcome.Done(done),
        { State: "failed" or "cancelled" } ended => new StepOutcome.Failed($"{module}: {ended.Reason ?? ended.State}"),
        { } under => new StepOutcome.NotYet(LookAgain, $"{module}: {under.Reason ?? "under way"}"),
        // Ended so long ago that it was forgotten: the node itself says how.
        null => node.Modules.Any(installed => installed.Name == module) ? new StepOutcome.Done(done) : new StepOutcome.Failed($"{module} is not there"),
    };
}
