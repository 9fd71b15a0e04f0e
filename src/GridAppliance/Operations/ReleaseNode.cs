using System.Text.Json;
using System.Text.Json.Serialization;
using GridAppliance.Api.Agents;
using GridAppliance.Boot.Files;
using GridAppliance.Nodes;

namespace GridAppliance.Operations;

/// <summary>
/// A node gives back what was written to its disk: it boots the tiny image, the disk is wiped and read back, and only then is the record of it gone and the node idle. There is no way back; one that fails or is cancelled leaves the
/// node failed, with the record, to be released again.
/// </summary>
sealed class ReleaseNode(NodeDirectory nodes, ImageSteps images, DiskOrders orders) : IOperationKind
{
    public const string KindName = "node-release";

    public string Name => KindName;

    public static NewOperation For(Node node, bool full, string actor) => new(KindName, JsonSerializer.Serialize(new(full), ReleaseNodeJson.Default.ReleaseNodeInput))
    {
        NodeId = node.Id, Node = node.Name, Subject = node.Disk?.Name, Key = $"{KindName}:{node.Id}", StartedBy = actor,
    };

    /// <summary>Why this node has nothing to give back now, or null.</summary>
    public static string? Refusal(Node node) =>
        node.Disk is null ? $"{node.Name} has nothing on a disk that was written here"
        : node.State is NodeState.Active or NodeState.Failed or NodeState.Releasing ? node.AgentKey.IsEmpty ? $"{node.Name} has no agent" : null
        : $"{node.Name} is {node.State.ToString().ToLowerInvariant()}";

    public IReadOnlyList<Step> StepsFor(Operation operation)
    {
        var input = JsonSerializer.Deserialize(operation.Input, ReleaseNodeJson.Default.ReleaseNodeInput)!;
        return
        [
            new("release", token => ReleaseAsync(operation, token)),
            .. images.For(operation, RootImage.Tiny, null).Select(step => step with { Undo = null }),
            new("wipe", token => WipeAsync(operation, input.Full, token)),
            new("idle", token => IdleAsync(operation, input.Full, token)),
        ];
    }

    public async Task ConcludeAsync(Operation operation, OperationEnd end, CancellationToken cancellationToken)
    {
        if (end is not OperationEnd.Done && Find(operation) is { Disk: { } disk, State: NodeState.Releasing } node)
            await nodes.ApplyAsync(node.Id, NodeEvent.Fail, InstallDisk.Left(node, disk, end.ReasonOrNull), "appliance", null, cancellationToken);
    }

    async Task<StepOutcome> ReleaseAsync(Operation operation, CancellationToken cancellationToken)
    {
        if (Find(operation) is not { } node) return Gone(operation);
        if (node.State == NodeState.Releasing) return new StepOutcome.Done();
        return await nodes.ApplyAsync(node.Id, NodeEvent.Release, $"{node.Name} is released: its disk {node.Disk?.Name} is wiped", operation.StartedBy, null, cancellationToken) is null
            ? new StepOutcome.Failed($"{node.Name} is {node.State.ToString().ToLowerInvariant()}") : new StepOutcome.Done();
    }

    async Task<StepOutcome> WipeAsync(Operation operation, bool full, CancellationToken cancellationToken)
    {
        if (Find(operation) is not { } node) return Gone(operation);
        return node.Disk is not { } disk ? new StepOutcome.Done()
            : await orders.RunAsync(operation, "wipe", OrderKinds.WipeDisk, order => order with { Disk = disk.ToOrder() with { Full = full } }, cancellationToken);
    }

    async Task<StepOutcome> IdleAsync(Operation operation, bool full, CancellationToken cancellationToken)
    {
        await nodes.ApplyAsync(operation.NodeId!.Value, NodeEvent.Released, $"{operation.Node} is idle: its disk is wiped ({(full ? "every octet" : "quick")}) and was read back", "appliance", latest => latest with { Disk = null }, cancellationToken);
        return new StepOutcome.Done($"{operation.Node} is idle");
    }

    Node? Find(Operation operation) => nodes.Current.Find(operation.NodeId ?? default);

    static StepOutcome.Failed Gone(Operation operation) => new($"{operation.Node} is gone: it was removed from the appliance");
}

/// <param name="Full">Every octet.</param>
sealed record ReleaseNodeInput(bool Full);

[JsonSerializable(typeof(ReleaseNodeInput))]
sealed partial class ReleaseNodeJson : JsonSerializerContext;
