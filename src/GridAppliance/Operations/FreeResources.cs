using System.Text.Json;
using System.Text.Json.Serialization;
using GridAppliance.Nodes;
using GridAppliance.Resources;

namespace GridAppliance.Operations;

/// <summary>The end of a holding. Nothing of it is anybody else's before the agent has said that nothing of it runs any more; that there is no way back is the point.</summary>
sealed class FreeResources(ResourceLedger ledger, HoldingOrders orders, HoldingModules modules, NodeDirectory nodes) : IOperationKind
{
    public const string KindName = "resource-free";

    public string Name => KindName;

    public bool TakesTurns => false;

    public static NewOperation For(Holding holding, string why, string actor) => new(KindName, JsonSerializer.Serialize(new(holding, why), FreeResourcesJson.Default.FreeResourcesInput))
    {
        NodeId = holding.NodeId, Node = holding.Node, Subject = holding.Owner, Key = KeyOf(holding.Id), StartedBy = actor,
    };

    public static string KeyOf(Guid holding) => $"{KindName}:{holding}";

    public IReadOnlyList<Step> StepsFor(Operation operation)
    {
        var (holding, why) = JsonSerializer.Deserialize(operation.Input, FreeResourcesJson.Default.FreeResourcesInput)!;
        return
        [
            new("mark", token => MarkAsync(holding, token)),
            .. holding.Modules.Select(module => new Step($"remove {module}", token => modules.LeaveAsync(operation, holding.Id, module, token))),
            new("free", token => orders.FreeAsync(operation, holding, token)),
            new("forget", token => ForgetAsync(holding, why, operation.StartedBy, token)),
        ];
    }

    public Task ConcludeAsync(Operation operation, OperationEnd end, CancellationToken cancellationToken) => Task.CompletedTask;

    async Task<StepOutcome> MarkAsync(Holding holding, CancellationToken cancellationToken)
    {
        await ledger.ChangeAsync(holding.Id, latest => latest with { State = HoldingState.Ending }, null, cancellationToken);
        return new StepOutcome.Done();
    }

    async Task<StepOutcome> ForgetAsync(Holding holding, string why, string actor, CancellationToken cancellationToken)
    {
        var message = $"{holding.Owner} has no longer {holding.Amounts}: {why}";
        var happened = nodes.Current.Find(holding.NodeId) is { } node ? NewEvent.About(node, "resource.freed", message) : new("resource.freed", message) { Node = holding.Node };
        await ledger.RemoveAsync(holding.Id, happened with { Actor = actor }, cancellationToken);
        return new StepOutcome.Done($"{holding.Amounts} of {holding.Node} free again");
    }
}

sealed record FreeResourcesInput(Holding Holding, string Why);

[JsonSerializable(typeof(FreeResourcesInput))]
[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
sealed partial class FreeResourcesJson : JsonSerializerContext;
