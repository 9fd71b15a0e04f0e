using GridAppliance.Api.Agents;
using GridAppliance.Hosting;
using GridAppliance.Modules;
using GridAppliance.Nodes;
using GridAppliance.Operations;

namespace GridAppliance.Resources;

/// <summary>Takes modules out that nobody has asked for in the time that their policy gives. The next request brings them back.</summary>
sealed partial class IdleReconciler(NodeDirectory nodes, ModuleUses uses, ResourceLedger ledger, ModuleChanges changes, OperationRunner operations, TimeProvider time, ILogger<IdleReconciler> logger)
    : BackgroundService
{
    static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    /// <summary>Looks once at every module of every node.</summary>
    public async Task ReconcileAsync(CancellationToken cancellationToken)
    {
        var snapshot = nodes.Current;
        foreach (var (id, module) in uses.Known.ToList())
            if (snapshot.Find(id)?.Modules.Any(installed => installed.Name == module) != true && !IsBusy(id, module)) await uses.ForgetAsync(id, module, cancellationToken);
        if (uses.Policies.Count == 0) return;
        var now = time.GetUtcNow();
        foreach (var node in snapshot.Nodes)
        {
            foreach (var module in node.Modules)
            {
                if (uses.TimeoutOf(module.Name, module.Version) is not { } timeout || IsBusy(node.Id, module.Name)) continue;
                var held = ledger.On(node.Id).Any(holding => holding.Modules.Contains(module.Name));
                // Held is being asked for all the time; of one that was there before anybody counted, the time begins now.
                if (uses.Find(node.Id, module.Name) is not { } use || held && now - use.Asked > timeout / 2) await uses.AskedAsync(node.Id, module.Name, null, cancellationToken);
                else if (!held && now - use.Asked >= timeout) await TakeOutAsync(node, module.Name, use, timeout, cancellationToken);
            }
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Rounds.RunAsync(Period, time, ReconcileAsync, LogNotStored, stoppingToken);

    async Task TakeOutAsync(Node node, string module, ModuleUse use, TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (InstallModule.NoAgent(node) is not null) return;
        var change = await changes.RemoveAsync([node], module, dryRun: false, "idle time-out", cancellationToken, use.Requested ? ModuleOrder.Holdings : null);
        if (change.Nodes[0].Accepted) LogIdle(module, node.Name, timeout);
        // What is still there then, because people want it as well as requests, is looked at again after as long once more, for the other.
        await uses.AskedAsync(node.Id, module, !use.Requested, cancellationToken);
    }

    /// <summary>Somebody installs or removes it at this moment.</summary>
    bool IsBusy(Guid nodeId, string module) => operations.UnfinishedOn(nodeId).Any(operation => operation.Subject == module || operation.Kind == HoldResources.KindName);

    [LoggerMessage(LogLevel.Information, "nobody has asked for {Module} on {Node} for {Timeout}: it is taken out")]
    partial void LogIdle(string module, string node, TimeSpan timeout);

    [LoggerMessage(LogLevel.Warning, "idle modules could not be looked after and are again in a moment: {Reason}")]
    partial void LogNotStored(string reason);
}
