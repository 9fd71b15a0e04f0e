using System.Text.Json;
using System.Text.Json.Serialization;
using GridAppliance.Agents;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;
using GridAppliance.Nodes;

namespace GridAppliance.Operations;

/// <summary>
/// Another version of a node's agent. The agent does the hard part (it tries the new one and goes back by itself); this orders it and believes it when heartbeats come from the
/// new version. What an agent has begun it brings to an end: there is nothing to take back here.
/// </summary>
sealed class UpdateAgent(NodeDirectory nodes, AgentOrders orders, TimeProvider time) : IOperationKind
{
    public const string KindName = "agent-update";

    /// <summary>A download over a slow link, a minute's trial, and what an agent has to do before it.</summary>
    static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);
    static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    public string Name => KindName;

    public static NewOperation For(Node node, ModuleDocument package, string actor) => new(KindName, JsonSerializer.Serialize(InstallModule.OrderOf(package), UpdateAgentJson.Default.ModuleOrder))
    {
        NodeId = node.Id, Node = node.Name, Subject = package.Version, Key = $"{KindName}:{node.Id}", StartedBy = actor,
    };

    public IReadOnlyList<Step> StepsFor(Operation operation)
    {
        var package = JsonSerializer.Deserialize(operation.Input, UpdateAgentJson.Default.ModuleOrder)!;
        return
        [
            new("check", _ => Task.FromResult(Check(operation))),
            new("order", token => OrderAsync(operation, package, token), token => TakeBackAsync(operation, token)),
            new("trial", async _ => ModuleOrders.Standing(await orders.FindAsync(IdOf(operation)), operation)),
            new("heartbeat", _ => Task.FromResult(Heartbeat(operation, package))),
        ];
    }

    public Task ConcludeAsync(Operation operation, OperationEnd end, CancellationToken cancellationToken) => Task.CompletedTask;

    StepOutcome Check(Operation operation)
    {
        if (nodes.Current.Find(operation.NodeId ?? default) is not { } node) return new StepOutcome.Failed($"{operation.Node} is gone: it was removed from the appliance");
        return InstallModule.NoAgent(node) is { } obstacle ? new StepOutcome.Failed(obstacle) : new StepOutcome.Done($"{node.Name} runs agent {node.AgentVersion}");
    }

    async Task<StepOutcome> OrderAsync(Operation operation, ModuleOrder package, CancellationToken cancellationToken)
    {
        var (id, node) = (IdOf(operation), operation.NodeId ?? throw new InvalidOperationException("an update is about a node"));
        var order = await orders.PlaceAsync(new()
        {
            Id = id, NodeId = node, Node = operation.Node ?? node.ToString(), OperationId = operation.Id, Expires = time.GetUtcNow() + Lifetime,
            Document = new() { Id = id, NodeId = node.ToString(), Kind = OrderKinds.UpdateAgent, Module = package },
        }, cancellationToken);
        return order.State == OrderState.Lost ? new StepOutcome.Failed(order.Message!) : new StepOutcome.Done($"ordered {operation.Node}'s agent");
    }

    /// <summary>An agent that has the order brings it to its end, the one or the other.</summary>
    async Task<StepOutcome> TakeBackAsync(Operation operation, CancellationToken cancellationToken) => (await orders.WithdrawAsync(IdOf(operation), cancellationToken))?.State switch
    {
        OrderState.Open => new StepOutcome.NotYet(LookAgain, $"{operation.Node}'s agent is at it"),
        null or OrderState.Withdrawn or OrderState.Failed or OrderState.Lost or OrderState.Succeeded => new StepOutcome.Done(),
    };

    StepOutcome Heartbeat(Operation operation, ModuleOrder package)
    {
        if (nodes.Current.Find(operation.NodeId ?? default) is not { } node) return new StepOutcome.Failed($"{operation.Node} is gone: it was removed from the appliance");
        if (node.AgentVersion == package.Version) return new StepOutcome.Done($"{node.Name} runs agent {package.Version}");
        return time.GetUtcNow() - operation.Started > Lifetime + Lifetime
            ? new StepOutcome.Failed($"{node.Name} still runs agent {node.AgentVersion}")
            : new StepOutcome.NotYet(LookAgain, $"{node.Name}'s heartbeats come from agent {node.AgentVersion}");
    }

    static string IdOf(Operation operation) => $"{operation.Id:N}";
}

[JsonSerializable(typeof(ModuleOrder))]
sealed partial class UpdateAgentJson : JsonSerializerContext;
