using System.Threading.Channels;
using GridAppliance.Api.Operations;
using GridAppliance.Store;

namespace GridAppliance.Operations;

/// <summary>
/// Runs every unfinished operation: those that it finds at start from where their journals stand, and new ones from the beginning, which is the same thing.
/// Waiting costs a line in a timetable, not a task; one timer serves all.
/// </summary>
sealed partial class OperationRunner : BackgroundService
{
    /// <summary>Operations that act at one moment. Further ones that are due wait their turn: the store and the network are what is slow, not the processors.</summary>
    public const int AtOnce = 32;

    /// <summary>Unfinished operations on one node, the one under way included; past it a new one is refused.</summary>
    public const int QueueOfNode = 16;

    static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(500);
    static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(1);

    readonly OperationJournal journal;
    readonly OperationRegistry kinds;
    readonly TimeProvider time;
    readonly ILogger<OperationRunner> logger;
    readonly OperationWorker worker;
    readonly Lock gate = new();
    readonly OperationTurns turns = new();
    // A signal, not a queue: being woken once for many reasons is enough.
    readonly Channel<bool> wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite });
    int acting;

    public OperationRunner(OperationJournal journal, OperationRegistry kinds, OperationPokes pokes, TimeProvider time, ILogger<OperationRunner> logger)
    {
        (this.journal, this.kinds, this.time, this.logger) = (journal, kinds, time, logger);
        worker = new(kinds, time);
        pokes.Poked += Poke;
    }

    /// <summary>Told after an operation's end is durable.</summary>
    public event Action<Operation, OperationEnd>? Ended;

    /// <summary>Unfinished operations.</summary>
    public int Count { get { lock (gate) return turns.Count; } }

    /// <summary>Makes an operation durable and sets it going. One with the key of an unfinished operation is that operation.</summary>
    /// <exception cref="StoreException">Nothing was started.</exception>
    public async Task<Submission> SubmitAsync(NewOperation wanted, CancellationToken cancellationToken)
    {
        if (kinds.Find(wanted.Kind) is null) throw new ArgumentException($"no operation is called {wanted.Kind}", nameof(wanted));
        lock (gate)
        {
            if (wanted.NodeId is { } node && turns.OnNode(node).Count >= QueueOfNode && FindByKey(wanted.Key) is null)
                return new Submission.Refused($"{wanted.Node} has {QueueOfNode} operations waiting already; let some of them end, or cancel them");
        }
        var (operation, isNew) = await journal.CreateAsync(wanted, cancellationToken);
        if (isNew)
        {
            lock (gate) turns.Add(new(new(operation, []), TakesTurns(operation)), time.GetUtcNow());
            Wake();
        }
        return new Submission.Accepted(operation, isNew);
    }

    /// <summary>Asks an operation to take back what it did. Returns once that wish is durable.</summary>
    public async Task<Cancellation> CancelAsync(Guid id, string actor, string? reason, CancellationToken cancellationToken)
    {
        LiveOperation? live;
        lock (gate) live = turns.Find(id);
        if (live is null) return journal.Find(id) is null ? Cancellation.NoSuchOperation : Cancellation.AlreadyEnded;
        if (OperationPosition.From(kinds.StepsFor(live.Operation), live.Journal) is not (OperationPosition.Begin or OperationPosition.Run))
            return Cancellation.TooLate;
        await AppendAsync(live, JournalMark.CancelAsked, null, reason is null ? $"cancelled by {actor}" : $"cancelled by {actor}: {reason}", null, cancellationToken);
        await live.TurnRound.CancelAsync();
        Poke(id);
        return Cancellation.Asked;
    }

    /// <summary>Something that it waits for may have come.</summary>
    public void Poke(Guid id)
    {
        lock (gate)
        {
            if (turns.Find(id) is not { } live) return;
            if (live.Running is not null) live.PokedMeanwhile = true;
            else turns.Schedule(live, time.GetUtcNow());
        }
        Wake();
    }

    /// <summary>The unfinished operations on a node, the one whose turn it is first.</summary>
    public IReadOnlyList<Operation> UnfinishedOn(Guid nodeId)
    {
        lock (gate) return [.. turns.OnNode(nodeId).Select(static live => live.Operation)];
    }

    /// <summary>Whether it has been cancelled, or takes back what it did for another reason.</summary>
    public bool IsTurned(Guid id)
    {
        lock (gate) return turns.Find(id) is { } live && OperationPosition.From(kinds.StepsFor(live.Operation), live.Journal) is not (OperationPosition.Begin or OperationPosition.Run);
    }

    /// <summary>Completes with the operation's end; for callers that have somebody waiting.</summary>
    public async Task<OperationEnd?> EndAsync(Guid id, CancellationToken cancellationToken)
    {
        LiveOperation? live;
        lock (gate) live = turns.Find(id);
        if (live is not null) return await live.Ended.Task.WaitAsync(cancellationToken);
        return journal.Find(id) is { } stored && OperationPosition.From(kinds.StepsFor(stored.Operation), stored.Journal) is OperationPosition.Ended ended ? ended.End : null;
    }

    public OperationDocument? Find(Guid id)
    {
        lock (gate)
        {
            if (turns.Find(id) is { } live) return Describe(live);
        }
        return journal.Find(id) is { } stored ? OperationDocuments.From(kinds, stored.Operation, stored.Journal, null) : null;
    }

    /// <summary>The newest operations, newest first; of one node where one is given.</summary>
    public IReadOnlyList<OperationDocument> List(Guid? nodeId, int limit)
    {
        var stored = journal.Newest(nodeId, limit);
        lock (gate) return [.. stored.Select(one => turns.Find(one.Operation.Id) is { } live ? Describe(live) : OperationDocuments.From(kinds, one.Operation, one.Journal, null))];
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        var unfinished = await journal.LoadUnfinishedAsync(cancellationToken);
        lock (gate)
        {
            foreach (var stored in unfinished) turns.Add(new(stored, TakesTurns(stored.Operation)), time.GetUtcNow());
        }
        if (unfinished.Count > 0) LogResuming(unfinished.Count);
        Wake();
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var timer = time.CreateTimer(_ => Wake(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        try
        {
            while (await wake.Reader.WaitToReadAsync(stoppingToken))
            {
                wake.Reader.TryRead(out _);
                if (LaunchDue(stoppingToken) is { } next)
                {
                    var wait = next - time.GetUtcNow();
                    timer.Change(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping: what runs is let go below.
        }
        Task[] running;
        lock (gate) running = [.. turns.All.Select(live => live.Running).OfType<Task>()];
        await Task.WhenAll(running);
    }

    /// <summary>Sets going what is due; returns when to look again, or null when something else will wake us first.</summary>
    DateTimeOffset? LaunchDue(CancellationToken stoppingToken)
    {
        lock (gate)
        {
            var now = time.GetUtcNow();
            while (acting < AtOnce && turns.TakeDue(now) is { } live)
            {
                acting++;
                live.PokedMeanwhile = false;
                live.Running = Task.Run(() => RunAsync(live, stoppingToken), CancellationToken.None);
            }
            return acting < AtOnce ? turns.NextDue : null;
        }
    }

    /// <summary>Takes one operation as far as it goes and puts it back on the timetable. Never throws: this is the loop at which a step's exception ends.</summary>
    async Task RunAsync(LiveOperation live, CancellationToken stoppingToken)
    {
        Advance? advance = null;
        Exception? failure = null;
        try
        {
            advance = await worker.AdvanceAsync(live.Operation, () => live.Journal, (mark, step, detail, end, token) => AppendAsync(live, mark, step, detail, end, token), live.TurnRound.Token, stoppingToken);
        }
        catch (Exception e)
        {
            failure = e;
        }
        lock (gate)
        {
            acting--;
            live.Running = null;
            Settle(live, advance, failure, stoppingToken);
        }
        if (advance is Advance.Over over)
        {
            Ended?.Invoke(live.Operation, over.End);
            live.Ended.TrySetResult(over.End);
        }
        Wake();
    }

    void Settle(LiveOperation live, Advance? advance, Exception? failure, CancellationToken stoppingToken)
    {
        var now = time.GetUtcNow();
        switch (advance)
        {
            case Advance.Over:
                turns.Remove(live, now);
                break;
            case Advance.Waiting waiting:
                (live.Waiting, live.Failures) = (waiting.Why, 0);
                turns.Schedule(live, live.PokedMeanwhile ? now : now + waiting.RetryAfter);
                break;
            default:
                if (stoppingToken.IsCancellationRequested) break;
                // A step that was cut short by a cancellation did not fail; its operation turns round at once.
                var cut = failure is OperationCanceledException && live.CancelAsked && !live.HasTurned;
                live.HasTurned |= cut;
                var delay = cut ? TimeSpan.Zero : Backoff(live.Failures++);
                live.Waiting = cut ? null : $"{failure!.Message}; trying again in {delay.TotalSeconds:0.#} s";
                if (!cut) LogFailure(live.Operation.Title, live.Failures, delay, failure!);
                turns.Schedule(live, now + delay);
                break;
        }
    }

    static TimeSpan Backoff(int failures)
    {
        var delay = FirstRetry * Math.Pow(2, Math.Min(failures, 10));
        return delay < LongestRetry ? delay : LongestRetry;
    }

    Task AppendAsync(LiveOperation live, JournalMark mark, string? step, string? detail, OperationEnd? end, CancellationToken cancellationToken)
    {
        live.Waiting = null;
        return journal.AppendAsync(live.Operation, new(mark, step, detail, time.GetUtcNow()), end, live.Added, cancellationToken);
    }

    OperationDocument Describe(LiveOperation live) => OperationDocuments.From(kinds, live.Operation, live.Journal,
        turns.Ahead(live) is { } ahead ? $"{live.Operation.Node} is busy with {ahead.Operation.Title}; this begins when that has ended" : live.Waiting);

    bool TakesTurns(Operation operation) => kinds.Find(operation.Kind)?.TakesTurns ?? true;

    LiveOperation? FindByKey(string? key) => key is null ? null : turns.All.FirstOrDefault(live => live.Operation.Key == key);

    // Full means that the loop is awake already, or about to be.
    void Wake() => wake.Writer.TryWrite(true);

    [LoggerMessage(LogLevel.Information, "resuming {Count} unfinished operations")]
    partial void LogResuming(int count);

    [LoggerMessage(LogLevel.Warning, "{Title}: attempt {Attempt} did not work, trying again in {Delay}")]
    partial void LogFailure(string title, int attempt, TimeSpan delay, Exception failure);
}

/// <summary>What became of a wish for an operation.</summary>
abstract record Submission
{
    Submission() { }

    /// <param name="IsNew">False when an unfinished operation with the same key was found instead.</param>
    public sealed record Accepted(Operation Operation, bool IsNew) : Submission;

    public sealed record Refused(string Reason) : Submission;
}

enum Cancellation
{
    Asked,
    NoSuchOperation,
    AlreadyEnded,
    /// <summary>Everything is done, or being taken back already.</summary>
    TooLate,
}
