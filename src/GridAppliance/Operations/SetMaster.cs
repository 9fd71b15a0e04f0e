using System.Text.Json;
using System.Text.Json.Serialization;
using GridAppliance.Agents;
using GridAppliance.Nodes;
using GridAppliance.Resources;

namespace GridAppliance.Operations;

/// <summary>Gives a node's manager another master: written down, then told to the node, to its new master and to the one before, each of whom confirms.</summary>
sealed class SetMaster(NodeDirectory nodes, ManagerRelations relations) : IOperationKind
{
    public const string KindName = "set-master";

    static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(10);

    /// <summary>Masters of masters; a chain that is longer is somebody's mistake.</summary>
    const int LongestChain = 16;

    public string Name => KindName;

    public static NewOperation For(Node node, Node? master, string actor) =>
        new(KindName, JsonSerializer.Serialize(new(node.Id, master is null ? null : new(master.Id, master.Name), node.Master), SetMasterJson.Default.SetMasterInput))
        {
            NodeId = node.Id, Node = node.Name, Subject = master?.Name, Key = $"{KindName}:{node.Id}:{master?.Id}", StartedBy = actor,
        };

    /// <summary>Why this cannot be, or null.</summary>
    public static string? Refusal(NodeSnapshot snapshot, Node node, Guid? master)
    {
        if (InstallModule.NoAgent(node) is { } obstacle) return obstacle;
        var above = master is { } id ? snapshot.Find(id) : null;
        if (above is not null && InstallModule.NoAgent(above) is { } reason) return reason;
        for (var steps = 0; above is not null; steps++)
        {
            if (above.Id == node.Id) return $"{node.Name} would be its own master";
            if (steps == LongestChain) return $"there would be more than {LongestChain} masters above {node.Name}";
            above = above.Master is { } next ? snapshot.Find(next.Id) : null;
        }
        return null;
    }

    public IReadOnlyList<Step> StepsFor(Operation operation)
    {
        var input = JsonSerializer.Deserialize(operation.Input, SetMasterJson.Default.SetMasterInput)!;
        return
        [
            new("check", _ => Task.FromResult(Check(input))),
            new("relate", token => RelateAsync(operation, input, input.Master, "", token), token => RelateAsync(operation, input, input.Before, "-undo", token)),
        ];
    }

    public Task ConcludeAsync(Operation operation, OperationEnd end, CancellationToken cancellationToken) => Task.CompletedTask;

    StepOutcome Check(SetMasterInput input)
    {
        if (nodes.Current.Find(input.NodeId) is not { } node) return new StepOutcome.Failed("the node is gone: it was removed from the appliance");
        if (input.Master is { } master && nodes.Current.Find(master.Id) is null) return new StepOutcome.Failed($"{master.Name} is gone: it was removed from the appliance");
        return Refusal(nodes.Current, node, input.Master?.Id) is { } refusal ? new StepOutcome.Failed(refusal) : new StepOutcome.Done();
    }

    /// <summary>Done once everybody whom it concerns has confirmed, or is gone.</summary>
    async Task<StepOutcome> RelateAsync(Operation operation, SetMasterInput input, NodeReference? master, string suffix, CancellationToken cancellationToken)
    {
        Guid[] concerned = [input.NodeId, .. new[] { input.Master, input.Before }.OfType<NodeReference>().Select(one => one.Id).Distinct()];
        if (nodes.Current.Find(input.NodeId) is { } now && now.Master != master)
        {
            await nodes.ChangeAsync(input.NodeId, node => node.Master == master ? null
                : (node with { Master = master, RelationVersion = node.RelationVersion + 1 }, [NewEvent.About(node, "node.master", master is null ? "has no master any more" : $"{master.Name} is its master") with { Actor = operation.StartedBy }]), cancellationToken);
        }
        foreach (var id in concerned)
        {
            var order = $"{operation.Id:N}{suffix}-{id:N}";
            // The others' relation changed with the node's: once for this operation, which the order's existence tells.
            if (await relations.TellAsync(order, id, operation.Id, bump: id != input.NodeId, cancellationToken) is not { } told) continue;
            switch (told.State)
            {
                case OrderState.Open: return new StepOutcome.NotYet(LookAgain, $"{told.Node}'s agent has not confirmed it yet");
                case OrderState.Failed or OrderState.Lost or OrderState.Withdrawn when suffix.Length == 0: return new StepOutcome.Failed($"{told.Node}: {told.Message}");
                // On the way back: a node that does not answer now is told with its next heartbeat.
                case OrderState.Failed or OrderState.Lost or OrderState.Withdrawn or OrderState.Succeeded: break;
            }
        }
        return new StepOutcome.Done(master is null ? "it has no master" : $"{master.Name} is its master, and all have confirmed it");
    }
}

/// <param name="Before">Its master before, for the way back.</param>
sealed record SetMasterInput(Guid NodeId, NodeReference? Master, NodeReference? Before);

[JsonSerializable(typeof(SetMasterInput))]
sealed partial class SetMasterJson : JsonSerializerContext;
