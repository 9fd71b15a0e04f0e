namespace GridAppliance.Operations;

/// <summary>Adds a line to an operation's journal; returns when it is durable.</summary>
delegate Task JournalAppend(JournalMark mark, string? step, string? detail, OperationEnd? end, CancellationToken cancellationToken);

/// <summary>Takes one operation as far as it goes now: asks where it stands, acts, writes that down, and asks again.</summary>
sealed class OperationWorker(OperationRegistry kinds, TimeProvider time)
{
    /// <summary>A step that takes longer is cut short and tried again: whatever is slow by nature answers <see cref="StepOutcome.NotYet"/>.</summary>
    static readonly TimeSpan LongestStep = TimeSpan.FromMinutes(2);

    /// <param name="operation">What to take further.</param>
    /// <param name="journal">What its journal says now; read anew before every step.</param>
    /// <param name="append">Writes one line.</param>
    /// <param name="turnRound">Cuts a step short when a person cancels, so that the taking back begins at once.</param>
    /// <param name="cancellationToken">The daemon stops.</param>
    /// <returns>The end, or the wait that it came to.</returns>
    /// <exception cref="Exception">A step, its undo or the journal threw: to be tried again later, from the same position.</exception>
    public async Task<Advance> AdvanceAsync(
        Operation operation, Func<IReadOnlyList<JournalEntry>> journal, JournalAppend append, CancellationToken turnRound, CancellationToken cancellationToken)
    {
        var steps = kinds.StepsFor(operation);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            switch (OperationPosition.From(steps, journal()))
            {
                case OperationPosition.Begin:
                    await append(JournalMark.Begun, null, null, null, cancellationToken);
                    break;
                case OperationPosition.Run { Step: var step }:
                    switch (await ActAsync(step.Do, turnRound, cancellationToken))
                    {
                        case StepOutcome.Done done: await append(JournalMark.StepDone, step.Name, done.Detail, null, cancellationToken); break;
                        case StepOutcome.Failed failed: await append(JournalMark.StepFailed, step.Name, failed.Reason, null, cancellationToken); break;
                        case StepOutcome.NotYet wait: return new Advance.Waiting(wait.RetryAfter, wait.Why);
                    }
                    break;
                case OperationPosition.Undo { Step: var step }:
                    switch (await ActAsync(step.Undo!, CancellationToken.None, cancellationToken))
                    {
                        case StepOutcome.Done done: await append(JournalMark.StepUndone, step.Name, done.Detail, null, cancellationToken); break;
                        case StepOutcome.Failed failed: await append(JournalMark.UndoFailed, step.Name, failed.Reason, null, cancellationToken); break;
                        case StepOutcome.NotYet wait: return new Advance.Waiting(wait.RetryAfter, $"taking back {step.Name}: {wait.Why}");
                    }
                    break;
                case OperationPosition.Conclude { End: var end }:
                    if (kinds.Find(operation.Kind) is { } kind) await kind.ConcludeAsync(operation, end, cancellationToken);
                    await append(JournalMark.Ended, null, end.ReasonOrNull, end, cancellationToken);
                    break;
                case OperationPosition.Ended { End: var end }:
                    return new Advance.Over(end);
            }
        }
    }

    async Task<StepOutcome> ActAsync(StepAction action, CancellationToken turnRound, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(LongestStep, time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, turnRound, cancellationToken);
        try
        {
            return await action(any.Token);
        }
        catch (OperationCanceledException e) when (limit.IsCancellationRequested && !turnRound.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"it took longer than {LongestStep.TotalMinutes:0} minutes", e);
        }
    }
}

/// <summary>How far an operation came.</summary>
abstract record Advance
{
    Advance() { }

    public sealed record Waiting(TimeSpan RetryAfter, string Why) : Advance;

    public sealed record Over(OperationEnd End) : Advance;
}
