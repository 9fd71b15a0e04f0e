using GridAppliance.Nodes;
using GridAppliance.Operations;

namespace GridAppliance.Grids;

/// <summary>
/// Brings members back whose machine has booted anew (a power cut, a restart): image and module went with its memory, and its agent says so in its first call. Whom a person takes out is not
/// brought back.
/// </summary>
sealed class GridReturns(GridDirectory grids, GridEngines engines, NodeDirectory nodes, OperationRunner operations, TimeProvider time)
{
    /// <summary>After a try that came to nothing, unless the machine has booted once more.</summary>
    static readonly TimeSpan TryAgain = TimeSpan.FromMinutes(5);

    /// <summary>Of this life of the daemon: the next one may try at once. Read and written by one look at a time.</summary>
    readonly Dictionary<Guid, (string Boot, DateTimeOffset At)> tried = [];

    public bool IsUnderway(Guid nodeId) => operations.UnfinishedOn(nodeId).Any(JoinGrid.IsReturn);

    public async Task LookAsync(Grid grid, CancellationToken cancellationToken)
    {
        if (grid.IsLeaving || engines.Find(grid.Engine) is not { } engine) return;
        foreach (var member in grid.Members.Where(static member => member.Standing is GridStanding.Member or GridStanding.Drained))
        {
            if (nodes.Current.Find(member.NodeId) is not { State: NodeState.Active, AgentKey.IsEmpty: false } node || node.Has(engine.ModuleOf(member.Role))) continue;
            if (operations.UnfinishedOn(node.Id).Any(static operation => operation.Kind is JoinGrid.KindName or LeaveGrid.KindName)) continue;
            var boot = Convert.ToBase64String(node.AgentKey.AsSpan());
            if (tried.TryGetValue(node.Id, out var last) && last.Boot == boot && time.GetUtcNow() - last.At < TryAgain) continue;
            tried[node.Id] = (boot, time.GetUtcNow());
            await grids.ChangeAsync(grid.Id, latest => latest?.Find(node.Id) is { DownSince: null } there ? latest.With(there with { DownSince = time.GetUtcNow() }) : latest,
                new($"grid.{GridWatch.Word(member)}-down", $"{node.Name} booted anew and has lost what it had of grid {grid.Name}: it is brought back") { NodeId = node.Id, Node = node.Name, Severity = EventSeverity.Warning }, cancellationToken);
            await operations.SubmitAsync(JoinGrid.BackFor(grid, member, node), cancellationToken);
        }
    }
}
