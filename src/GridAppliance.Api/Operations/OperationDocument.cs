namespace GridAppliance.Api.Operations;

/// <summary>A durable piece of work (<c>GET /api/v1/operations/{id}</c>).</summary>
public sealed record OperationDocument
{
    public required string Id { get; init; }
    /// <summary>enroll, module-install, module-remove …</summary>
    public required string Kind { get; init; }
    public string? Node { get; init; }
    /// <summary>What it is about beside the node: a module's name, for example.</summary>
    public string? Subject { get; init; }
    /// <summary>running, undoing, done, failed or cancelled.</summary>
    public required string State { get; init; }
    public required DateTimeOffset Started { get; init; }
    public DateTimeOffset? Finished { get; init; }
    public string? StartedBy { get; init; }
    /// <summary>Why it failed, or what it waits for.</summary>
    public string? Reason { get; init; }
    public required IReadOnlyList<StepDocument> Steps { get; init; }
}

public sealed record StepDocument
{
    public required string Name { get; init; }
    /// <summary>pending, running, done, failed or undone.</summary>
    public required string State { get; init; }
    public DateTimeOffset? At { get; init; }
    public string? Detail { get; init; }
}
