using System.Globalization;
using System.Net.Sockets;
using GridAppliance.Agent.Bmc;
using GridAppliance.Agent.Disks;
using GridAppliance.Agent.Identity;
using GridAppliance.Agent.Images;
using GridAppliance.Agent.Modules;
using GridAppliance.Agent.Resources;
using GridAppliance.Agent.Updates;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Probes;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Agent.Orders;

/// <summary>Carries out one order at a time and always comes back with a result.</summary>
sealed class OrderExecutor(ModuleHost modules, ResourceHost resources, ManagerRelation relation, AgentUpdate update, BmcAdoption bmc, ImageBoot images, DiskInstall disks, DiskWipe wipe, ModuleRuns runs, OrderLedger ledger, HeartbeatTrigger heartbeat)
{
    /// <summary>The result that this order already has, or the one that it gets now; null when only another agent can give it, which is to be tried.</summary>
    public async Task<OrderResult?> RunAsync(OrderDocument order, CallSigner signer, CancellationToken cancellationToken)
    {
        // Which agent runs is asked anew each time: an answer that the other one kept would not be this one's.
        var isKept = order.Kind != OrderKinds.UpdateAgent;
        if (isKept && ledger.Find(order.Id) is { } known) return known;
        if (await CarryOutAsync(order, signer, cancellationToken) is not { } result) return null;
        if (isKept) ledger.Keep(order.Id, result);
        return result;
    }

    /// <summary>Whether the machine restarts once the result of this order has been delivered.</summary>
    public static bool Reboots(OrderDocument order, OrderResult result) => order.Kind == OrderKinds.Reboot && result.Succeeded;

    /// <summary>Whether the kernel that this order had loaded takes over once its result has been delivered.</summary>
    public static bool BootsLoaded(OrderDocument order, OrderResult result) => order.Kind == OrderKinds.BootImage && result.Succeeded;

    /// <summary>Whether this agent is the new one that the order asked for, its report delivered.</summary>
    public bool TakesOver(OrderDocument order) => update.IsTrial && order.Kind == OrderKinds.UpdateAgent;

    async Task<OrderResult?> CarryOutAsync(OrderDocument order, CallSigner signer, CancellationToken cancellationToken)
    {
        try
        {
            if (order is { Kind: OrderKinds.AdoptBmc, Bmc: { } account })
            {
                var (handover, message) = bmc.Adopt(order, account);
                return new OrderResult { Succeeded = handover is not null, Message = message, Modules = modules.List(), Bmc = handover };
            }
            if (order is { Kind: OrderKinds.UpdateAgent, Module: { } agent })
                return await update.PrepareAsync(order, agent, signer, cancellationToken) is { } said ? new OrderResult { Succeeded = said.Succeeded, Message = said.Message, Modules = modules.List() } : null;
            if (order is { Kind: OrderKinds.Run, Run: { } run }) return await runs.RunAsync(order.Id, run, signer, cancellationToken) with { Modules = modules.List() };
            if (order is { Kind: OrderKinds.Probe, Probe: { } probe }) return await ProbeAsync(probe, cancellationToken);
            var outcome = order switch
            {
                { Kind: OrderKinds.InstallModule, Module: { } module } => await modules.InstallAsync(module, signer, cancellationToken),
                { Kind: OrderKinds.RemoveModule, Module: { } module } => await modules.RemoveAsync(module.Name, module.Owner, cancellationToken),
                { Kind: OrderKinds.TryModule, Module: { } module } => await modules.TryAsync(module, signer, cancellationToken),
                { Kind: OrderKinds.Hold, Holding: { } holding } => await HoldAsync(holding, cancellationToken),
                { Kind: OrderKinds.Free, Holding: { } holding } => await resources.FreeAsync(holding.Id, cancellationToken),
                { Kind: OrderKinds.Relation, Relation: { } wanted } => relation.Change(wanted),
                { Kind: OrderKinds.BootImage, Boot: { } boot } => await images.PrepareAsync(boot, signer, cancellationToken),
                { Kind: OrderKinds.LookAtDisk, Disk: { } disk } => await disks.LookAsync(disk, cancellationToken),
                { Kind: OrderKinds.InstallDisk, Disk: { } disk } => await disks.RunAsync(disk, signer, cancellationToken),
                { Kind: OrderKinds.WipeDisk, Disk: { } disk } => await wipe.RunAsync(disk, cancellationToken),
                { Kind: OrderKinds.Hold or OrderKinds.Free or OrderKinds.Relation or OrderKinds.BootImage or OrderKinds.Run or OrderKinds.LookAtDisk or OrderKinds.InstallDisk or OrderKinds.WipeDisk } => ModuleOutcome.Refused("the order does not say what to do"),
                { Kind: OrderKinds.Inventory } => ReadInventory(),
                { Kind: OrderKinds.Reboot } => ModuleOutcome.Done("restarting"),
                { Kind: OrderKinds.InstallModule or OrderKinds.RemoveModule or OrderKinds.TryModule } => ModuleOutcome.Refused("the order names no module"),
                _ => ModuleOutcome.Refused("this agent does not know that kind of order"),
            };
            return new OrderResult { Succeeded = outcome.Succeeded, Message = outcome.Message, Modules = modules.List(), Changes = order.Module is null ? null : modules.Changes() };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new OrderResult { Succeeded = false, Message = e.Message, Modules = modules.List() };
        }
    }

    async Task<ModuleOutcome> HoldAsync(HoldingOrder holding, CancellationToken cancellationToken)
    {
        if (holding is { Allocated: true, Amounts.DiskMiB: > 0 } && modules.Unbounded(holding.Modules) is { } reason) return ModuleOutcome.Refused(reason);
        var outcome = await resources.HoldAsync(holding, cancellationToken);
        if (outcome.Succeeded) modules.Rebound();
        return outcome;
    }

    async Task<OrderResult> ProbeAsync(ProbeOrder order, CancellationToken cancellationToken)
    {
        const int longest = 60;
        if (!ulong.TryParse(order.Round, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var round) || order.Seconds is < 1 or > longest)
            return new() { Succeeded = false, Message = "no such round of probes", Modules = modules.List() };
        List<MacAddress> targets = [.. order.Targets.Select(t => MacAddress.TryParse(t, out var mac) ? mac : default).Where(mac => !mac.IsZero)];
        try
        {
            var found = await ProbeStation.RunAsync(new(round, TimeSpan.FromSeconds(order.Seconds), targets, [.. order.Vlans.Where(v => v is > 0 and < 4095).Select(v => (ushort)v)]), null, TimeProvider.System, cancellationToken);
            return new()
            {
                Succeeded = true, Modules = modules.List(),
                Probe = new() { Nics = [.. found.Nics.Select(n => n.ToString())], Heard = [.. found.Heard.Select(h => new ProbeHeard { On = h.On.ToString(), From = h.From.ToString(), Kind = h.Kind.ToString() })] },
            };
        }
        catch (SocketException e)
        {
            return new() { Succeeded = false, Message = $"raw frames cannot be used: {e.Message}", Modules = modules.List() };
        }
    }

    ModuleOutcome ReadInventory()
    {
        heartbeat.Pull(withInventory: true);
        return ModuleOutcome.Done("the inventory goes with the next heartbeat");
    }
}
