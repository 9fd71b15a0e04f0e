using System.Collections.Immutable;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Store;

namespace GridAppliance.Nodes;

/// <summary>All nodes at one moment, by each of their names. Immutable.</summary>
sealed record NodeSnapshot
{
    public ImmutableDictionary<Guid, Node> ById { get; init; } = ImmutableDictionary<Guid, Node>.Empty;
    public ImmutableDictionary<string, Guid> ByName { get; init; } = ImmutableDictionary.Create<string, Guid>(StringComparer.Ordinal);
    public ImmutableDictionary<MacAddress, Guid> ByMac { get; init; } = ImmutableDictionary<MacAddress, Guid>.Empty;

    public IEnumerable<Node> Nodes => ById.Values;

    /// <summary>All at once: to add ten thousand one by one is a noticeable part of a daemon's start.</summary>
    public static NodeSnapshot Of(IReadOnlyList<Node> nodes)
    {
        var (byId, byName, byMac) = (ImmutableDictionary.CreateBuilder<Guid, Node>(), ImmutableDictionary.CreateBuilder<string, Guid>(StringComparer.Ordinal), ImmutableDictionary.CreateBuilder<MacAddress, Guid>());
        foreach (var node in nodes)
        {
            (byId[node.Id], byName[node.Name]) = (node, node.Id);
            foreach (var mac in node.Macs) byMac[mac] = node.Id;
        }
        return new() { ById = byId.ToImmutable(), ByName = byName.ToImmutable(), ByMac = byMac.ToImmutable() };
    }

    public Node? Find(Guid id) => ById.GetValueOrDefault(id);

    public Node? Find(string name) => ByName.TryGetValue(name, out var id) ? Find(id) : null;

    public Node? Find(MacAddress mac) => ByMac.TryGetValue(mac, out var id) ? Find(id) : null;

    public NodeSnapshot With(Node node)
    {
        var byMac = ByMac;
        var byName = ByName;
        if (Find(node.Id) is { } before)
        {
            if (before.Macs != node.Macs) byMac = byMac.RemoveRange(before.Macs);
            if (before.Name != node.Name) byName = byName.Remove(before.Name);
        }
        foreach (var mac in node.Macs) byMac = byMac.SetItem(mac, node.Id);
        return new() { ById = ById.SetItem(node.Id, node), ByName = byName.SetItem(node.Name, node.Id), ByMac = byMac };
    }

    public NodeSnapshot Without(Node node) => new() { ById = ById.Remove(node.Id), ByName = ByName.Remove(node.Name), ByMac = ByMac.RemoveRange(node.Macs) };
}

/// <summary>The one owner of nodes: durable first, then visible. Reading is a snapshot; changes to one node are in order, changes to different nodes share a commit.</summary>
sealed class NodeDirectory
{
    readonly Database database;
    readonly Timeline timeline;
    readonly TimeProvider time;
    readonly SemaphoreSlim creating = new(1, 1);
    ImmutableDictionary<Guid, SemaphoreSlim> gates = ImmutableDictionary<Guid, SemaphoreSlim>.Empty;
    NodeSnapshot current;

    public NodeDirectory(Database database, Timeline timeline, TimeProvider time)
    {
        (this.database, this.timeline, this.time) = (database, timeline, time);
        current = NodeSnapshot.Of(database.Read(NodeStore.Load));
    }

    public NodeSnapshot Current => Volatile.Read(ref current);

    /// <summary>Poked after every durable change; reconcilers wait for it.</summary>
    public event Action? Changed;

    /// <summary>The node that owns <paramref name="mac"/>, made if there is none. A second call for the same MAC finds the first one's node.</summary>
    public async Task<Node> DiscoverAsync(MacAddress mac, string network, Func<Node, Node> describe, string message, CancellationToken cancellationToken)
    {
        if (Current.Find(mac) is { } known) return known;
        await creating.WaitAsync(cancellationToken);
        try
        {
            if (Current.Find(mac) is { } raced) return raced;
            var now = time.GetUtcNow();
            var node = describe(new Node
            {
                Id = Guid.CreateVersion7(now), Name = NextName(), State = NodeState.Discovered, StateSince = now, FirstSeen = now, BootMac = mac, Macs = [mac], Network = network,
            });
            return await SaveAsync(node, [NewEvent.About(node, "state.discovered", message)], cancellationToken);
        }
        finally
        {
            creating.Release();
        }
    }

