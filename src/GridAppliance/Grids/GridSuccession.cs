using GridAppliance.Agents;
using GridAppliance.Nodes;

namespace GridAppliance.Grids;

/// <summary>
/// Puts the backup in the place of a master that is gone. One alone decides who leads, so that never two do: a master that reaches neither the appliance nor its backup gives up by itself before
/// (its module's part, docs/grids.md), and a backup that has not all that the other one had is put in nobody's place.
/// </summary>
sealed class GridSuccession(GridDirectory grids, GridEngines engines, GridTelling telling, NodeDirectory nodes, TimeProvider time)
{
    /// <summary>When agents were heard before this daemon began is not known.</summary>
    readonly DateTimeOffset began = time.GetUtcNow();

    /// <returns>The grid as it is now.</returns>
    public async Task<Grid?> LookAsync(Grid grid, CancellationToken cancellationToken)
    {
        if (grid.Master is not { Standing: GridStanding.Member } lead || Absence(grid, lead) is not { } absence) return grid;
        if (grid.Masters.Skip(1).FirstOrDefault(other => other is { Standing: GridStanding.Member, DownSince: null } && Absence(grid, other) is null) is not { } heir) return grid;
        var now = await grids.ChangeAsync(grid.Id, latest => latest?.Master is { } master && master.NodeId == lead.NodeId && latest.Find(heir.NodeId) is { Standing: GridStanding.Member } there
                ? latest.With(master with { DownSince = master.DownSince ?? time.GetUtcNow() }).LedBy(there) : latest,
            new("grid.master-replaced", $"{heir.Node} is the master of grid {grid.Name} from now on: {absence}") { NodeId = heir.NodeId, Node = heir.Node, Severity = EventSeverity.Warning }, cancellationToken);
        await telling.TellAsync(grid.Id, heir, cancellationToken);
        return now;
    }

    /// <summary>Tells masters again that may not know what they are: one whose engine does not answer though its agent calls, and one that stood by and was away. It changes nothing where it is known.</summary>
    /// <param name="grid">Which.</param>
    /// <param name="unanswered">Since when the one that leads was asked in vain; null for one that answered.</param>
    /// <param name="cancellationToken">The daemon stops.</param>
    public async Task RemindAsync(Grid grid, DateTimeOffset? unanswered, CancellationToken cancellationToken)
    {
        foreach (var master in grid.Masters.Where(master => master.Standing == GridStanding.Member && Absence(grid, master) is null))
        {
            // Whoever is just going is not waited for: that wait would be its heir's.
            if (master == grid.Master ? unanswered is { } asked && nodes.Current.Find(master.NodeId)?.AgentLastSeen > asked : master.DownSince is not null)
                await telling.TellAsync(grid.Id, master, cancellationToken);
        }
    }

    /// <summary>Why nothing can be expected of a member; null where it is there.</summary>
    string? Absence(Grid grid, GridMember member)
    {
        if (nodes.Current.Find(member.NodeId) is not { } node) return $"{member.Node} was removed from the appliance";
        if (engines.Find(grid.Engine) is { } engine && !node.Has(engine.ModuleOf(member.Role))) return $"{member.Node} booted anew";
        var silence = time.GetUtcNow() - (node.AgentLastSeen ?? began);
        return silence > AgentPolicy.SilentAfter(nodes.Current.ById.Count) ? $"{member.Node} was last heard {silence.TotalSeconds:0} s ago" : null;
    }
}
