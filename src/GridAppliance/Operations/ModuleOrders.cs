using System.Text.Json.Serialization;
using GridAppliance.Agents;
using GridAppliance.Api.Agents;

namespace GridAppliance.Operations;

/// <summary>
/// The part that installing and removing have in common: an order to the agent, the wait for its end, and the opposite order that takes it back. Orders are named after their
/// operation, so placing one twice is placing it once.
/// </summary>
sealed class ModuleOrders(AgentOrders orders, TimeProvider time)
{
    /// <summary>How long an agent may take; a download over a slow link and a program's start fit in.</summary>
    static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    /// <summary>The agent's answer pokes the operation; this is for an answer whose poke was lost with a daemon.</summary>
    static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(10);

    public async Task<StepOutcome> PlaceAsync(Operation operation, string kind, ModuleOrder module, CancellationToken cancellationToken, string part = "", TimeSpan? lifetime = null)
    {
        var order = await PlaceAsync(operation, Forward(operation) + part, kind, module, cancellationToken, lifetime);
        return order.State == OrderState.Lost ? new StepOutcome.Failed(order.Message!) : new StepOutcome.Done($"ordered {operation.Node}'s agent");
    }

    public async Task<StepOutcome> AwaitAsync(Operation operation, string part = "") => Standing(await orders.FindAsync(Forward(operation) + part), operation);

    public Task<AgentOrder?> FindAsync(Operation operation) => orders.FindAsync(Forward(operation));

    /// <summary>Sees to it that the order has no effect: withdrawn if no agent has seen it, else undone by <paramref name="opposite"/>.</summary>
    /// <param name="operation">Whose order.</param>
    /// <param name="opposite">Kind and module of the order that brings back what was before; null when there is none any more.</param>
    /// <param name="cancellationToken">The daemon stops.</param>
    /// <param name="part">Which of an operation's orders, where it places several.</param>
    public async Task<StepOutcome> TakeBackAsync(Operation operation, (string Kind, ModuleOrder Module)? opposite, CancellationToken cancellationToken, string part = "")
    {
        switch ((await orders.WithdrawAsync(Forward(operation) + part, cancellationToken))?.State)
        {
            // A failed order has left nothing behind: that is the agent's part of the bargain.
            case null or OrderState.Withdrawn or OrderState.Failed: return new StepOutcome.Done();
            case OrderState.Lost when !(await orders.FindAsync(Forward(operation) + part))!.Delivered: return new StepOutcome.Done();
            case OrderState.Open or OrderState.Succeeded or OrderState.Lost: break;
        }
        if (opposite is not { } back) return new StepOutcome.Failed($"what was on {operation.Node} before is not in the catalogue any more");
        return Standing(await PlaceAsync(operation, $"{Forward(operation)}{part}-undo", back.Kind, back.Module, cancellationToken), operation);
    }

    /// <summary>Withdraws the order if no agent has seen it; else waits for its end, whatever that is.</summary>
    public async Task<StepOutcome> WithdrawAsync(Operation operation, CancellationToken cancellationToken) => (await orders.WithdrawAsync(Forward(operation), cancellationToken))?.State == OrderState.Open
        ? new StepOutcome.NotYet(LookAgain, $"{operation.Node}'s agent is at it") : new StepOutcome.Done();

    async Task<AgentOrder> PlaceAsync(Operation operation, string id, string kind, ModuleOrder module, CancellationToken cancellationToken, TimeSpan? lifetime = null)
    {
        var node = operation.NodeId ?? throw new InvalidOperationException("a module operation is about a node");
        return await orders.PlaceAsync(new()
        {
            Id = id, NodeId = node, Node = operation.Node ?? node.ToString(), OperationId = operation.Id, Expires = time.GetUtcNow() + (lifetime ?? Lifetime),
            Document = new() { Id = id, NodeId = node.ToString(), Kind = kind, Module = module },
        }, cancellationToken);
    }

    /// <summary>What an order's standing means to the operation that placed it.</summary>
    public static StepOutcome Standing(AgentOrder? order, Operation operation) => order switch
    {
        { State: OrderState.Succeeded } => new StepOutcome.Done(order.Message),
        { State: OrderState.Open } => new StepOutcome.NotYet(LookAgain, order.Delivered ? $"{operation.Node}'s agent is at it" : $"{operation.Node}'s agent has not come for the order yet"),
        { State: OrderState.Failed or OrderState.Lost or OrderState.Withdrawn } => new StepOutcome.Failed(order.Message ?? "no reason given"),
        null => new StepOutcome.Failed("the order is not there any more"),
    };

    static string Forward(Operation operation) => $"{operation.Id:N}";
}

/// <param name="Module">What is installed or removed.</param>
/// <param name="Previous">What the node has under that name before, where the catalogue still knows it; for the way back.</param>
/// <param name="Before">What it needs and is installed first, in this order, on its behalf.</param>
sealed record ModuleOperationInput(ModuleOrder Module, ModuleOrder? Previous, IReadOnlyList<ModuleOrder>? Before = null);

/// <summary>For whom a module is installed, whether over another version, and with what values.</summary>
sealed record ModuleTerms(string? Owner = null, bool RefuseUpgrade = false, bool OnlyUpgrade = false, IReadOnlyDictionary<string, string>? Parameters = null);

[JsonSerializable(typeof(ModuleOperationInput))]
sealed partial class ModuleOperationJson : JsonSerializerContext;
