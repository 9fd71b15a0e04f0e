using System.Collections.Immutable;

namespace GridAppliance.Operations;

/// <summary>An unfinished operation in memory. Everything but <see cref="Journal"/> is the runner's, under its lock.</summary>
sealed class LiveOperation(JournaledOperation stored, bool takesTurns = true)
{
    ImmutableList<JournalEntry> journal = [.. stored.Journal];

    public Operation Operation { get; } = stored.Operation;

    /// <summary>See <see cref="IOperationKind.TakesTurns"/>.</summary>
    public bool TakesTurns => takesTurns;

    /// <summary>What is durable of it, in the order of the commits.</summary>
    public ImmutableList<JournalEntry> Journal => Volatile.Read(ref journal);

    /// <summary>When to look at it next; meaningless while it runs or has no turn.</summary>
    public DateTimeOffset Due { get; set; }

    /// <summary>The task that takes it further, while there is one.</summary>
    public Task? Running { get; set; }

    /// <summary>Poked while it ran: its next wait is no wait.</summary>
    public bool PokedMeanwhile { get; set; }

    /// <summary>Tries in a row that threw.</summary>
    public int Failures { get; set; }

    /// <summary>What it waits for, for people.</summary>
    public string? Waiting { get; set; }

    /// <summary>Cancelled when a person asks the operation to turn round.</summary>
    public CancellationTokenSource TurnRound { get; } = new();

    /// <summary>It has been cut short once for that; it does not happen again.</summary>
    public bool HasTurned { get; set; }

    public TaskCompletionSource<OperationEnd> Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool HasBegun => Journal.Exists(static entry => entry.Mark == JournalMark.Begun);

    public bool CancelAsked => Journal.Exists(static entry => entry.Mark == JournalMark.CancelAsked);

    public void Added(JournalEntry entry) => ImmutableInterlocked.Update(ref journal, static (lines, added) => lines.Add(added), entry);
}
