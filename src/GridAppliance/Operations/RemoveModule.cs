using System.Text.Json;
using GridAppliance.Api.Agents;
using GridAppliance.Modules;
using GridAppliance.Nodes;

namespace GridAppliance.Operations;

/// <summary>A module off a node. Taken back by installing it again, where the catalogue still has it.</summary>
sealed class RemoveModule(NodeDirectory nodes, ModuleOrders orders) : IOperationKind
{
    public const string KindName = "module-remove";

    public string Name => KindName;

    public static NewOperation For(ModuleCatalog catalog, Node node, string name, string actor, string? owner = null)
    {
        var installed = node.Modules.First(module => module.Name == name);
        var known = catalog.Find(installed.Name, installed.Version) is { } module ? InstallModule.OrderOf(module) with { Owner = owner } : null;
        // A removal needs no more than the name; the agent is asked by it.
        var target = known ?? new ModuleOrder { Name = installed.Name, Version = installed.Version, Digest = new('0', 64), SizeBytes = 1, Owner = owner };
        return new(KindName, JsonSerializer.Serialize(new(target, known), ModuleOperationJson.Default.ModuleOperationInput))
        {
            NodeId = node.Id, Node = node.Name, Subject = name, Key = $"{KindName}:{node.Id}:{name}:{owner}", StartedBy = actor,
        };
    }

    /// <summary>Why this module cannot be taken off this node, or null when it can.</summary>
    public static string? Refusal(Node node, string name) => InstallModule.NoAgent(node) is { } reason ? reason
        : node.Modules.Any(module => module.Name == name) ? null : $"{node.Name} has no module {name}";

    public IReadOnlyList<Step> StepsFor(Operation operation)
    {
        var input = JsonSerializer.Deserialize(operation.Input, ModuleOperationJson.Default.ModuleOperationInput)!;
        (string, ModuleOrder)? back = input.Previous is { } previous ? (OrderKinds.InstallModule, previous) : null;
        return
        [
            new("check", _ => Task.FromResult(Check(operation))),
            new("order", token => orders.PlaceAsync(operation, OrderKinds.RemoveModule, input.Module, token), token => orders.TakeBackAsync(operation, back, token)),
            new("remove", _ => orders.AwaitAsync(operation)),
            new("record", _ => Task.FromResult(Record(operation, input.Module.Name))),
        ];
    }

    public Task ConcludeAsync(Operation operation, OperationEnd end, CancellationToken cancellationToken) => Task.CompletedTask;

    StepOutcome Check(Operation operation)
    {
        if (nodes.Current.Find(operation.NodeId ?? default) is not { } node) return new StepOutcome.Failed($"{operation.Node} is gone: it was removed from the appliance");
        // That it is not there (any more) is no reason to stop: the agent is asked, and says so.
        return InstallModule.NoAgent(node) is { } refusal ? new StepOutcome.Failed(refusal) : new StepOutcome.Done($"{operation.Subject} can be taken off {node.Name}");
    }

    /// <summary>The agent's result has brought its list of modules along. One that has other owners is still on it, and rightly.</summary>
    StepOutcome Record(Operation operation, string name) => new StepOutcome.Done(
        nodes.Current.Find(operation.NodeId ?? default)?.Modules.Any(module => module.Name == name) is true ? $"{name} stays on {operation.Node} for its other owners" : $"{name} is off {operation.Node}");
}
