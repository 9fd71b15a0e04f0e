using System.Text.Json;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;
using GridAppliance.Modules;
using GridAppliance.Nodes;

namespace GridAppliance.Operations;

/// <summary>A module onto a node: looked at, ordered, awaited, recorded. Taken back by removing it, or by the version that was there before.</summary>
sealed class InstallModule(NodeDirectory nodes, ModuleCatalog catalog, ModuleOrders orders) : IOperationKind
{
    public const string KindName = "module-install";

    public string Name => KindName;

    public static NewOperation For(ModuleCatalog catalog, Node node, ModuleDocument module, string actor, ModuleTerms? terms = null)
    {
        var order = OrderOf(module) with { Owner = terms?.Owner, RefuseUpgrade = terms?.RefuseUpgrade ?? false, Parameters = terms?.Parameters };
        var previous = node.Modules.FirstOrDefault(installed => installed.Name == module.Name) is { } installed && catalog.Find(installed.Name, installed.Version) is { } known ? OrderOf(known) : null;
        return new(KindName, JsonSerializer.Serialize(new(order, previous, Before(catalog, module)), ModuleOperationJson.Default.ModuleOperationInput))
        {
            NodeId = node.Id, Node = node.Name, Subject = module.Name, Key = $"{KindName}:{node.Id}:{module.Name}@{module.Version}:{terms?.Owner}", StartedBy = actor,
        };
    }

    public static ModuleOrder OrderOf(ModuleDocument module) => new() { Name = module.Name, Version = module.Version, Digest = module.Digest, SizeBytes = module.SizeBytes };

    /// <summary>What a module needs, as orders on its behalf; a node that has one already has its agent note the owner.</summary>
    static IReadOnlyList<ModuleOrder>? Before(ModuleCatalog catalog, ModuleDocument module) =>
        catalog.ManifestOf(module) is { } manifest && ModuleNeedsPlan.TryOrder(manifest, name => catalog.Find(name) is { } needed ? catalog.ManifestOf(needed) : null, out var before, out _) && before.Count > 0
            ? [.. before.Select(name => OrderOf(catalog.Find(name)!) with { Owner = OwnerOf(catalog, before, manifest, name) })] : null;

    /// <summary>The module that needs this one directly: of several the last to be installed, since each notes itself when it is there.</summary>
    static string OwnerOf(ModuleCatalog catalog, IReadOnlyList<string> before, ModuleManifest wanted, string name) =>
        $"module:{(wanted.Needs?.Modules?.Contains(name) is true ? wanted.Name : before.Last(other => catalog.ManifestOf(catalog.Find(other)!)?.Needs?.Modules?.Contains(name) is true))}";

    /// <summary>Why this module cannot go onto this node, or null when it can.</summary>
    public static string? Refusal(ModuleCatalog catalog, Node node, ModuleDocument module, ModuleTerms? terms = null)
    {
        if (NoAgent(node) is { } reason) return reason;
        var manifest = catalog.ManifestOf(module);
        if (manifest is not null && !ModuleNeedsPlan.TryOrder(manifest, name => catalog.Find(name) is { } needed ? catalog.ManifestOf(needed) : null, out _, out var problem)) return problem;
        foreach (var (name, value) in terms?.Parameters ?? new Dictionary<string, string>())
            if (manifest?.Parameters?.GetValueOrDefault(name)?.Accepts(value) is not true) return $"{module.Name} has no parameter {name} that takes this value";
        var same = node.Modules.FirstOrDefault(installed => installed.Name == module.Name);
        if (terms?.RefuseUpgrade is true && same is not null && same.Version != module.Version) return $"{node.Name} has {same.Name} {same.Version}";
        if (terms?.OnlyUpgrade is true && same is null) return $"{node.Name} has no {module.Name}";
        if (terms?.OnlyUpgrade is true && same!.Version == module.Version) return $"{node.Name} has {module.Name} {module.Version} already";
        if (module.Name == ModuleManifest.Agent) return "that is the agent itself: see gridctl agent update";
        var rival = node.Modules.FirstOrDefault(installed => installed.Name != module.Name && catalog.Find(installed.Name, installed.Version)?.Class == module.Class);
        return rival is null ? null : $"{node.Name} has {rival.Name} {rival.Version}, which is of the same class ({module.Class}); remove that first";
    }

    /// <summary>Why nobody on this node would take an order, or null.</summary>
    public static string? NoAgent(Node node) => node.State switch
    {
        NodeState.Idle or NodeState.Active or NodeState.Assigning or NodeState.Releasing or NodeState.Enrolling => node.AgentKey.IsEmpty ? $"{node.Name} has no agent" : null,
        NodeState.Discovered or NodeState.Held or NodeState.Failed or NodeState.Retired => $"{node.Name} is {node.State.ToString().ToLowerInvariant()}",
    };

    public IReadOnlyList<Step> StepsFor(Operation operation)
    {
        var input = JsonSerializer.Deserialize(operation.Input, ModuleOperationJson.Default.ModuleOperationInput)!;
        var back = input.Previous is { } previous ? (OrderKinds.InstallModule, previous) : (OrderKinds.RemoveModule, input.Module);
        return
        [
            new("check", _ => Task.FromResult(Check(operation, input.Module))),
            .. (input.Before ?? []).SelectMany((needed, place) => Needed(operation, needed, $"-{place}")),
            new("order", token => orders.PlaceAsync(operation, OrderKinds.InstallModule, input.Module, token), token => orders.TakeBackAsync(operation, back, token)),
            new("install", _ => orders.AwaitAsync(operation)),
            new("record", token => RecordAsync(operation, input.Module, token)),
        ];
    }

    public Task ConcludeAsync(Operation operation, OperationEnd end, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>A module that is needed: taken back, it loses this owner, and goes if that was the only one.</summary>
    IEnumerable<Step> Needed(Operation operation, ModuleOrder needed, string part) =>
    [
        new($"order {needed.Name}", token => orders.PlaceAsync(operation, OrderKinds.InstallModule, needed, token, part), token => orders.TakeBackAsync(operation, (OrderKinds.RemoveModule, needed), token, part)),
        new($"install {needed.Name}", _ => orders.AwaitAsync(operation, part)),
    ];

    StepOutcome Check(Operation operation, ModuleOrder wanted)
    {
        if (nodes.Current.Find(operation.NodeId ?? default) is not { } node) return new StepOutcome.Failed($"{operation.Node} is gone: it was removed from the appliance");
        if (catalog.Find(wanted.Name, wanted.Version) is not { } module || module.Digest != wanted.Digest) return new StepOutcome.Failed($"{wanted.Name} {wanted.Version} is not in the catalogue any more");
        return Refusal(catalog, node, module) is { } refusal ? new StepOutcome.Failed(refusal) : new StepOutcome.Done($"{node.Name} can take {module.Name} {module.Version}");
    }

    /// <summary>The agent's result has brought its list of modules along; this is for an agent that left it out.</summary>
    async Task<StepOutcome> RecordAsync(Operation operation, ModuleOrder module, CancellationToken cancellationToken)
    {
        await nodes.ChangeAsync(operation.NodeId ?? default, node => node.Modules.Any(installed => installed.Name == module.Name && installed.Version == module.Version)
            ? null
            : (node with { Modules = [.. node.Modules.Where(installed => installed.Name != module.Name), new() { Name = module.Name, Version = module.Version, State = "running" }] }, []), cancellationToken);
        return new StepOutcome.Done($"{module.Name} {module.Version} is on {operation.Node}");
    }
}
