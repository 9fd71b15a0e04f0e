using System.Collections.Concurrent;
using System.Collections.Immutable;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Resources;
using GridAppliance.Nodes;
using GridAppliance.Store;

namespace GridAppliance.Resources;

/// <summary>
/// What every node has, and who holds what of it. A holding counts from the moment it is planned until its agent has confirmed the end, so an amount is never promised twice,
/// whatever is lost on the way. Reading is a snapshot; changes are durable before they are visible, one at a time.
/// </summary>
sealed class ResourceLedger
{
    /// <summary>The part of a machine that the system needs, where the agent has not said (an older one).</summary>
    const long SystemMiB = 128;

    /// <summary>With less no program of a module does anything.</summary>
    const long LeastMemoryMiB = 16;

    readonly Database database;
    readonly NodeDirectory nodes;
    readonly Timeline timeline;
    readonly ModuleOffers offers;
    readonly SemaphoreSlim changing = new(1, 1);
    readonly ConcurrentDictionary<Guid, HoldingReport> reports = new();
    readonly ConcurrentDictionary<Guid, int> missed = new();
    volatile LedgerPages pages;

    public ResourceLedger(Database database, NodeDirectory nodes, Timeline timeline, ModuleOffers offers)
    {
        (this.database, this.nodes, this.timeline, this.offers) = (database, nodes, timeline, offers);
        pages = database.Read(ResourceStore.LoadHoldings).Aggregate(LedgerPages.Empty, static (pages, holding) => pages.With(holding));
    }

    public IEnumerable<Holding> All => pages.ById.Values;

    public Holding? Find(Guid id) => pages.ById.GetValueOrDefault(id);

    public IReadOnlyList<Holding> On(Guid nodeId) => pages.ByNode.GetValueOrDefault(nodeId) ?? [];

    /// <summary>What the node could give if nobody held anything.</summary>
    public ResourceAmounts TotalOf(Node node)
    {
        var machine = node.Inventory switch
        {
            null => new(),
            { Allocatable: { } said } => said,
            var found => new() { Cpus = found.Cpus, MemoryMiB = Math.Max(0, found.MemoryMiB - SystemMiB), DiskMiB = found.Disks.Where(disk => !disk.Removable).Sum(disk => disk.SizeBytes >> 20) },
        };
        return node.Modules.Aggregate(machine, (sum, module) => sum + offers.ProvidedBy(module.Name, module.Version));
    }

    public ResourceAmounts FreeOf(Node node) => On(node.Id).Aggregate(TotalOf(node), static (free, holding) => free - holding.Amounts);

    /// <summary>
    /// Whoever names no memory gets his processors' share of the node's, or what is free where that is less: a holding without a bound could take what others hold, and the kernel would
    /// choose among all of them whose programs end.
    /// </summary>
    public ResourceAmounts WithMemory(Node node, ResourceAmounts wanted) => wanted.MemoryMiB > 0 || TotalOf(node) is not { Cpus: > 0, MemoryMiB: > 0 } total
        ? wanted
        : wanted with { MemoryMiB = Math.Max(LeastMemoryMiB, Math.Min(total.MemoryMiB * wanted.Cpus / total.Cpus, FreeOf(node).MemoryMiB)) };

    /// <summary>Why this cannot be had on this node now, or null.</summary>
    public string? Refusal(Node node, ResourceAmounts wanted)
    {
        // What a module provides that is not there yet is there once it is.
        var coming = new ResourceAmounts { Named = wanted.Named.Keys.Where(name => !TotalOf(node).Named.ContainsKey(name)).ToDictionary(name => name, offers.UnitsOf) };
        return wanted.LackIn(FreeOf(node) + coming) is { } lack ? $"{node.Name} has too little: {lack}" : null;
    }

