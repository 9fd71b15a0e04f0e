namespace GridAppliance.Operations;

/// <summary>What is next for an operation. Start, resume and recover are the same question.</summary>
abstract record OperationPosition
{
    OperationPosition() { }

    /// <summary>Nothing has happened yet, not even to its first step.</summary>
    public sealed record Begin : OperationPosition;

    public sealed record Run(Step Step) : OperationPosition;

    /// <param name="End">How the operation will have ended once everything is taken back.</param>
    public sealed record Undo(Step Step, OperationEnd End) : OperationPosition;

    /// <summary>All is done, or taken back: the kind has a last word, then it is over.</summary>
    public sealed record Conclude(OperationEnd End) : OperationPosition;

    public sealed record Ended(OperationEnd End) : OperationPosition;

    /// <summary>
    /// Pure. A failed step turns the operation round: what is done is taken back in reverse. A cancellation does the same and counts the step that was next as begun,
    /// since nobody knows how far it came. Steps that the journal knows and the definition does not (an older daemon's) are passed over.
    /// </summary>
    public static OperationPosition From(IReadOnlyList<Step> steps, IReadOnlyList<JournalEntry> journal)
    {
        var traces = new Trace[steps.Count];
        OperationEnd? turned = null;
        bool begun = false, ended = false;
        foreach (var entry in journal)
        {
            var index = IndexOf(steps, entry.Step);
            switch (entry.Mark)
            {
                case JournalMark.Begun:
                    begun = true;
                    break;
                case JournalMark.StepDone:
                    if (index >= 0) traces[index] = Trace.ToUndo;
                    break;
                case JournalMark.StepFailed:
                    turned ??= new OperationEnd.Failed(entry.Detail ?? "no reason given");
                    if (index >= 0) traces[index] = Trace.None;
                    break;
                case JournalMark.CancelAsked:
                    var next = Array.IndexOf(traces, Trace.None);
                    // Too late to cancel, or turned round already: then it changes nothing.
                    if (turned is not null || next < 0) break;
                    turned = new OperationEnd.Cancelled(entry.Detail ?? "no reason given");
                    if (begun) traces[next] = Trace.ToUndo;
                    break;
                case JournalMark.StepUndone or JournalMark.UndoFailed:
                    if (index >= 0) traces[index] = Trace.Undone;
                    break;
                case JournalMark.Ended:
                    ended = true;
                    break;
            }
        }
        if (ended) return new Ended(turned ?? new OperationEnd.Done());
        return turned is null ? Forward(steps, traces, begun) : Backward(steps, traces, turned);
    }

    static OperationPosition Forward(IReadOnlyList<Step> steps, Trace[] traces, bool begun)
    {
        if (!begun) return new Begin();
        var next = Array.IndexOf(traces, Trace.None);
        return next < 0 ? new Conclude(new OperationEnd.Done()) : new Run(steps[next]);
    }

    static OperationPosition Backward(IReadOnlyList<Step> steps, Trace[] traces, OperationEnd end)
    {
        for (var i = steps.Count - 1; i >= 0; i--)
            if (traces[i] == Trace.ToUndo && steps[i].Undo is not null) return new Undo(steps[i], end);
        return new Conclude(end);
    }

    static int IndexOf(IReadOnlyList<Step> steps, string? name)
    {
        for (var i = 0; i < steps.Count; i++)
            if (steps[i].Name == name) return i;
        return -1;
    }

    /// <summary>What a step has left behind, as far as the journal tells.</summary>
    enum Trace { None, ToUndo, Undone }
}
