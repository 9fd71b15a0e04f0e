using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;

namespace GridAppliance.Nodes;

/// <summary>Forgets nodes that are in nobody's use: machines that were sold, and names that somebody's forged packets made. Its timeline stays, its ports belong to nobody.</summary>
sealed class NodeRemoval : INodeDecision
{
    public string Verb => NodeChange.Remove.Verb;

    public string Done => "removed";

    public string Summary => "Forget nodes for good; one that boots again is a new node";

    public string? Refusal(Node node) => MayGo(node) ? null
        : node.Disk is { } disk ? $"has a system on its disk {disk.Name} that nobody would wipe any more: `gridctl node release {node.Name}`" : $"is {node.State.ToString().ToLowerInvariant()}: retire it first (`gridctl node retire {node.Name}`)";

    public async Task<NodeChangeDocument> Apply(NodeDirectory directory, Node node, string? reason, string actor, CancellationToken cancellationToken) =>
        await directory.RemoveAsync(node.Id, MayGo, NodeDecision.Tell(node, Done, reason, actor), actor, cancellationToken)
            ? new() { Node = node.Name, Accepted = true, Message = Done }
            : new() { Node = node.Name, Accepted = false, Message = directory.Current.Find(node.Id) is { } latest ? Refusal(latest) ?? "changed in the meantime" : "is gone already" };

    /// <summary>An agent that lives, or an operation under way, must not be pulled from under.</summary>
    static bool MayGo(Node node) => node.Disk is null && node.State switch
    {
        NodeState.Discovered or NodeState.Held or NodeState.Failed or NodeState.Retired => true,
        NodeState.Enrolling or NodeState.Idle or NodeState.Assigning or NodeState.Active or NodeState.Releasing => false,
    };
}
