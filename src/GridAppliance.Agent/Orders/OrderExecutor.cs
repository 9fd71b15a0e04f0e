using GridAppliance.Agent.Bmc;
using GridAppliance.Agent.Identity;
using GridAppliance.Agent.Modules;
using GridAppliance.Api.Agents;

namespace GridAppliance.Agent.Orders;

/// <summary>Carries out one order at a time and always comes back with a result.</summary>
sealed class OrderExecutor(ModuleHost modules, BmcAdoption bmc, OrderLedger ledger, HeartbeatTrigger heartbeat)
{
    /// <summary>The result that this order already has, or the one that it gets now.</summary>
    public async Task<OrderResult> RunAsync(OrderDocument order, CallSigner signer, CancellationToken cancellationToken)
    {
        if (ledger.Find(order.Id) is { } known) return known;
        var result = await CarryOutAsync(order, signer, cancellationToken);
        ledger.Keep(order.Id, result);
        return result;
    }

    /// <summary>Whether the machine restarts once the result of this order has been delivered.</summary>
    public static bool Reboots(OrderDocument order, OrderResult result) => order.Kind == OrderKind.Reboot && result.Succeeded;

    async Task<OrderResult> CarryOutAsync(OrderDocument order, CallSigner signer, CancellationToken cancellationToken)
    {
        try
        {
            if (order is { Kind: OrderKind.AdoptBmc, Bmc: { } wanted })
            {
                var (handover, message) = bmc.Adopt(order, wanted);
                return new OrderResult { Succeeded = handover is not null, Message = message, Modules = modules.List(), Bmc = handover };
            }
            var outcome = order switch
            {
                { Kind: OrderKind.InstallModule, Module: { } module } => await modules.InstallAsync(module, signer, cancellationToken),
                { Kind: OrderKind.RemoveModule, Module: { } module } => await modules.RemoveAsync(module.Name, module.Owner, cancellationToken),
                { Kind: OrderKind.Inventory } => ReadInventory(),
                { Kind: OrderKind.Reboot } => ModuleOutcome.Done("restarting"),
                { Kind: OrderKind.InstallModule or OrderKind.RemoveModule } => ModuleOutcome.Refused("the order names no module"),
                _ => ModuleOutcome.Refused("this agent does not know that kind of order"),
            };
            return new OrderResult { Succeeded = outcome.Succeeded, Message = outcome.Message, Modules = modules.List(), Changes = order.Module is null ? null : modules.Changes() };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new OrderResult { Succeeded = false, Message = e.Message, Modules = modules.List() };
        }
    }

    ModuleOutcome ReadInventory()
    {
        heartbeat.Pull(withInventory: true);
        return ModuleOutcome.Done("the inventory goes with the next heartbeat");
    }
}

/// <summary>The words of <see cref="OrderDocument.Kind"/>.</summary>
static class OrderKind
{
    public const string InstallModule = "module.install";
    public const string RemoveModule = "module.remove";
    public const string Inventory = "inventory";
    public const string Reboot = "reboot";
    public const string AdoptBmc = "bmc.adopt";
}
