namespace GridAppliance.Operations;

/// <summary>
/// One step of an operation. It looks before it acts, because it may run twice: a daemon that died after the deed and before the journal's word for it does it again.
/// </summary>
/// <param name="Name">Stable: the journal knows steps by name.</param>
/// <param name="Do">Brings the step's end about, or says what it waits for. A thrown exception is no outcome: the step is tried again, later and later.</param>
/// <param name="Undo">Takes the step back, also when <paramref name="Do"/> was never begun or was cut short. Null when there is nothing to take back.</param>
sealed record Step(string Name, StepAction Do, StepAction? Undo = null);

delegate Task<StepOutcome> StepAction(CancellationToken cancellationToken);

abstract record StepOutcome
{
    StepOutcome() { }

    /// <param name="Detail">For the timeline; null when the step's name says it all.</param>
    public sealed record Done(string? Detail = null) : StepOutcome;

    /// <summary>A wait: nothing is pinned meanwhile. The step is asked again after <paramref name="RetryAfter"/>, or when something pokes the operation.</summary>
    public sealed record NotYet(TimeSpan RetryAfter, string Why) : StepOutcome;

    /// <summary>Will not come about, and has left nothing behind that <see cref="Step.Undo"/> would have to clear: the steps before it are taken back.</summary>
    public sealed record Failed(string Reason) : StepOutcome;

    public static Task<StepOutcome> DoneNow(string? detail = null) => Task.FromResult<StepOutcome>(new Done(detail));
}
