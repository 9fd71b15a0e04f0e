namespace GridAppliance.Agent.Updates;

/// <summary>An update of the agent itself that is under way or has failed; kept so that whoever is started next goes on with it.</summary>
sealed record UpdateRecord
{
    public required string OrderId { get; init; }
    public required string Version { get; init; }
    /// <summary>The new program, where it was unpacked.</summary>
    public required string Program { get; init; }
    /// <summary>Milliseconds of the clock that counts from the machine's start: by then it has reported, or it is ended.</summary>
    public required long Deadline { get; init; }
    /// <summary>Why the old agent is back; null while it is not known yet.</summary>
    public string? Failure { get; init; }
    public required string Boot { get; init; }
}

/// <summary>How a trial stands.</summary>
enum TrialEnd { Accepted, Failed }
