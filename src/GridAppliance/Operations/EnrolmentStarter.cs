using GridAppliance.Modules;
using GridAppliance.Nodes;
using GridAppliance.Store;

namespace GridAppliance.Operations;

/// <summary>
/// Sees to it that every node that is enrolling has the operation that does it, and nobody else's: started when its agent called or a person approved it, started anew when it
/// boots in the middle, and found again after a crash between the two.
/// </summary>
sealed partial class EnrolmentStarter : BackgroundService
{
    /// <summary>A storm of changes costs one look per this much time.</summary>
    static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(20);
    static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    readonly NodeDirectory nodes;
    readonly OperationRunner runner;
    readonly ModuleCatalog catalog;
    readonly TimeProvider time;
    readonly ILogger<EnrolmentStarter> logger;
    readonly SemaphoreSlim poked = new(1, 1);

    public EnrolmentStarter(NodeDirectory nodes, OperationRunner runner, ModuleCatalog catalog, TimeProvider time, ILogger<EnrolmentStarter> logger)
    {
        (this.nodes, this.runner, this.catalog, this.time, this.logger) = (nodes, runner, catalog, time, logger);
        nodes.Changed += Poke;
        runner.Ended += (_, _) => Poke();
    }

    /// <summary>Looks once at every node.</summary>
    public async Task ReconcileAsync(CancellationToken cancellationToken)
    {
        foreach (var node in nodes.Current.Nodes)
        {
            if (node.State is NodeState.Retired) await CallOffAsync(node, static _ => true, $"{node.Name} is retired", cancellationToken);
            if (node.State is not NodeState.Enrolling || node.AgentKey.IsEmpty) continue;
            if (!await CallOffAsync(node, operation => operation.Kind == EnrollNode.KindName && !EnrollNode.IsOf(operation, node), $"{node.Name} booted again", cancellationToken))
                await StartAsync(node, cancellationToken);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await poked.WaitAsync(stoppingToken);
            try
            {
                await ReconcileAsync(stoppingToken);
                await Task.Delay(Quiet, time, stoppingToken);
            }
            catch (StoreException e)
            {
                LogNotStored(e.Message);
                await Task.Delay(RetryAfter, time, stoppingToken);
                Poke();
            }
        }
    }

    async Task StartAsync(Node node, CancellationToken cancellationToken)
    {
        if (runner.UnfinishedOn(node.Id).Any(operation => operation.Kind == EnrollNode.KindName)) return;
        // Its operation may have ended between the snapshot and now.
        if (nodes.Current.Find(node.Id) is { State: NodeState.Enrolling } latest) await runner.SubmitAsync(EnrollNode.For(latest, catalog.Find(EnrollNode.Trial)), cancellationToken);
    }

    /// <returns>Whether there was anything to call off; its end pokes us again.</returns>
    async Task<bool> CallOffAsync(Node node, Func<Operation, bool> which, string reason, CancellationToken cancellationToken)
    {
        var any = false;
        foreach (var operation in runner.UnfinishedOn(node.Id).Where(which))
        {
            any = true;
            if (!runner.IsTurned(operation.Id)) await runner.CancelAsync(operation.Id, "appliance", reason, cancellationToken);
        }
        return any;
    }

    void Poke()
    {
        // Already poked means that the coming look will see this change too.
        try { poked.Release(); }
        catch (SemaphoreFullException) { }
    }

    [LoggerMessage(LogLevel.Warning, "enrolments could not be started and are tried again: {Reason}")]
    partial void LogNotStored(string reason);
}
