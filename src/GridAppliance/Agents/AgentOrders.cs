using GridAppliance.Api.Agents;
using GridAppliance.Nodes;
using GridAppliance.Operations;
using GridAppliance.Store;

namespace GridAppliance.Agents;

/// <summary>
/// What agents are to do: durable, one at a time for each node in the order in which they were placed, handed out as often as the agent asks until its result is here.
/// </summary>
sealed class AgentOrders
{
    /// <summary>Open orders of one node; operations take turns on a node, so more than a few are questions that nobody answers.</summary>
    const int MostOfNode = 32;

    readonly Database database;
    readonly NodeDirectory nodes;
    readonly OperationPokes pokes;
    readonly TimeProvider time;
    readonly Lock gate = new();
    readonly Dictionary<Guid, List<AgentOrder>> open = [];

    public AgentOrders(Database database, NodeDirectory nodes, OperationPokes pokes, TimeProvider time)
    {
        (this.database, this.nodes, this.pokes, this.time) = (database, nodes, pokes, time);
        foreach (var order in database.Read(AgentOrderStore.LoadOpen)) Queue(order.NodeId).Add(order);
    }

    /// <summary>Told which node has a new first order.</summary>
    public event Action<Guid>? Waiting;

    /// <summary>Told of each result, once its order's end is durable: whoever waits for one may place the next.</summary>
    public event Action<AgentOrder, OrderResult>? Reported;

    /// <summary>Whoever has to take something from a result before its order ends; when that fails the agent reports again.</summary>
    public Func<AgentOrder, OrderResult, CancellationToken, Task>? Reporting { get; set; }

    /// <summary>Places an order; one with this identity that exists already is left as it is.</summary>
    /// <returns>The order as it stands; <see cref="OrderState.Lost"/> at once for a node that is gone or retired, or has too many waiting.</returns>
    public async Task<AgentOrder> PlaceAsync(AgentOrder wanted, CancellationToken cancellationToken)
    {
        if (await FindAsync(wanted.Id) is { } existing) return existing;
        if (Unreachable(wanted.NodeId, wanted.Node) is { } reason) return wanted with { State = OrderState.Lost, Message = reason };
        lock (gate)
        {
            if (Queue(wanted.NodeId).Count >= MostOfNode) return wanted with { State = OrderState.Lost, Message = $"{wanted.Node} has {MostOfNode} orders waiting" };
        }
        await database.WriteAsync(connection => { AgentOrderStore.Insert(connection, wanted, time.GetUtcNow()); return true; }, _ =>
        {
            lock (gate) Queue(wanted.NodeId).Add(wanted);
        }, cancellationToken);
        Waiting?.Invoke(wanted.NodeId);
        return wanted;
    }

    public Task<AgentOrder?> FindAsync(string id)
    {
        lock (gate)
        {
            foreach (var queue in open.Values)
                if (queue.Find(order => order.Id == id) is { } found) return Task.FromResult<AgentOrder?>(found);
        }
        return Task.FromResult(database.Read(connection => AgentOrderStore.Find(connection, id)));
    }

    /// <summary>The node's first open order, marked as delivered; null when there is none.</summary>
    public async Task<AgentOrder?> TakeAsync(Guid nodeId, CancellationToken cancellationToken)
    {
        AgentOrder? first;
        bool isNews;
        lock (gate)
        {
            first = open.TryGetValue(nodeId, out var queue) && queue.Count > 0 ? queue[0] : null;
            if (first is null) return null;
            isNews = !first.Delivered;
            // From here on it cannot be withdrawn, also if the mark below fails and nothing is sent: that only makes its end less certain.
            queue![0] = first = first with { Delivered = true };
        }
        // Each time, not only the first: an earlier mark may not have become durable.
        await database.WriteAsync(connection => AgentOrderStore.MarkDelivered(connection, first.Id), cancellationToken);
        // Its operation waits for something else from now on, and says so to whoever asks why.
        if (isNews && first.OperationId is { } operation) pokes.Poke(operation);
        return first;
    }

    public bool HasOrder(Guid nodeId)
    {
        lock (gate) return open.TryGetValue(nodeId, out var queue) && queue.Count > 0;
    }

    /// <summary>The node's open order with this id; null when there is none.</summary>
    public AgentOrder? OpenOf(Guid nodeId, string id) => FindOpen(nodeId, id);

