using GridAppliance.Agents;
using GridAppliance.Api.Agents;
using GridAppliance.Nodes;
using GridAppliance.Operations;

namespace GridAppliance.Resources;

/// <summary>Orders about holdings, named after their operation: placing one twice is placing it once.</summary>
sealed class HoldingOrders(AgentOrders orders, ResourceLedger ledger, NodeDirectory nodes, ModuleOffers offers, TimeProvider time)
{
    static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);
    static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(10);

    public async Task<StepOutcome> PlaceAsync(Operation operation, Holding holding, bool allocated, CancellationToken cancellationToken)
    {
        var order = await ledger.WhileHeldAsync(holding.Id, () => PlaceAsync(operation.Id, Forward(operation), holding, OrderKinds.Hold, allocated, cancellationToken), cancellationToken);
        return order switch
        {
            null => new StepOutcome.Failed("the holding has ended"),
            { State: OrderState.Lost } => new StepOutcome.Failed(order.Message!),
            _ => new StepOutcome.Done($"ordered {holding.Node}'s agent"),
        };
    }

    public async Task<StepOutcome> AwaitAsync(Operation operation) => ModuleOrders.Standing(await orders.FindAsync(Forward(operation)), operation);

    /// <summary>Sees to it that a reservation is no more than that again.</summary>
    public async Task<StepOutcome> BackToReservedAsync(Operation operation, Holding holding, CancellationToken cancellationToken)
    {
        if (await IsUntouchedAsync(operation, cancellationToken)) return new StepOutcome.Done();
        var order = await ledger.WhileHeldAsync(holding.Id, () => PlaceAsync(operation.Id, $"{operation.Id:N}-undo", holding, OrderKinds.Hold, allocated: false, cancellationToken), cancellationToken);
        // It has ended, or an agent that refuses has ended it by itself: then there are no limits in force either.
        return order is null or { State: OrderState.Failed } ? new StepOutcome.Done(order?.Message) : ModuleOrders.Standing(order, operation);
    }

    /// <summary>Takes back an order to hold: no agent has seen it, or <see cref="FreeAsync"/>.</summary>
    public async Task<StepOutcome> TakeBackAsync(Operation operation, Holding holding, CancellationToken cancellationToken) =>
        await IsUntouchedAsync(operation, cancellationToken) ? new StepOutcome.Done() : await FreeAsync(operation, holding, cancellationToken);

    /// <summary>
    /// Done once the agent has confirmed that nothing of the holding is in use, and never before: however often it has to be asked. A node that is gone or retired
    /// gives nothing to anybody, so there is nothing to wait for.
    /// </summary>
    public async Task<StepOutcome> FreeAsync(Operation operation, Holding holding, CancellationToken cancellationToken)
    {
        if (nodes.Current.Find(holding.NodeId) is not { } node) return new StepOutcome.Done($"{holding.Node} is gone");
        if (node.State == NodeState.Retired) return new StepOutcome.Done($"{holding.Node} is retired");
        for (var attempt = 1; ; attempt++)
        {
            var id = $"{operation.Id:N}-free-{attempt}";
            var known = await orders.FindAsync(id);
            switch (known?.State)
            {
                case OrderState.Failed or OrderState.Lost or OrderState.Withdrawn: continue;
                case OrderState.Succeeded: return new StepOutcome.Done(known.Message);
                case OrderState.Open: return ModuleOrders.Standing(known, operation);
                case null: break;
            }
            // Only the first wakes us: an agent that fails again and again is asked at leisure.
            await PlaceAsync(attempt == 1 ? operation.Id : null, id, holding, OrderKinds.Free, allocated: false, cancellationToken);
            return new StepOutcome.NotYet(LookAgain, attempt == 1 ? $"{holding.Node}'s agent has not confirmed it yet" : $"{holding.Node}'s agent could not free it yet");
        }
    }

    /// <summary>Whether no agent has done anything about the order, or will.</summary>
    async Task<bool> IsUntouchedAsync(Operation operation, CancellationToken cancellationToken) => await orders.WithdrawAsync(Forward(operation), cancellationToken) switch
    {
        null or { State: OrderState.Withdrawn or OrderState.Failed } => true,
        { State: OrderState.Lost, Delivered: false } => true,
        _ => false,
    };

    Task<AgentOrder> PlaceAsync(Guid? operation, string id, Holding holding, string kind, bool allocated, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return orders.PlaceAsync(new()
        {
            Id = id, NodeId = holding.NodeId, Node = holding.Node, OperationId = operation, Expires = now + Lifetime,
            Document = new()
            {
                Id = id, NodeId = holding.NodeId.ToString(), Kind = kind,
                Holding = new()
                {
                    Id = holding.Id.ToString(), Owner = holding.Owner, Amounts = holding.Amounts, Allocated = allocated, Modules = holding.Modules,
                    Seconds = Math.Max(0, (long)Math.Ceiling((holding.Until - now).TotalSeconds)),
                    Of = holding.Amounts.Named.Keys.ToDictionary(name => name, offers.UnitsOf),
                },
            },
        }, cancellationToken);
    }

    static string Forward(Operation operation) => $"{operation.Id:N}";
}
