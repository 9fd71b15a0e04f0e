using System.Collections.Immutable;

namespace GridAppliance.Power.Ports;

/// <summary>All ports at one moment. Immutable.</summary>
sealed record PortTable
{
    public ImmutableDictionary<string, NodePort> ByAddress { get; init; } = ImmutableDictionary.Create<string, NodePort>(StringComparer.Ordinal);
    /// <summary>The preferred one first.</summary>
    public ImmutableDictionary<Guid, ImmutableArray<NodePort>> ByNode { get; init; } = ImmutableDictionary<Guid, ImmutableArray<NodePort>>.Empty;

    public NodePort? Find(Uri address) => ByAddress.GetValueOrDefault(address.OriginalString);

    public ImmutableArray<NodePort> Of(Guid node) => ByNode.GetValueOrDefault(node, []);

    public PortTable With(NodePort port)
    {
        var without = Find(port.Address) is { } before ? Without(before) : this;
        return new()
        {
            ByAddress = without.ByAddress.SetItem(port.Address.OriginalString, port),
            ByNode = port.NodeId is { } node
                ? without.ByNode.SetItem(node, [.. without.Of(node).Append(port).OrderBy(p => p.Scheme.Rank).ThenBy(p => p.Address.OriginalString, StringComparer.Ordinal)])
                : without.ByNode,
        };
    }

    public PortTable Without(NodePort port) => new()
    {
        ByAddress = ByAddress.Remove(port.Address.OriginalString),
        ByNode = port.NodeId is { } node ? ByNode.SetItem(node, Of(node).RemoveAll(p => p.Id == port.Id)) : ByNode,
    };
}
