using GridAppliance.Api.Agents;

namespace GridAppliance.Agents;

/// <summary>An order as the appliance keeps it.</summary>
sealed record AgentOrder
{
    public required string Id { get; init; }
    public required Guid NodeId { get; init; }
    public required string Node { get; init; }
    /// <summary>Who waits for its end; poked when it has one.</summary>
    public Guid? OperationId { get; init; }
    public required OrderDocument Document { get; init; }
    public required DateTimeOffset Expires { get; init; }
    /// <summary>It may have reached the agent, and may be carried out whatever becomes of it here.</summary>
    public bool Delivered { get; init; }
    public OrderState State { get; init; }
    /// <summary>Why it failed, or what the agent says of it.</summary>
    public string? Message { get; init; }
}

enum OrderState
{
    Open,
    Succeeded,
    /// <summary>The agent answered that it could not, and has left nothing behind.</summary>
    Failed,
    /// <summary>No answer came in its time, or none can come: nobody knows what the agent did.</summary>
    Lost,
    /// <summary>Taken back before any agent saw it.</summary>
    Withdrawn,
}
