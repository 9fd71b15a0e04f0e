namespace GridAppliance.Api.Nodes;

/// <summary>One thing that happened; node is null for the appliance's own events.</summary>
public sealed record EventDocument
{
    /// <summary>Ever growing over the whole appliance; resume an event stream after it (<c>?after=</c> or Last-Event-ID).</summary>
    public required long Sequence { get; init; }
    public required DateTimeOffset At { get; init; }
    public string? Node { get; init; }
    /// <summary>Dotted and stable, such as <c>dhcp.discover</c>, <c>boot.kernel</c>, <c>agent.enrolled</c>, <c>state.idle</c>.</summary>
    public required string Kind { get; init; }
    /// <summary>One sentence for people.</summary>
    public required string Message { get; init; }
    /// <summary>info, warning or error.</summary>
    public string Severity { get; init; } = "info";
    /// <summary>Who caused it: <c>appliance</c>, <c>node</c>, or a user as the kernel or a token named them.</summary>
    public string? Actor { get; init; }
    /// <summary>Milliseconds the appliance itself spent between a request's arrival and its answer.</summary>
    public double? ApplianceMs { get; init; }
    /// <summary>Seconds since the boot that this event belongs to began.</summary>
    public double? SinceBootSeconds { get; init; }
}

/// <summary>A node's history, oldest first, and the sum of what the appliance itself took of its last boot.</summary>
public sealed record TimelineDocument
{
    public required string Node { get; init; }
    public required IReadOnlyList<EventDocument> Events { get; init; }
    public double LastBootApplianceMs { get; init; }
    /// <summary>From the last boot's first DISCOVER to idle; null while it is under way.</summary>
    public double? LastBootSeconds { get; init; }
}

/// <summary>The answer to "why is this node not ready": what is wrong, what to do, and on what evidence.</summary>
public sealed record WhyDocument
{
    public required string Node { get; init; }
    public required string State { get; init; }
    /// <summary>True when nothing is wrong.</summary>
    public required bool Ok { get; init; }
    /// <summary>One sentence.</summary>
    public required string Reason { get; init; }
    /// <summary>One sentence that starts with a verb; null when there is nothing to do.</summary>
    public string? NextStep { get; init; }
    public IReadOnlyList<EventDocument> Evidence { get; init; } = [];
}
