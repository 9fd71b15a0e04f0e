using GridAppliance.Agents;
using GridAppliance.Api.Agents;
using GridAppliance.Nodes;

namespace GridAppliance.Resources;

/// <summary>
/// Which node's manager is the master of which others. Each side is told the whole of its own relation under a version, and says with every heartbeat which version it has:
/// one that booted again, or missed an order, is told again.
/// </summary>
sealed class ManagerRelations(NodeDirectory nodes, AgentOrders orders, TimeProvider time)
{
    static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    /// <summary>Tells a node's agent how its relation stands: one order for one <paramref name="id"/>, however often this is said.</summary>
    /// <param name="id">The order's.</param>
    /// <param name="nodeId">Who.</param>
    /// <param name="operation">Woken by the answer.</param>
    /// <param name="bump">The relation has changed by somebody else's change: a new version of it.</param>
    /// <param name="cancellationToken">Gives up waiting for the store.</param>
    /// <returns>How that stands; null when the node is gone.</returns>
    public async Task<AgentOrder?> TellAsync(string id, Guid nodeId, Guid? operation, bool bump, CancellationToken cancellationToken)
    {
        if (await orders.FindAsync(id) is { } known) return known;
        // Twice, should we die between the two: a version too many does no harm.
        if (bump) await nodes.ChangeAsync(nodeId, node => (node with { RelationVersion = node.RelationVersion + 1 }, []), cancellationToken);
        var snapshot = nodes.Current;
        if (snapshot.Find(nodeId) is not { } node) return null;
        return await orders.PlaceAsync(new()
        {
            Id = id, NodeId = nodeId, Node = node.Name, OperationId = operation, Expires = time.GetUtcNow() + Lifetime,
            Document = new() { Id = id, NodeId = nodeId.ToString(), Kind = OrderKinds.Relation, Relation = RelationOf(snapshot, node) },
        }, cancellationToken);
    }

    public async Task HeardAsync(Node node, long version, CancellationToken cancellationToken)
    {
        if (version >= node.RelationVersion || orders.HasOrder(node.Id)) return;
        // Another key is another boot, which has forgotten; and what was lost is told again a while later.
        var boot = AgentSignature.Fingerprint(node.AgentKey.AsSpan())[..16];
        await TellAsync($"relation-{node.Id:N}-{node.RelationVersion}-{boot}-{time.GetUtcNow().ToUnixTimeSeconds() / (long)Lifetime.TotalSeconds}", node.Id, null, bump: false, cancellationToken);
    }

    static RelationOrder RelationOf(NodeSnapshot snapshot, Node node) => new()
    {
        Version = node.RelationVersion,
        Master = node.Master is { } master && snapshot.Find(master.Id) is { } above ? Describe(above) : null,
        Workers = [.. snapshot.Nodes.Where(other => other.Master?.Id == node.Id).OrderBy(other => other.Name, StringComparer.Ordinal).Select(Describe)],
    };

    static ManagerDocument Describe(Node node) => new() { NodeId = node.Id.ToString(), Node = node.Name, Address = node.Ip?.ToString() };
}
