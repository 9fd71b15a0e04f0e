using GridAppliance.Hosting;

namespace GridAppliance.Nodes;

/// <summary>
/// Forgets machines that asked for an address and never got as far as a boot script: guests' laptops, and whatever somebody's forged DISCOVERs made. Nobody has decided anything
/// about them and nothing is known of them, so one that comes back loses nothing. A machine that is stuck early stays long enough to be seen.
/// </summary>
sealed partial class StrangerExpiry(NodeDirectory nodes, TimeProvider time, ILogger<StrangerExpiry> logger) : BackgroundService
{
    /// <summary>With so many nodes a flood is more likely than a data centre of stuck machines, and <see cref="Patience"/> becomes <see cref="PatienceInFlood"/>.</summary>
    const int Many = 1024;

    static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);
    static readonly TimeSpan Patience = TimeSpan.FromHours(24);
    static readonly TimeSpan PatienceInFlood = TimeSpan.FromHours(1);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Rounds.RunAsync(Interval, time, ExpireAsync, LogNotStored, stoppingToken);

    /// <returns>How many were forgotten.</returns>
    internal async Task<int> ExpireAsync(CancellationToken cancellationToken)
    {
        var strangers = nodes.Current.Nodes.Where(IsStranger).ToList();
        var before = time.GetUtcNow() - (strangers.Count > Many ? PatienceInFlood : Patience);
        var forgotten = 0;
        foreach (var stranger in strangers)
            if (await nodes.RemoveAsync(stranger.Id, node => IsStranger(node) && LastHeard(node) < before, $"{stranger.Name} was forgotten: it never got as far as a boot script", "appliance", cancellationToken))
                forgotten++;
        return forgotten;
    }

    static bool IsStranger(Node node) => node is { State: NodeState.Discovered, Approved: false, AgentKey.IsEmpty: true, Inventory: null, PowerWish: null, Reach.Bmc: null }
        && node.Boot is not { Milestone: >= BootMilestone.Script };

    static DateTimeOffset LastHeard(Node node) => node.Boot?.LastActivity ?? node.StateSince;

    [LoggerMessage(LogLevel.Warning, "strangers could not be forgotten and are looked at again later: {Reason}")]
    partial void LogNotStored(string reason);
}
