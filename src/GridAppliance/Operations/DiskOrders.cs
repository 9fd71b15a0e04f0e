using GridAppliance.Agents;
using GridAppliance.Api.Agents;
using GridAppliance.Nodes;

namespace GridAppliance.Operations;

/// <summary>Orders about a disk, and the wait for their ends. Each is named after its operation and its part in it, so placing one twice is placing it once.</summary>
sealed class DiskOrders(AgentOrders orders, NodeDirectory nodes, TimeProvider time)
{
    /// <summary>Fetching, unpacking and installing loaders, on a slow disk; more is no disk to work with.</summary>
    static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(45);
    /// <summary>Octets a second, written and read back, of the slowest disk that is waited for.</summary>
    const long SlowestDisk = 10 << 20;
    static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(2);

    /// <summary>Places the order if it is not there, and says how it stands.</summary>
    public async Task<StepOutcome> RunAsync(Operation operation, string part, string kind, Func<OrderDocument, OrderDocument> with, CancellationToken cancellationToken)
    {
        var (id, node) = (IdOf(operation, part), NodeOf(operation));
        var document = with(new() { Id = id, NodeId = node.ToString(), Kind = kind });
        var order = await orders.FindAsync(id) ?? await orders.PlaceAsync(new()
        {
            Id = id, NodeId = node, Node = operation.Node!, OperationId = operation.Id, Document = document,
            Expires = time.GetUtcNow() + Lifetime + (document.Disk is { Full: true } disk ? TimeSpan.FromSeconds(disk.SizeBytes / (double)SlowestDisk) : TimeSpan.Zero),
        }, cancellationToken);
        return order is { State: OrderState.Open, Delivered: true } && nodes.Current.Find(node)?.Doing is { } doing ? new StepOutcome.NotYet(LookAgain, $"{operation.Node}: {doing}") : ModuleOrders.Standing(order, operation);
    }

    /// <summary>The order as it stands; null when it was never placed.</summary>
    public Task<AgentOrder?> FindAsync(Operation operation, string part) => orders.FindAsync(IdOf(operation, part));

    /// <summary>Takes the order back if no agent has seen it.</summary>
    /// <returns>As it stands now; null when it was never placed.</returns>
    public Task<AgentOrder?> WithdrawAsync(Operation operation, string part, CancellationToken cancellationToken) => orders.WithdrawAsync(IdOf(operation, part), cancellationToken);

    static string IdOf(Operation operation, string part) => $"{operation.Id:N}-{part}";

    static Guid NodeOf(Operation operation) => operation.NodeId ?? throw new InvalidOperationException("a disk is a node's");
}
