using GridAppliance.Api.Agents;
using GridAppliance.Nodes;

namespace GridAppliance.Agents;

/// <summary>Somebody who gives orders that name secrets.</summary>
interface ISecretSource
{
    /// <returns>Null when it is none of its secrets, or not for this order's node.</returns>
    byte[]? Find(AgentOrder order, string name);
}

/// <summary>Hands secrets to the nodes whose open orders name them, sealed to a key that the agent made for the question. They stand in no order, and not in the store's record of one.</summary>
sealed class OrderSecrets(AgentOrders orders, IEnumerable<ISecretSource> sources)
{
    /// <returns>Null when no open order of this node names it, or there is none.</returns>
    public SecretAnswer? Seal(Node node, SecretRequest request)
    {
        if (orders.OpenOf(node.Id, request.OrderId) is not { Delivered: true } order || order.Document.Run?.Secrets.Contains(request.Name) is not true) return null;
        if (sources.Select(source => source.Find(order, request.Name)).FirstOrDefault(found => found is not null) is not { } secret) return null;
        return SealedHandover.Seal(secret, request.SealTo, request.OrderId, node.Id.ToString()) is var (key, box) ? new() { Key = key, Box = box } : null;
    }
}
