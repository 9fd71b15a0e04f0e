using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Store;

namespace GridAppliance.Agents;

/// <summary>Keeps what is known of agents true while they say nothing: silent ones become a problem of their node, waits and orders end when their time is over.</summary>
sealed partial class AgentWatch(NodeDirectory nodes, AgentOrders orders, OrderWaiters waiters, AgentSessions sessions, TimeProvider time, ILogger<AgentWatch> logger) : BackgroundService
{
    static readonly TimeSpan Period = TimeSpan.FromSeconds(1);
    const int SilenceEvery = 5;
    const int FlushEvery = 60;

    // Whoever was not heard since we started may just not have had the time to call.
    readonly DateTimeOffset started = time.GetUtcNow();

    // Owned by the loop.
    int rounds;

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try { await sessions.FlushAsync(nodes.Current, cancellationToken); }
        catch (StoreException e) { LogNotStored(e.Message); }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Rounds.RunAsync(Period, time, LookAsync, LogNotStored, stoppingToken);

    async Task LookAsync(CancellationToken cancellationToken)
    {
        rounds++;
        waiters.Sweep();
        await orders.SweepAsync(cancellationToken);
        if (rounds % SilenceEvery == 0) await FindSilentAsync(cancellationToken);
        if (rounds % FlushEvery == 0) await sessions.FlushAsync(nodes.Current, cancellationToken);
    }

    /// <summary>Looks once for agents that have become silent.</summary>
    public async Task FindSilentAsync(CancellationToken cancellationToken)
    {
        var snapshot = nodes.Current;
        var limit = AgentPolicy.SilentAfter(snapshot.ById.Count);
        foreach (var node in snapshot.Nodes.Where(node => node.Problem is null && IsSilent(node, limit)))
        {
            await nodes.ChangeAsync(node.Id, latest => latest.Problem is null && IsSilent(latest, limit)
                ? (latest with { Problem = AgentPresence.Silent }, [NewEvent.About(latest, "agent.silent", AgentPresence.Silent, EventSeverity.Warning)])
                : null, cancellationToken);
        }
    }

    bool IsSilent(Node node, TimeSpan limit)
    {
        var now = time.GetUtcNow();
        // Between two agents there is a boot; that has patience of its own.
        if (node.AgentKey.IsEmpty || node.State is NodeState.Retired or NodeState.Failed || node.Boot is { Finished: null } boot && now - boot.LastActivity < TimeSpan.FromMinutes(5)) return false;
        return now - (node.AgentLastSeen ?? started) > limit;
    }

    [LoggerMessage(LogLevel.Warning, "what agents changed could not be written and is tried again: {Reason}")]
    partial void LogNotStored(string reason);
}
