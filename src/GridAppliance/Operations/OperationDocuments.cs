using GridAppliance.Api.Operations;

namespace GridAppliance.Operations;

/// <summary>Operations as the management plane shows them: pure.</summary>
static class OperationDocuments
{
    /// <param name="kinds">For the steps.</param>
    /// <param name="operation">What it is.</param>
    /// <param name="journal">What became of it.</param>
    /// <param name="waiting">What it waits for, where it does.</param>
    public static OperationDocument From(OperationRegistry kinds, Operation operation, IReadOnlyList<JournalEntry> journal, string? waiting)
    {
        var steps = kinds.StepsFor(operation);
        var position = OperationPosition.From(steps, journal);
        return new()
        {
            Id = operation.Id.ToString(),
            Kind = operation.Kind,
            Node = operation.Node,
            Subject = operation.Subject,
            State = position switch
            {
                OperationPosition.Ended ended => ended.End.Word,
                OperationPosition.Undo or OperationPosition.Conclude { End: not OperationEnd.Done } => "undoing",
                _ => "running",
            },
            Started = operation.Started,
            Finished = position is OperationPosition.Ended ? journal[^1].At : null,
            StartedBy = operation.StartedBy,
            Reason = position switch
            {
                OperationPosition.Ended ended => ended.End.ReasonOrNull,
                OperationPosition.Undo undo => waiting ?? undo.End.ReasonOrNull,
                _ => waiting,
            },
            Steps = [.. steps.Select(step => Describe(step, position, journal))],
        };
    }

    static StepDocument Describe(Step step, OperationPosition position, IReadOnlyList<JournalEntry> journal)
    {
        var current = position is OperationPosition.Run run && run.Step.Name == step.Name;
        if (!journal.Any(entry => entry.Step == step.Name)) return new() { Name = step.Name, State = current ? "running" : "pending" };
        var last = journal.Last(entry => entry.Step == step.Name);
        return new()
        {
            Name = step.Name,
            State = last.Mark switch
            {
                JournalMark.StepDone => "done",
                JournalMark.StepUndone => "undone",
                JournalMark.StepFailed or JournalMark.UndoFailed => "failed",
                JournalMark.Begun or JournalMark.CancelAsked or JournalMark.Ended => "pending",
            },
            At = last.At,
            Detail = last.Detail,
        };
    }
}
