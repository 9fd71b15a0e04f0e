namespace GridAppliance.Api.Nodes;

/// <summary><c>POST /api/v1/nodes/approve</c>, <c>…/hold</c>, <c>…/release-hold</c>, <c>…/retry</c>, <c>…/retire</c>, <c>…/revive</c>, <c>…/remove</c>: a noderange. The same verbs stand under one node's address, with an empty body.</summary>
public sealed record NodeChangeRequest
{
    public required string Range { get; init; }
    /// <summary>Why, for the timeline; asked for with a hold.</summary>
    public string? Reason { get; init; }
    /// <summary>Say what would be done, and do nothing.</summary>
    public bool DryRun { get; init; }
}

/// <summary>What a person can decide about a node.</summary>
public sealed record NodeChange
{
    NodeChange(string verb) => Verb = verb;

    /// <summary>As it stands in the address.</summary>
    public string Verb { get; }

    /// <summary>Let a node that policy holds back join.</summary>
    public static NodeChange Approve { get; } = new("approve");
    /// <summary>Keep a node out until it is approved or released.</summary>
    public static NodeChange Hold { get; } = new("hold");
    public static NodeChange ReleaseHold { get; } = new("release-hold");
    /// <summary>Let a failed node begin again.</summary>
    public static NodeChange Retry { get; } = new("retry");
    /// <summary>Take a node out of use.</summary>
    public static NodeChange Retire { get; } = new("retire");
    public static NodeChange Revive { get; } = new("revive");
    /// <summary>Forget a node for good.</summary>
    public static NodeChange Remove { get; } = new("remove");
}
