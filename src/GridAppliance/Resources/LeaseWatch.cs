using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Operations;

namespace GridAppliance.Resources;

/// <summary>
/// Keeps holdings true to their time and their node: ends those whose time is over, takes up ends that were broken off, and gives back to a node that booted again what its
/// owners still hold of it. The agent ends leases by itself too; this is what the appliance knows of it.
/// </summary>
sealed partial class LeaseWatch(ResourceLedger ledger, OperationRunner operations, NodeDirectory nodes, TimeProvider time, ILogger<LeaseWatch> logger) : BackgroundService
{
    static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    /// <summary>The first may have been under way while the holding came about.</summary>
    const int MissedUntilLost = 2;

    public async Task ReconcileAsync(CancellationToken cancellationToken)
    {
        foreach (var wanted in Due(ledger, nodes.Current, time.GetUtcNow(), IsSeenTo)) await operations.SubmitAsync(wanted, cancellationToken);
    }

    /// <summary>What has to be begun now.</summary>
    /// <param name="ledger">Who holds what.</param>
    /// <param name="snapshot">The nodes.</param>
    /// <param name="now">The appliance's clock.</param>
    /// <param name="isSeenTo">Whether an operation about this holding is under way.</param>
    public static IEnumerable<NewOperation> Due(ResourceLedger ledger, NodeSnapshot snapshot, DateTimeOffset now, Func<Holding, bool> isSeenTo)
    {
        foreach (var holding in ledger.All)
        {
            var isOver = holding.State == HoldingState.Ending || holding.IsSettled && holding.Until <= now;
            var isLost = !isOver && holding.IsSettled && ledger.MissedBy(holding.Id) >= MissedUntilLost && snapshot.Find(holding.NodeId) is { } node && InstallModule.NoAgent(node) is null;
            if (!isOver && !isLost || isSeenTo(holding)) continue;
            if (isOver) yield return FreeResources.For(holding, "its time is over", "appliance");
            else
            {
                ledger.ForgetMissed(holding.Id);
                yield return HoldResources.For(holding, HoldPurpose.Restore, holding.State == HoldingState.Allocated, "appliance");
            }
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Rounds.RunAsync(Period, time, ReconcileAsync, LogNotStored, stoppingToken);

    bool IsSeenTo(Holding holding) => operations.UnfinishedOn(holding.NodeId).Any(operation => operation.Key == FreeResources.KeyOf(holding.Id) || operation.Key == HoldResources.KeyOf(holding.Id));

    [LoggerMessage(LogLevel.Warning, "holdings could not be looked after and are again in a moment: {Reason}")]
    partial void LogNotStored(string reason);
}
