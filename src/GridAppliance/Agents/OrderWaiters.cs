namespace GridAppliance.Agents;

/// <summary>
/// Agents that wait for an order: one completion source each and nothing else, so that ten thousand cost a few megabytes. A node waits once; a second wait ends the first.
/// </summary>
sealed class OrderWaiters
{
    /// <summary>Past it a wait ends at once, and the agent asks again a little later.</summary>
    public const int Most = 20_000;

    readonly TimeProvider time;
    readonly Lock gate = new();
    readonly Dictionary<Guid, Waiter> waiters = [];

    public OrderWaiters(AgentOrders orders, TimeProvider time)
    {
        this.time = time;
        orders.Waiting += Wake;
    }

    public int Count { get { lock (gate) return waiters.Count; } }

    /// <summary>Begins to wait; ends when there may be an order, when the time is over, or when the node waits a second time.</summary>
    public async Task WaitAsync(Guid nodeId, TimeSpan longest, Func<bool> isHere, CancellationToken cancellationToken)
    {
        var waiter = new Waiter(time.GetUtcNow() + longest);
        lock (gate)
        {
            if (waiters.Remove(nodeId, out var earlier)) earlier.Done.TrySetResult();
            if (waiters.Count >= Most) return;
            waiters[nodeId] = waiter;
        }
        try
        {
            // It may have come between the caller's look and our entry above.
            if (!isHere()) await waiter.Done.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            lock (gate)
            {
                if (waiters.TryGetValue(nodeId, out var current) && current == waiter) waiters.Remove(nodeId);
            }
        }
    }

    /// <summary>Ends the waits whose time is over; called about once a second, instead of a timer for each.</summary>
    public void Sweep()
    {
        var now = time.GetUtcNow();
        lock (gate)
        {
            foreach (var waiter in waiters.Values)
                if (waiter.Until <= now) waiter.Done.TrySetResult();
        }
    }

    void Wake(Guid nodeId)
    {
        lock (gate)
        {
            if (waiters.TryGetValue(nodeId, out var waiter)) waiter.Done.TrySetResult();
        }
    }

    sealed record Waiter(DateTimeOffset Until)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
