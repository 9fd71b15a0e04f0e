using System.Collections.Concurrent;
using GridAppliance.Modules;
using GridAppliance.Nodes;
using GridAppliance.Store;

namespace GridAppliance.Resources;

/// <summary>When each node's modules were last asked for, and how long they may stay when nobody asks.</summary>
sealed class ModuleUses(Database database, ModuleCatalog catalog, TimeProvider time)
{
    readonly ConcurrentDictionary<(Guid Node, string Module), ModuleUse> uses = new(database.Read(ResourceStore.LoadUses));
    readonly ConcurrentDictionary<string, TimeSpan> policies = new(database.Read(ResourceStore.LoadPolicies), StringComparer.Ordinal);

    public ModuleUse? Find(Guid nodeId, string module) => uses.TryGetValue((nodeId, module), out var use) ? use : null;

    /// <summary>Somebody asks for it, now.</summary>
    /// <param name="requested">It comes with a request for resources; null leaves that as it was.</param>
    public async Task AskedAsync(Guid nodeId, string module, bool? requested, CancellationToken cancellationToken)
    {
        var use = new ModuleUse(time.GetUtcNow(), requested ?? Find(nodeId, module)?.Requested ?? false);
        await database.WriteAsync(connection => { ResourceStore.Save(connection, nodeId, module, use); return true; }, _ => uses[(nodeId, module)] = use, cancellationToken);
    }

    /// <summary>It is not there any more.</summary>
    public async Task ForgetAsync(Guid nodeId, string module, CancellationToken cancellationToken)
    {
        if (Find(nodeId, module) is null) return;
        await database.WriteAsync(connection => { ResourceStore.DeleteUse(connection, nodeId, module); return true; }, _ => uses.TryRemove((nodeId, module), out var _), cancellationToken);
    }

    /// <summary>How long this module may stay unasked; by its own name, or else by its class. Null: for ever.</summary>
    public TimeSpan? TimeoutOf(string module, string version) =>
        policies.TryGetValue(module, out var own) ? own : catalog.Find(module, version) is { } known && policies.TryGetValue(known.Class, out var ofClass) ? ofClass : null;

    public IReadOnlyList<(string Module, TimeSpan Timeout)> Policies => [.. policies.Select(pair => (pair.Key, pair.Value)).OrderBy(pair => pair.Key, StringComparer.Ordinal)];

    /// <param name="module">A module's name or class.</param>
    /// <param name="timeout">Null: it stays for ever.</param>
    /// <param name="cancellationToken">Gives up waiting for the store.</param>
    public Task SetPolicyAsync(string module, TimeSpan? timeout, CancellationToken cancellationToken) =>
        database.WriteAsync(connection => { ResourceStore.SavePolicy(connection, module, timeout); return true; }, _ =>
        {
            if (timeout is { } after) policies[module] = after;
            else policies.TryRemove(module, out var _);
        }, cancellationToken);

    /// <summary>Everything that is known, for whoever looks for what is idle.</summary>
    public IEnumerable<(Guid Node, string Module)> Known => uses.Keys;
}
