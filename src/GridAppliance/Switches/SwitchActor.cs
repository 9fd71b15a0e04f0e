using System.Threading.Channels;
using GridAppliance.Hosting;

namespace GridAppliance.Switches;

/// <param name="Ending">How it ended.</param>
/// <param name="Reason">Why, in words, unless it is done.</param>
/// <param name="Pdus">SET requests that it took, those of others in the same go included.</param>
sealed record ChangeOutcome(ChangeEnding Ending, string? Reason, int Pdus);

/// <summary>Asked before anything is written to a switch.</summary>
interface IWriteGuard
{
    /// <summary>Why the switch is not written to; null when it may be. Fails with a <see cref="DeviceException"/>.</summary>
    Task<string?> RefusalAsync(CancellationToken cancellationToken);

    /// <summary>Now something will be written.</summary>
    Task WritingAsync(CancellationToken cancellationToken);

    /// <summary>A change that had been left half done is over.</summary>
    /// <param name="trouble">What could not be taken back; null when all is as it was before it.</param>
    /// <param name="cancellationToken">Stops the telling.</param>
    Task TookBackAsync(string? trouble, CancellationToken cancellationToken);
}

/// <summary>
/// The only one to write to its switch, one change at a time. What waits is done in one go; each go is planned against what the switch holds now, journaled with
/// what it replaces, written, and read back. If what is read back is not what was wanted, on our ports or on anybody's, it is taken back. So is, before anything else,
/// what the daemon's last life began and did not end.
/// </summary>
sealed partial class SwitchActor : IAsyncDisposable
{
    /// <summary>A rack's worth of changes from each of a few callers.</summary>
    const int QueueLength = 256;
    /// <summary>A VLAN that was removed has to be there again before its lists can be seen to be wrong; once more for a step that the switch refused.</summary>
    const int TakeBackRounds = 3;

