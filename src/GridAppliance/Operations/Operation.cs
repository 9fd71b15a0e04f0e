namespace GridAppliance.Operations;

/// <summary>What somebody wants done, before it has an identity.</summary>
/// <param name="Kind">Key of the <see cref="OperationRegistry"/>.</param>
/// <param name="Input">JSON of the kind's own input record.</param>
sealed record NewOperation(string Kind, string Input)
{
    /// <summary>The node that it works on; operations on one node take turns.</summary>
    public Guid? NodeId { get; init; }
    public string? Node { get; init; }
    /// <summary>What it is about beside the node.</summary>
    public string? Subject { get; init; }
    /// <summary>At most one unfinished operation has a given key: starting it again finds the one under way.</summary>
    public string? Key { get; init; }
    /// <summary>appliance, or a user as the kernel or a token named them.</summary>
    public string StartedBy { get; init; } = "appliance";
}

/// <summary>A durable piece of work. Immutable: what becomes of it stands in its journal.</summary>
sealed record Operation
{
    public required Guid Id { get; init; }
    public required string Kind { get; init; }
    public required string Input { get; init; }
    public Guid? NodeId { get; init; }
    public string? Node { get; init; }
    public string? Subject { get; init; }
    public string? Key { get; init; }
    public required DateTimeOffset Started { get; init; }
    public required string StartedBy { get; init; }

    /// <summary>"module-install of hello on n3": how sentences speak of it.</summary>
    public string Title => (Subject, Node) switch
    {
        (null, null) => Kind,
        (null, _) => $"{Kind} of {Node}",
        (_, null) => $"{Kind} of {Subject}",
        _ => $"{Kind} of {Subject} on {Node}",
    };
}

/// <summary>How an operation ended, or will once what it did is taken back.</summary>
abstract record OperationEnd
{
    OperationEnd() { }

    public sealed record Done : OperationEnd;

    public sealed record Failed(string Reason) : OperationEnd;

    public sealed record Cancelled(string Reason) : OperationEnd;

    public string? ReasonOrNull => this switch { Failed failed => failed.Reason, Cancelled cancelled => cancelled.Reason, _ => null };

    public string Word => this switch { Failed => "failed", Cancelled => "cancelled", _ => "done" };
}

/// <summary>One line of an operation's journal. Lines are only ever added.</summary>
/// <param name="Step">The step that it is about, where it is about one.</param>
/// <param name="Detail">A step's detail, or the reason of a failure or a cancellation.</param>
readonly record struct JournalEntry(JournalMark Mark, string? Step, string? Detail, DateTimeOffset At);

enum JournalMark
{
    /// <summary>Its turn has come: from here on its first step may have acted.</summary>
    Begun,
    StepDone,
    StepFailed,
    CancelAsked,
    StepUndone,
    /// <summary>A step could not be taken back; the ones before it still are.</summary>
    UndoFailed,
    Ended,
}
