namespace GridAppliance.Operations;

/// <summary>Whose turn it is and when: one operation at a time on a node, the oldest first, and a timetable of the ones that wait. Not thread-safe: the runner locks.</summary>
sealed class OperationTurns
{
    readonly Dictionary<Guid, LiveOperation> all = [];
    readonly Dictionary<Guid, List<LiveOperation>> byNode = [];
    // A changed due time leaves its old line behind; it is recognised by the time and passed over.
    readonly PriorityQueue<(LiveOperation Operation, DateTimeOffset Due), DateTimeOffset> timetable = new();

    public int Count => all.Count;

    public IEnumerable<LiveOperation> All => all.Values;

    public LiveOperation? Find(Guid id) => all.GetValueOrDefault(id);

    /// <summary>The unfinished operations on a node, the one whose turn it is first.</summary>
    public IReadOnlyList<LiveOperation> OnNode(Guid nodeId) => byNode.TryGetValue(nodeId, out var queue) ? queue : [];

    /// <summary>The operation that <paramref name="live"/> waits for, or null when it has the turn.</summary>
    public LiveOperation? Ahead(LiveOperation live) =>
        live.TakesTurns && live.Operation.NodeId is { } node && byNode.TryGetValue(node, out var queue) && queue.Find(static one => one.TakesTurns) is { } first && first != live ? first : null;

    /// <returns>False when it was there already.</returns>
    public bool Add(LiveOperation live, DateTimeOffset now)
    {
        if (!all.TryAdd(live.Operation.Id, live)) return false;
        if (live.Operation.NodeId is { } node)
        {
            if (!byNode.TryGetValue(node, out var queue)) byNode[node] = queue = [];
            queue.Add(live);
        }
        Schedule(live, now);
        return true;
    }

    /// <summary>Takes an ended operation out; the next one on its node is due at once.</summary>
    public void Remove(LiveOperation live, DateTimeOffset now)
    {
        all.Remove(live.Operation.Id);
        if (live.Operation.NodeId is not { } node || !byNode.TryGetValue(node, out var queue)) return;
        queue.Remove(live);
        if (queue.Count == 0) byNode.Remove(node);
        else if (live.TakesTurns && queue.Find(static one => one.TakesTurns) is { } next) Schedule(next, now);
    }

    public void Schedule(LiveOperation live, DateTimeOffset due)
    {
        live.Due = due;
        timetable.Enqueue((live, due), due);
    }

    /// <summary>The next operation that is due and may run, taken off the timetable; null when there is none.</summary>
    public LiveOperation? TakeDue(DateTimeOffset now)
    {
        while (timetable.TryPeek(out var line, out var due) && due <= now)
        {
            timetable.Dequeue();
            var live = line.Operation;
            if (live.Due != line.Due || live.Running is not null || !all.ContainsKey(live.Operation.Id)) continue;
            if (MayRun(live)) return live;
        }
        return null;
    }

    /// <summary>When <see cref="TakeDue"/> may next have something.</summary>
    public DateTimeOffset? NextDue => timetable.TryPeek(out _, out var due) ? due : null;

    // One that was called off before it touched anything need not wait for its turn to be over.
    bool MayRun(LiveOperation live) => Ahead(live) is null || live.CancelAsked && !live.HasBegun;
}