    /// <summary>Whether the order that this node is at is of a kind.</summary>
    public bool IsAt(Guid nodeId, string kind)
    {
        lock (gate) return open.TryGetValue(nodeId, out var queue) && queue is [{ Delivered: true } first, ..] && first.Document.Kind == kind;
    }

    /// <summary>Whether an open order of this node names the package.</summary>
    public bool Names(Guid nodeId, string digest)
    {
        lock (gate) return open.TryGetValue(nodeId, out var queue) && queue.Exists(order => order.Document.Module?.Digest == digest);
    }

    /// <summary>The agent's word on an order.</summary>
    /// <returns>False when this node has, and had, no such order.</returns>
    public async Task<bool> ReportAsync(Guid nodeId, string id, OrderResult result, CancellationToken cancellationToken)
    {
        if (FindOpen(nodeId, id) is not { } order) return await FindAsync(id) is { } past && past.NodeId == nodeId;
        if (Reporting is { } take) await take(order, result, cancellationToken);
        await EndAsync(order, result.Succeeded ? OrderState.Succeeded : OrderState.Failed, result.Message, cancellationToken);
        Reported?.Invoke(order, result);
        return true;
    }

    /// <summary>Takes an order back, if no agent has seen it.</summary>
    /// <returns>The order as it stands now; null when there is none.</returns>
    public async Task<AgentOrder?> WithdrawAsync(string id, CancellationToken cancellationToken)
    {
        AgentOrder? order;
        lock (gate)
        {
            order = open.Values.SelectMany(queue => queue).FirstOrDefault(one => one.Id == id && !one.Delivered);
            // Out of the queue first, so that nobody takes it while the store is being written.
            if (order is not null) open[order.NodeId].Remove(order);
        }
        if (order is null) return await FindAsync(id);
        try
        {
            return await EndAsync(order, OrderState.Withdrawn, "withdrawn", cancellationToken);
        }
        catch (StoreException)
        {
            lock (gate) Queue(order.NodeId).Insert(0, order);
            throw;
        }
    }

    /// <summary>Ends the orders whose time is over and those whose node is gone or retired.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        List<(AgentOrder Order, string Reason)> over;
        lock (gate)
        {
            over = [.. open.Values.SelectMany(queue => queue)
                .Select(order => (order, Reason: Unreachable(order.NodeId, order.Node) ?? (order.Expires <= now ? Expired(order) : null)))
                .Where(pair => pair.Reason is not null).Select(pair => (pair.order, pair.Reason!))];
        }
        foreach (var (order, reason) in over) await EndAsync(order, OrderState.Lost, reason, cancellationToken);
    }

    async Task<AgentOrder> EndAsync(AgentOrder order, OrderState state, string? message, CancellationToken cancellationToken)
    {
        var ended = order with { State = state, Message = message };
        await database.WriteAsync(connection => { AgentOrderStore.End(connection, ended, time.GetUtcNow()); return true; }, _ =>
        {
            lock (gate)
            {
                var queue = Queue(order.NodeId);
                queue.RemoveAll(one => one.Id == order.Id);
                if (queue.Count == 0) open.Remove(order.NodeId);
            }
        }, cancellationToken);
        if (order.OperationId is { } operation) pokes.Poke(operation);
        if (HasOrder(order.NodeId)) Waiting?.Invoke(order.NodeId);
        return ended;
    }

    AgentOrder? FindOpen(Guid nodeId, string id)
    {
        lock (gate) return open.TryGetValue(nodeId, out var queue) ? queue.Find(order => order.Id == id) : null;
    }

    string? Unreachable(Guid nodeId, string name) => nodes.Current.Find(nodeId) switch
    {
        null => $"{name} is gone: it was removed from the appliance",
        { State: NodeState.Retired } node => $"{node.Name} is retired",
        _ => null,
    };

    static string Expired(AgentOrder order) => order.Delivered
        ? $"{order.Node}'s agent took the order and did not answer in time"
        : $"{order.Node}'s agent did not come for the order in time";

    List<AgentOrder> Queue(Guid nodeId)
    {
        if (!open.TryGetValue(nodeId, out var queue)) open[nodeId] = queue = [];
        return queue;
    }
}
