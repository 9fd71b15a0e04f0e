using System.Text.Json;
using System.Text.Json.Serialization;
using GridAppliance.Nodes;
using GridAppliance.Resources;

namespace GridAppliance.Operations;

/// <summary>
/// An owner's share of a node: entered in the ledger, ordered, confirmed by the agent, and for an allocation the modules that it needs. Taken back by freeing it, or by making
/// it the reservation again that it was.
/// </summary>
sealed class HoldResources(ResourceLedger ledger, HoldingOrders orders, HoldingModules modules, NodeDirectory nodes) : IOperationKind
{
    public const string KindName = "resource-hold";

    public string Name => KindName;

    /// <summary>It waits for modules, whose operations need the node's turn; what it shares with others is the ledger's to keep apart.</summary>
    public bool TakesTurns => false;

    public static NewOperation For(Holding holding, HoldPurpose purpose, bool allocate, string actor) =>
        new(KindName, JsonSerializer.Serialize(new(holding, purpose, allocate), HoldResourcesJson.Default.HoldResourcesInput))
        {
            NodeId = holding.NodeId, Node = holding.Node, Subject = holding.Owner, Key = KeyOf(holding.Id), StartedBy = actor,
        };

    public static string KeyOf(Guid holding) => $"{KindName}:{holding}";

    public IReadOnlyList<Step> StepsFor(Operation operation)
    {
        var input = JsonSerializer.Deserialize(operation.Input, HoldResourcesJson.Default.HoldResourcesInput)!;
        var holding = input.Holding;
        return
        [
            new("plan", token => PlanAsync(input, token), token => UnplanAsync(input, token)),
            new("order", token => orders.PlaceAsync(operation, holding, input.Allocate, token), token => TakeBackAsync(operation, input, token)),
            new("hold", token => ConfirmAsync(operation, input, token)),
            .. (input.Allocate ? holding.Modules : []).Select(module => new Step($"install {module}", token => modules.InstallAsync(operation, holding.Id, module, token), token => modules.TakeBackAsync(operation, holding.Id, module, token))),
            new("ready", _ => Task.FromResult(Ready(input))),
        ];
    }

    public Task ConcludeAsync(Operation operation, OperationEnd end, CancellationToken cancellationToken) => Task.CompletedTask;

    async Task<StepOutcome> PlanAsync(HoldResourcesInput input, CancellationToken cancellationToken)
    {
        var wanted = input.Holding;
        if (input.Purpose == HoldPurpose.New)
        {
            if (nodes.Current.Find(wanted.NodeId) is not { } node) return new StepOutcome.Failed($"{wanted.Node} is gone: it was removed from the appliance");
            if (InstallModule.NoAgent(node) is { } obstacle) return new StepOutcome.Failed(obstacle);
            return await ledger.PlanAsync(wanted, cancellationToken) is { } refusal ? new StepOutcome.Failed(refusal) : new StepOutcome.Done($"{wanted.Amounts} kept for {wanted.Owner}");
        }
        return ledger.Find(wanted.Id) is { State: not HoldingState.Ending } ? new StepOutcome.Done() : new StepOutcome.Failed("the holding has ended");
    }

    async Task<StepOutcome> UnplanAsync(HoldResourcesInput input, CancellationToken cancellationToken)
    {
        // An end that began meanwhile is its own operation's business.
        if (input.Purpose == HoldPurpose.New && ledger.Find(input.Holding.Id) is not { State: HoldingState.Ending }) await ledger.RemoveAsync(input.Holding.Id, null, cancellationToken);
        return new StepOutcome.Done();
    }

    Task<StepOutcome> TakeBackAsync(Operation operation, HoldResourcesInput input, CancellationToken cancellationToken) => input.Purpose switch
    {
        HoldPurpose.New => orders.TakeBackAsync(operation, input.Holding, cancellationToken),
        HoldPurpose.Allocate => BackAsync(operation, input, cancellationToken),
        HoldPurpose.Restore => StepOutcome.DoneNow(),
    };

    async Task<StepOutcome> BackAsync(Operation operation, HoldResourcesInput input, CancellationToken cancellationToken)
    {
        var outcome = await orders.BackToReservedAsync(operation, input.Holding, cancellationToken);
        if (outcome is StepOutcome.Done)
            await ledger.ChangeAsync(input.Holding.Id, holding => holding.State == HoldingState.Allocated ? holding with { State = HoldingState.Reserved } : null, null, cancellationToken);
        return outcome;
    }

    async Task<StepOutcome> ConfirmAsync(Operation operation, HoldResourcesInput input, CancellationToken cancellationToken)
    {
        var outcome = await orders.AwaitAsync(operation);
        if (outcome is not StepOutcome.Done) return outcome;
        ledger.ForgetMissed(input.Holding.Id);
        var held = await ledger.ChangeAsync(input.Holding.Id, holding => holding.State == HoldingState.Ending ? null : holding with
        {
            State = input.Allocate ? HoldingState.Allocated : HoldingState.Reserved,
            Modules = input.Holding.Modules,
            Until = input.Holding.Until,
        }, null, cancellationToken);
        return held is { State: not HoldingState.Ending } ? outcome : new StepOutcome.Failed("the holding has ended");
    }

    static StepOutcome Ready(HoldResourcesInput input) => new StepOutcome.Done(
        $"{input.Holding.Owner} has {input.Holding.Amounts} of {input.Holding.Node} {(input.Allocate ? "to use" : "reserved")} until {input.Holding.Until:u}");
}

enum HoldPurpose
{
    New,
    /// <summary>Of a reservation that is there.</summary>
    Allocate,
    /// <summary>The agent has lost it: the node booted again.</summary>
    Restore,
}

sealed record HoldResourcesInput(Holding Holding, HoldPurpose Purpose, bool Allocate);

[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
[JsonSerializable(typeof(HoldResourcesInput))]
sealed partial class HoldResourcesJson : JsonSerializerContext;
