using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;

namespace GridAppliance.Nodes;

/// <summary>What a person can decide about a node: its verb, what it comes to, and whether it can be.</summary>
interface INodeDecision
{
    string Verb { get; }
    /// <summary>As in "was retired".</summary>
    string Done { get; }
    string Summary { get; }
    /// <summary>Why it cannot be for this node, or null when it can.</summary>
    string? Refusal(Node node);
    Task<NodeChangeDocument> Apply(NodeDirectory directory, Node node, string? reason, string actor, CancellationToken cancellationToken);
}

/// <summary>A decision that moves a node along its life. What is allowed is the lifecycle's to say.</summary>
sealed record NodeDecision(NodeChange Change, NodeEvent Event, string Done, string Summary) : INodeDecision
{
    public static IReadOnlyList<INodeDecision> All { get; } =
    [
        new NodeDecision(NodeChange.Approve, NodeEvent.Approve, "approved", "Let nodes join that policy holds back") { AlwaysApproves = true },
        new NodeDecision(NodeChange.Hold, NodeEvent.Hold, "held", "Keep nodes out until they are approved"),
        new NodeDecision(NodeChange.ReleaseHold, NodeEvent.Approve, "released", "Take a hold away: the node goes on by policy"),
        new NodeDecision(NodeChange.Retry, NodeEvent.Retry, "set to try again at its next boot", "Let failed nodes begin again"),
        new NodeDecision(NodeChange.Retire, NodeEvent.Retire, "retired", "Take nodes out of use: an address, but no boot"),
        new NodeDecision(NodeChange.Revive, NodeEvent.Revive, "revived", "Take retired nodes back"),
        new NodeRemoval(),
    ];

    public string Verb => Change.Verb;

    /// <summary>A yes is kept for a node that has not been held yet, so that it never is.</summary>
    public bool AlwaysApproves { get; init; }

    public string? Refusal(Node node)
    {
        if (NodeLifecycle.Next(node.State, Event) is not null || KeepsTheYes(node)) return null;
        return AlwaysApproves && node.Approved ? "is approved already" : $"is {node.State.ToString().ToLowerInvariant()}, which cannot be {Done}";
    }

    public async Task<NodeChangeDocument> Apply(NodeDirectory directory, Node node, string? reason, string actor, CancellationToken cancellationToken)
    {
        var message = Tell(node, Done, reason, actor);
        var changed = KeepsTheYes(node)
            ? await directory.ChangeAsync(node.Id, now => KeepsTheYes(now)
                ? (now with { Approved = true }, [NewEvent.About(now, "node.approve", message) with { Actor = actor }])
                : null, cancellationToken)
            : await directory.ApplyAsync(node.Id, Event, message, actor, Also, cancellationToken);
        return changed is null
            ? new() { Node = node.Name, Accepted = false, Message = Refusal(directory.Current.Find(node.Id) ?? node) ?? "changed in the meantime" }
            : new() { Node = node.Name, Accepted = true, Message = Done };
    }

    Node Also(Node node) => AlwaysApproves ? node with { Approved = true } : Event == NodeEvent.Hold ? node with { Approved = false } : node;

    bool KeepsTheYes(Node node) => AlwaysApproves && !node.Approved && node.State is NodeState.Discovered or NodeState.Enrolling;

    /// <summary>For the timeline, with as much of the reason as a line holds.</summary>
    public static string Tell(Node node, string done, string? reason, string actor) => $"{node.Name} was {done} by {actor}{(string.IsNullOrWhiteSpace(reason) ? "" : $": {Bounded(reason)}")}";

    static string Bounded(string reason) => reason.Length <= 200 ? reason : reason[..200] + "…";
}