    readonly IVlanWriter device;
    readonly ISwitchJournal journal;
    readonly ILogger<SwitchActor> logger;
    readonly CancellationTokenSource stopping = new();
    // Full: callers wait their turn, without a thread.
    readonly Channel<Request> requests = Channel.CreateBounded<Request>(new BoundedChannelOptions(QueueLength) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });
    readonly Task working;
    readonly Func<SwitchSnapshot, SwitchPolicy> policy;
    readonly IWriteGuard? guard;
    volatile bool hasRecovered;

    public SwitchActor(IVlanWriter device, SwitchPolicy policy, ISwitchJournal journal, ILogger<SwitchActor> logger) : this(device, _ => policy, null, journal, logger)
    {
    }

    /// <param name="device">Nobody else writes to it.</param>
    /// <param name="policy">What is ours, asked before each go.</param>
    /// <param name="guard">Whether we may write at all; null: always.</param>
    /// <param name="journal">Where changes are written down first.</param>
    /// <param name="logger">For what was done.</param>
    public SwitchActor(IVlanWriter device, Func<SwitchSnapshot, SwitchPolicy> policy, IWriteGuard? guard, ISwitchJournal journal, ILogger<SwitchActor> logger)
    {
        this.device = device;
        this.policy = policy;
        this.guard = guard;
        this.journal = journal;
        this.logger = logger;
        working = Task.Run(WorkAsync);
    }

    /// <summary>Does it, or says why not. Cancelling stops the waiting; a change that has begun goes to its end.</summary>
    /// <exception cref="DeviceException">The switch cannot be reached or talks nonsense, and nothing was written.</exception>
    public async Task<ChangeOutcome> ApplyAsync(VlanIntent intent, CancellationToken cancellationToken)
    {
        var request = new Request(intent);
        await requests.Writer.WriteAsync(request, cancellationToken);
        return await request.Outcome.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Takes back what was left half done, if anything was; for whoever looks at the switch regularly.</summary>
    /// <returns>Whether it was tried: then the switch is other than it was read before.</returns>
    /// <exception cref="DeviceException">The switch cannot be reached: it is kept for the next time.</exception>
    public async Task<bool> RecoverAsync(CancellationToken cancellationToken)
    {
        if (hasRecovered || journal.Unfinished(device.Address).Count == 0) return false;
        // In its turn, as a change of nothing: everything unfinished is taken back before any change.
        await ApplyAsync(new(), cancellationToken);
        return hasRecovered;
    }

    public async ValueTask DisposeAsync()
    {
        requests.Writer.TryComplete();
        await stopping.CancelAsync();
        await working;
        stopping.Dispose();
    }

    async Task WorkAsync()
    {
        var batch = new List<Request>();
        try
        {
            while (await requests.Reader.WaitToReadAsync(stopping.Token))
            {
                while (requests.Reader.TryRead(out var request)) batch.Add(request);
                await ServeAsync(batch);
                batch.Clear();
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
        while (requests.Reader.TryRead(out var request)) request.Outcome.TrySetCanceled();
    }

    async Task ServeAsync(List<Request> batch)
    {
        try
        {
            if (guard is not null && await guard.RefusalAsync(stopping.Token) is { } refusal)
            {
                foreach (var request in batch) request.Outcome.TrySetResult(new(ChangeEnding.Refused, refusal, 0));
                return;
            }
            await TakeBackUnfinishedAsync();
            var before = await device.ReadStateAsync(stopping.Token);
            var ours = policy(before.Snapshot);
            var allowed = new List<Request>();
            foreach (var request in batch)
            {
                // Each by itself first: what one may not must not spoil the others'.
                if (before.Plan(request.Intent, ours) is VlanPlan.Refused refused) request.Outcome.TrySetResult(new(ChangeEnding.Refused, string.Join("; ", refused.Reasons), 0));
                else allowed.Add(request);
            }
            if (allowed.Count == 0) return;
            var outcome = await ChangeAsync(before, allowed.Select(r => r.Intent).Aggregate((a, b) => a.With(b)), ours);
            foreach (var request in allowed) request.Outcome.TrySetResult(outcome);
        }
        catch (Exception e) when (e is DeviceException or OperationCanceledException or Store.StoreException)
        {
            foreach (var request in batch) request.Outcome.TrySetException(e);
        }
        catch (Exception e)
        {
            // A fault of ours, and its callers' to report: whoever asks next is served all the same, and nobody waits for ever.
            LogBroken(e, device.Address);
            foreach (var request in batch) request.Outcome.TrySetException(e);
        }
    }

    // Only this actor writes: what it finds unended was left by a daemon that was killed, or by a switch that went away. One that is still away keeps it for the next look.
    async Task TakeBackUnfinishedAsync()
    {
        if (hasRecovered) return;
        foreach (var change in journal.Unfinished(device.Address))
        {
            var trouble = await TakeBackAsync(change);
            var ending = trouble is null ? ChangeEnding.RolledBack : ChangeEnding.Damaged;
            await journal.EndAsync(change.Entry, ending, trouble is null ? "was left half done" : $"was left half done; not taken back: {trouble}", CancellationToken.None);
            LogRecovered(device.Address, ending, trouble);
            if (guard is not null) await guard.TookBackAsync(trouble, CancellationToken.None);
        }
        hasRecovered = true;
    }

    // Against what is there now, which others may have changed since; and it counts only when it is read back.
    async Task<string?> TakeBackAsync(UnfinishedChange change)
    {
        string? refusal = null;
        for (var round = 0; ; round++)
        {
            var now = await device.ReadStateAsync(stopping.Token);
            var plan = now.TakeBack(change, policy(now.Snapshot));
            if (plan.Writes.IsEmpty) return plan.Left.IsEmpty ? null : string.Join("; ", plan.Left);
            if (round == TakeBackRounds) return string.Join("; ", [.. plan.Left, refusal ?? $"{plan.Writes.Sum(w => w.Set.Length)} values are not as they were before"]);
            if (round == 0 && guard is not null) await guard.WritingAsync(stopping.Token);
            refusal = (await device.WriteAsync(plan.Writes, CancellationToken.None)).Refusal;
        }
    }

    async Task<ChangeOutcome> ChangeAsync(IVlanState before, VlanIntent intent, SwitchPolicy ours)
    {
        switch (before.Plan(intent, ours))
        {
            case VlanPlan.Refused refused: return new(ChangeEnding.Refused, string.Join("; ", refused.Reasons), 0);
            case VlanPlan.Ready { Writes.IsEmpty: true }: return new(ChangeEnding.Unchanged, null, 0);
            case VlanPlan.Ready plan:
                var entry = await journal.BeginAsync(device.Address, plan.Writes, stopping.Token);
                if (guard is not null) await guard.WritingAsync(stopping.Token);
                // From here on it goes to its end whatever happens to callers or the daemon's wish to stop.
                var (outcome, isGone) = await CarryOutAsync(before, intent, plan);
                // A switch that went away in the middle (it restarts, perhaps) keeps its entry: what was half done is taken back before anything else when it is there again.
                if (isGone) hasRecovered = false;
                else await journal.EndAsync(entry, outcome.Ending, outcome.Reason, CancellationToken.None);
                LogEnded(device.Address, outcome.Ending, outcome.Pdus, outcome.Reason);
                return outcome;
            default: throw new InvalidOperationException("a plan of no known kind");
        }
    }

    async Task<(ChangeOutcome Outcome, bool IsGone)> CarryOutAsync(IVlanState before, VlanIntent intent, VlanPlan.Ready plan)
    {
        string? trouble;
        var pdus = 0;
        try
        {
            var written = await device.WriteAsync(plan.Writes, CancellationToken.None);
            pdus = written.Sets;
            trouble = written.Refusal is { } refusal
                ? $"the switch refused step {written.Done + 1} of {plan.Writes.Length}: {refusal}"
                : SnapshotDifference.Unfulfilled(before.Snapshot, (await device.ReadStateAsync(CancellationToken.None)).Snapshot, intent, plan.Expected);
            if (trouble is null) return (new(ChangeEnding.Done, null, pdus), false);
        }
        catch (DeviceException e)
        {
            trouble = e.Message;
        }
        return await RollBackAsync(before, intent, plan, trouble, pdus);
    }

    // Every step is taken back, also those that may not have been done: their values are what was there, so it does no harm.
    async Task<(ChangeOutcome Outcome, bool IsGone)> RollBackAsync(IVlanState before, VlanIntent intent, VlanPlan.Ready plan, string trouble, int pdus)
    {
        try
        {
            string? refusal = null;
            foreach (var write in plan.Writes.Where(w => !w.Undo.IsEmpty).Reverse())
            {
                var outcome = await device.WriteAsync([new(write.Undo, [])], CancellationToken.None);
                pdus += Math.Max(outcome.Sets, 1);
                refusal ??= outcome.Refusal;
            }
            var after = await device.ReadStateAsync(CancellationToken.None);
            var left = SnapshotDifference.Of(before.Snapshot, after.Snapshot) ?? SnapshotDifference.OfVlans(before.Snapshot, after.Snapshot, intent.Needed.Concat(intent.Remove))
                ?? SnapshotDifference.OfInterfaces(before.Snapshot, after.Snapshot, intent.Ports);
            return (left is null ? new(ChangeEnding.RolledBack, trouble, pdus) : new(ChangeEnding.Damaged, $"{trouble}; not taken back: {left}{(refusal is null ? "" : $" ({refusal})")}", pdus), false);
        }
        catch (DeviceException e)
        {
            return (new(ChangeEnding.Damaged, $"{trouble}; and then {e.Message}; it is taken back when the switch is there again", pdus), true);
        }
    }

    sealed record Request(VlanIntent Intent)
    {
        public TaskCompletionSource<ChangeOutcome> Outcome { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Switch {Device}: change {Ending} with {Pdus} writes. {Reason}")]
    partial void LogEnded(Uri device, ChangeEnding ending, int pdus, string? reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Switch {Device}: a change was not understood, and not made")]
    partial void LogBroken(Exception e, Uri device);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Switch {Device}: a change that was left unfinished: {Ending}. {Reason}")]
    partial void LogRecovered(Uri device, ChangeEnding ending, string? reason);
}
