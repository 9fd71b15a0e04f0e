using GridAppliance.Api.Grids;
using GridAppliance.Nodes;

namespace GridAppliance.Grids;

/// <summary>Gives passes to programs that ask a grid's engine themselves. The appliance signs them, and no agent sees them; who asked for one is on the timeline, the pass is not.</summary>
sealed class GridPasses(GridEngines engines, GridSecrets secrets, NodeDirectory nodes, Timeline timeline, TimeProvider time)
{
    const int LongestSeconds = 7 * 24 * 3600;

    /// <returns>The pass; null with a reason when there is none.</returns>
    public async Task<(GridPassDocument? Pass, string? Defect)> IssueAsync(Grid grid, int seconds, string actor, CancellationToken cancellationToken)
    {
        if (seconds is < 1 or > LongestSeconds) return (null, $"a pass is good for 1 to {LongestSeconds} seconds");
        if (grid.Master is not { Standing: GridStanding.Member } master || nodes.Current.Find(master.NodeId) is not { Ip: not null } node) return (null, $"{grid.Name} has no master that takes requests yet");
        var now = time.GetUtcNow();
        var until = now + TimeSpan.FromSeconds(seconds);
        if (engines.Find(grid.Engine)?.PassFor(node, name => secrets.Read(grid.Id, name) ?? throw new InvalidOperationException($"the secret {name} of {grid.Name} is not there"), now, until) is not { } pass)
            return (null, $"{grid.Engine} takes requests from gridctl alone");
        await timeline.AppendAsync(new NewEvent("grid.pass", $"a pass for requests to {grid.Name} was given out, good for {seconds} s") { Actor = actor }, cancellationToken);
        return (new() { Url = pass.Url, Headers = pass.Headers, Try = pass.Try, Expires = until }, null);
    }
}