    /// <summary>
    /// Changes durable fields of a node. <paramref name="change"/> sees the newest node and returns the next one with the events that tell of it, or null for "nothing to do".
    /// Soft fields (address, last seen, boot progress) are not taken from it: use <see cref="Touch"/>.
    /// </summary>
    /// <returns>The node as it is now, or null when there is no such node.</returns>
    public async Task<Node?> ChangeAsync(Guid id, Func<Node, (Node Next, IReadOnlyList<NewEvent> Events)?> change, CancellationToken cancellationToken)
    {
        var gate = ImmutableInterlocked.GetOrAdd(ref gates, id, static _ => new SemaphoreSlim(1, 1));
        await gate.WaitAsync(cancellationToken);
        try
        {
            if (Current.Find(id) is not { } node) return null;
            return change(node) is { } decided ? await SaveAsync(decided.Next, decided.Events, cancellationToken) : node;
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Moves a node along <see cref="NodeLifecycle"/>; null when the node is gone, the event cannot happen in its state, or <paramref name="also"/> says null.</summary>
    /// <param name="also">What changes in the same breath; null when the newest node is not the one that was meant.</param>
    public async Task<Node?> ApplyAsync(Guid id, NodeEvent happened, string message, string actor, Func<Node, Node?>? also, CancellationToken cancellationToken)
    {
        var allowed = false;
        var node = await ChangeAsync(id, node =>
        {
            if (NodeLifecycle.Next(node.State, happened) is not { } next) return null;
            var moved = node with
            {
                State = next,
                StateSince = next == node.State ? node.StateSince : time.GetUtcNow(),
                Problem = next == NodeState.Failed ? message : null,
            };
            if (also is not null)
            {
                if (also(moved) is not { } changed) return null;
                moved = changed;
            }
            allowed = true;
            var severity = next == NodeState.Failed ? EventSeverity.Error : EventSeverity.Info;
            var kind = next == node.State ? $"node.{happened.ToString().ToLowerInvariant()}" : $"state.{next.ToString().ToLowerInvariant()}";
            return (moved, [NewEvent.About(moved, kind, message, severity) with { Actor = actor }]);
        }, cancellationToken);
        return allowed ? node : null;
    }

    /// <summary>Changes soft fields in memory; never waits, never fails, and is forgotten by a restart.</summary>
    public void Touch(Guid id, Func<Node, Node> change) =>
        Update(snapshot => snapshot.Find(id) is { } node ? snapshot with { ById = snapshot.ById.SetItem(id, change(node)) } : snapshot);

    /// <summary>Forgets a node for good; its timeline stays. A machine that boots again afterwards is a new one.</summary>
    /// <param name="mayGo">Asked with the newest node: a node that has begun to live in the meantime is left.</param>
    /// <returns>False when there is no such node, or it may not go.</returns>
    public async Task<bool> RemoveAsync(Guid id, Func<Node, bool> mayGo, string message, string actor, CancellationToken cancellationToken)
    {
        var gate = ImmutableInterlocked.GetOrAdd(ref gates, id, static _ => new SemaphoreSlim(1, 1));
        await gate.WaitAsync(cancellationToken);
        try
        {
            if (Current.Find(id) is not { } node || !mayGo(node)) return false;
            await database.WriteAsync(connection =>
            {
                NodeStore.Delete(connection, id);
                return timeline.Insert(connection, [NewEvent.About(node, "node.removed", message) with { Actor = actor }]);
            }, events => { Update(snapshot => snapshot.Without(node)); timeline.Publish(events); }, cancellationToken);
        }
        finally
        {
            gate.Release();
            ImmutableInterlocked.TryRemove(ref gates, id, out _);
        }
        Changed?.Invoke();
        return true;
    }

    async Task<Node> SaveAsync(Node next, IReadOnlyList<NewEvent> events, CancellationToken cancellationToken)
    {
        await database.WriteAsync(connection =>
        {
            NodeStore.Save(connection, next);
            return timeline.Insert(connection, events);
        }, numbered =>
        {
            Update(snapshot => snapshot.With(snapshot.Find(next.Id) is { } latest
                ? next with { AgentLastSeen = latest.AgentLastSeen, Doing = latest.Doing, Boot = latest.Boot, Ip = latest.Ip, Reach = latest.Reach }
                : next));
            timeline.Publish(numbered);
        }, cancellationToken);
        Changed?.Invoke();
        return Current.Find(next.Id) ?? next;
    }

    void Update(Func<NodeSnapshot, NodeSnapshot> change)
    {
        while (true)
        {
            var before = Volatile.Read(ref current);
            var after = change(before);
            if (Interlocked.CompareExchange(ref current, after, before) == before) return;
        }
    }

    string NextName()
    {
        var taken = Current.ByName;
        var number = taken.Count + 1;
        while (taken.ContainsKey($"n{number}")) number++;
        return $"n{number}";
    }
}