    /// <summary>Enters a holding if it fits.</summary>
    /// <returns>Why not, or null: also for one that is entered already.</returns>
    public async Task<string?> PlanAsync(Holding wanted, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken);
        try
        {
            if (Find(wanted.Id) is not null) return null;
            if (nodes.Current.Find(wanted.NodeId) is not { } node) return $"{wanted.Node} is gone: it was removed from the appliance";
            if (Refusal(node, wanted.Amounts) is { } refusal) return refusal;
            await WriteAsync(wanted, null, cancellationToken);
            return null;
        }
        finally
        {
            changing.Release();
        }
    }

    /// <summary>Changes a holding; <paramref name="change"/> returns null for "nothing to do".</summary>
    /// <returns>The holding as it is now; null when there is none (any more).</returns>
    public async Task<Holding?> ChangeAsync(Guid id, Func<Holding, Holding?> change, NewEvent? happened, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken);
        try
        {
            if (Find(id) is not { } holding) return null;
            if (change(holding) is not { } next || next == holding) return holding;
            await WriteAsync(next, happened, cancellationToken);
            return next;
        }
        finally
        {
            changing.Release();
        }
    }

    /// <summary>
    /// Does something that must not come after the holding's end has begun, while nobody can begin that. An order to hold that was placed after the order to free would be carried
    /// out by an agent that has booted in between and knows of neither.
    /// </summary>
    /// <returns>Null, and nothing was done, when the holding is over or ending.</returns>
    public async Task<T?> WhileHeldAsync<T>(Guid id, Func<Task<T>> work, CancellationToken cancellationToken) where T : class
    {
        await changing.WaitAsync(cancellationToken);
        try
        {
            return Find(id) is { State: not HoldingState.Ending } ? await work() : null;
        }
        finally
        {
            changing.Release();
        }
    }

    /// <summary>Forgets a holding: from here on others may have what it held.</summary>
    public async Task RemoveAsync(Guid id, NewEvent? happened, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken);
        try
        {
            if (Find(id) is not { } holding) return;
            await database.WriteAsync(connection =>
            {
                ResourceStore.Delete(connection, id);
                return timeline.Insert(connection, happened is null ? [] : [happened]);
            }, events => { pages = pages.Without(holding); timeline.Publish(events); }, cancellationToken);
            reports.TryRemove(id, out _);
            missed.TryRemove(id, out _);
        }
        finally
        {
            changing.Release();
        }
    }

    public HoldingUsage? UsageOf(Guid id) => reports.GetValueOrDefault(id)?.Usage;

    /// <summary>Heartbeats in a row in which the agent did not have this holding.</summary>
    public int MissedBy(Guid id) => missed.GetValueOrDefault(id);

    public void Heard(Guid nodeId, IReadOnlyList<HoldingReport> held)
    {
        foreach (var holding in On(nodeId))
        {
            if (held.FirstOrDefault(report => report.Id == holding.Id.ToString()) is { } report)
            {
                reports[holding.Id] = report;
                missed.TryRemove(holding.Id, out _);
            }
            else if (holding.IsSettled) missed.AddOrUpdate(holding.Id, 1, static (_, times) => times + 1);
        }
    }

    /// <summary>It is being seen to.</summary>
    public void ForgetMissed(Guid id) => missed.TryRemove(id, out _);

    Task WriteAsync(Holding next, NewEvent? happened, CancellationToken cancellationToken) => database.WriteAsync(connection =>
    {
        ResourceStore.Save(connection, next);
        return timeline.Insert(connection, happened is null ? [] : [happened]);
    }, events => { pages = pages.With(next); timeline.Publish(events); }, cancellationToken);

    sealed record LedgerPages(ImmutableDictionary<Guid, Holding> ById, ImmutableDictionary<Guid, ImmutableList<Holding>> ByNode)
    {
        public static LedgerPages Empty { get; } = new(ImmutableDictionary<Guid, Holding>.Empty, ImmutableDictionary<Guid, ImmutableList<Holding>>.Empty);

        public LedgerPages With(Holding holding) => new(ById.SetItem(holding.Id, holding),
            ByNode.SetItem(holding.NodeId, (ByNode.GetValueOrDefault(holding.NodeId) ?? []).RemoveAll(one => one.Id == holding.Id).Add(holding)));

        public LedgerPages Without(Holding holding)
        {
            var left = (ByNode.GetValueOrDefault(holding.NodeId) ?? []).RemoveAll(one => one.Id == holding.Id);
            return new(ById.Remove(holding.Id), left.IsEmpty ? ByNode.Remove(holding.NodeId) : ByNode.SetItem(holding.NodeId, left));
        }
    }
}
