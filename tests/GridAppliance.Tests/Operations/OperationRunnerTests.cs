using GridAppliance.Nodes;
using GridAppliance.Operations;
using GridAppliance.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Operations;

public sealed class OperationRunnerTests : IAsyncLifetime
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly TestStore store = new();
    readonly Dictionary<string, IOperationKind> kinds = [];
    OperationRunner? runner;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (runner is not null) await runner.StopAsync(CancellationToken.None);
        await store.DisposeAsync();
    }

    [Fact]
    public async Task Runs_the_steps_in_order_and_tells_the_timeline()
    {
        var ran = new List<string>();
        Kind("work", Note(ran, "first"), Note(ran, "second"));
        var node = await store.DiscoverAsync(1);
        var operation = await Submit("work", node, "hello");

        Assert.IsType<OperationEnd.Done>(await End(operation));
        Assert.Equal(["first", "second"], ran);
        var document = runner!.Find(operation.Id)!;
        Assert.Equal(("done", "n1", "hello", "appliance"), (document.State, document.Node, document.Subject, document.StartedBy));
        Assert.All(document.Steps, step => Assert.Equal("done", step.State));
        Assert.Equal(["operation.started", "operation.step", "operation.step", "operation.done"],
            store.Timeline.ReadNode(node.Id, 10).Select(e => e.Kind).Where(kind => kind.StartsWith("operation", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Operations_on_one_node_take_turns_and_the_second_says_what_it_waits_for()
    {
        var (entered, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        Kind("slow", Hold("hold", entered, release));
        Kind("quick", Note([], "go"));
        var node = await store.DiscoverAsync(1);
        var slow = await Submit("slow", node);
        await entered.Task.WaitAsync(Patience);
        var quick = await Submit("quick", node);

        var waiting = runner!.Find(quick.Id)!;
        Assert.Equal("running", waiting.State);
        Assert.Equal("n1 is busy with slow of n1; this begins when that has ended", waiting.Reason);
        Assert.Equal("pending", Assert.Single(waiting.Steps).State);
        release.SetResult();
        await End(slow);
        Assert.IsType<OperationEnd.Done>(await End(quick));
    }

    [Fact]
    public async Task Operations_on_different_nodes_run_side_by_side()
    {
        var entered = new[] { new TaskCompletionSource(), new TaskCompletionSource() };
        var release = new TaskCompletionSource();
        Kind("one", Hold("hold", entered[0], release));
        Kind("two", Hold("hold", entered[1], release));
        var one = await Submit("one", await store.DiscoverAsync(1));
        var two = await Submit("two", await store.DiscoverAsync(2));
        await Task.WhenAll(entered.Select(e => e.Task)).WaitAsync(Patience);
        release.SetResult();
        Assert.IsType<OperationEnd.Done>(await End(one));
        Assert.IsType<OperationEnd.Done>(await End(two));
    }

    [Fact]
    public async Task No_more_than_the_bound_act_at_once()
    {
        int now = 0, most = 0, entered = 0;
        var full = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        Kind("crowd", new Step("stand", async _ =>
        {
            InterlockedMax(ref most, Interlocked.Increment(ref now));
            if (Interlocked.Increment(ref entered) == OperationRunner.AtOnce) full.SetResult();
            await release.Task;
            Interlocked.Decrement(ref now);
            return new StepOutcome.Done();
        }));
        var operations = new List<Operation>();
        for (var i = 0; i < OperationRunner.AtOnce + 10; i++) operations.Add(await Submit("crowd", null));
        await full.Task.WaitAsync(Patience);
        Assert.Equal(OperationRunner.AtOnce + 10, runner!.Count);
        release.SetResult();
        foreach (var operation in operations) await End(operation);
        Assert.Equal(OperationRunner.AtOnce, most);
        Assert.Equal(0, runner.Count);
    }

    [Fact]
    public async Task A_step_that_throws_is_tried_again_later_and_later()
    {
        var tries = new List<DateTimeOffset>();
        Kind("flaky", new Step("try", _ =>
        {
            lock (tries) tries.Add(store.Clock.GetUtcNow());
            if (tries.Count < 4) throw new IOException("the cable is loose");
            return StepOutcome.DoneNow();
        }));
        var operation = await Submit("flaky", null);
        var end = await AdvanceUntil(runner!.EndAsync(operation.Id, CancellationToken.None), TimeSpan.FromMilliseconds(100));
        Assert.IsType<OperationEnd.Done>(end);
        var waits = tries.Zip(tries.Skip(1), (a, b) => b - a).ToList();
        Assert.Equal(3, waits.Count);
        Assert.True(waits[0] >= TimeSpan.FromSeconds(0.5) && waits[1] >= TimeSpan.FromSeconds(1) && waits[2] >= TimeSpan.FromSeconds(2), string.Join(", ", waits));
    }

    [Fact]
    public async Task A_wait_ends_when_its_time_comes_or_when_it_is_poked()
    {
        var asked = 0;
        var askedTwice = new TaskCompletionSource();
        var come = false;
        Kind("wait", new Step("await", _ =>
        {
            if (Interlocked.Increment(ref asked) == 2) askedTwice.SetResult();
            return Volatile.Read(ref come) ? StepOutcome.DoneNow() : Task.FromResult<StepOutcome>(new StepOutcome.NotYet(TimeSpan.FromHours(1), "the letter has not come"));
        }));
        var operation = await Submit("wait", null);
        await AdvanceUntil(askedTwice.Task, TimeSpan.FromMinutes(20));
        await Eventually.UntilAsync(() => runner!.Find(operation.Id)!.Reason == "the letter has not come", "the reason");
        Volatile.Write(ref come, true);
        // No time passes from here on.
        runner!.Poke(operation.Id);
        Assert.IsType<OperationEnd.Done>(await End(operation));
    }

    [Fact]
    public async Task A_failure_takes_back_what_was_done_in_reverse()
    {
        var ran = new List<string>();
        Kind("doomed", Note(ran, "a"), Note(ran, "b"), new Step("c", _ => Task.FromResult<StepOutcome>(new StepOutcome.Failed("no room"))));
        var operation = await Submit("doomed", null);
        Assert.Equal(new OperationEnd.Failed("no room"), await End(operation));
        Assert.Equal(["a", "b", "undo b", "undo a"], ran);
        var document = runner!.Find(operation.Id)!;
        Assert.Equal(("failed", "no room"), (document.State, document.Reason));
        Assert.Equal(["undone", "undone", "failed"], document.Steps.Select(step => step.State));
    }

    [Fact]
    public async Task A_person_cancels_a_step_that_hangs()
    {
        var ran = new List<string>();
        var entered = new TaskCompletionSource();
        Kind("hangs", Note(ran, "a"), new Step("hang", async token =>
        {
            entered.SetResult();
            await Task.Delay(Timeout.Infinite, token);
            return new StepOutcome.Done();
        }, _ => { ran.Add("undo hang"); return StepOutcome.DoneNow(); }));
        var operation = await Submit("hangs", null);
        await entered.Task.WaitAsync(Patience);
        Assert.Equal(Cancellation.Asked, await runner!.CancelAsync(operation.Id, "alice", "it hangs", CancellationToken.None));
        Assert.Equal(new OperationEnd.Cancelled("cancelled by alice: it hangs"), await End(operation));
        Assert.Equal(["a", "undo hang", "undo a"], ran);
        Assert.Equal(Cancellation.AlreadyEnded, await runner.CancelAsync(operation.Id, "alice", null, CancellationToken.None));
        Assert.Equal(Cancellation.NoSuchOperation, await runner.CancelAsync(Guid.NewGuid(), "alice", null, CancellationToken.None));
    }

    [Fact]
    public async Task One_that_is_called_off_before_its_turn_ends_at_once_and_touches_nothing()
    {
        var ran = new List<string>();
        var (entered, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        Kind("slow", Hold("hold", entered, release));
        Kind("queued", Note(ran, "a"));
        var node = await store.DiscoverAsync(1);
        var slow = await Submit("slow", node);
        await entered.Task.WaitAsync(Patience);
        var queued = await Submit("queued", node);
        Assert.Equal(Cancellation.Asked, await runner!.CancelAsync(queued.Id, "alice", null, CancellationToken.None));
        Assert.IsType<OperationEnd.Cancelled>(await End(queued));
        Assert.Empty(ran);
        Assert.Equal("running", runner.Find(slow.Id)!.State);
        release.SetResult();
        Assert.IsType<OperationEnd.Done>(await End(slow));
    }

    [Fact]
    public async Task A_restart_goes_on_where_the_journal_stands()
    {
        var ran = new List<string>();
        var secondMayEnd = false;
        var reached = new TaskCompletionSource();
        Kind("long", Note(ran, "first"), new Step("second", _ =>
        {
            reached.TrySetResult();
            return secondMayEnd ? StepOutcome.DoneNow() : Task.FromResult<StepOutcome>(new StepOutcome.NotYet(TimeSpan.FromHours(1), "not yet"));
        }), Note(ran, "third"));
        var operation = await Submit("long", null);
        await reached.Task.WaitAsync(Patience);
        await runner!.StopAsync(CancellationToken.None);
        await store.ReopenAsync();

        secondMayEnd = true;
        await StartRunner();
        Assert.IsType<OperationEnd.Done>(await End(operation));
        Assert.Equal(["first", "third"], ran);
    }

    [Fact]
    public async Task The_key_of_an_unfinished_operation_finds_it_and_a_finished_one_is_done_again()
    {
        var (entered, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        Kind("keyed", Hold("hold", entered, release));
        await StartRunner();
        var wanted = new NewOperation("keyed", "{}") { Key = "keyed:1" };
        var first = Assert.IsType<Submission.Accepted>(await runner!.SubmitAsync(wanted, CancellationToken.None));
        var second = Assert.IsType<Submission.Accepted>(await runner.SubmitAsync(wanted, CancellationToken.None));
        Assert.Equal((first.Operation.Id, false), (second.Operation.Id, second.IsNew));
        release.SetResult();
        await End(first.Operation);
        var third = Assert.IsType<Submission.Accepted>(await runner.SubmitAsync(wanted, CancellationToken.None));
        Assert.True(third.IsNew);
    }

    [Fact]
    public async Task A_node_with_too_many_waiting_refuses_another()
    {
        var (entered, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        Kind("slow", Hold("hold", entered, release));
        var node = await store.DiscoverAsync(1);
        for (var i = 0; i < OperationRunner.QueueOfNode; i++) await Submit("slow", node);
        var refused = Assert.IsType<Submission.Refused>(await runner!.SubmitAsync(Wanted("slow", node), CancellationToken.None));
        Assert.StartsWith("n1 has 16 operations waiting", refused.Reason, StringComparison.Ordinal);
        release.SetResult();
    }

    [Fact]
    public async Task An_operation_of_a_kind_that_is_gone_stands_still_until_it_is_cancelled()
    {
        Kind("old", new Step("never", _ => Task.FromResult<StepOutcome>(new StepOutcome.NotYet(TimeSpan.FromHours(1), "waiting"))));
        var operation = await Submit("old", null);
        await runner!.StopAsync(CancellationToken.None);
        kinds.Clear();
        await StartRunner();
        await Eventually.UntilAsync(() => runner!.Find(operation.Id)!.Reason?.StartsWith("this daemon knows no operation called old", StringComparison.Ordinal) == true, "the reason");
        Assert.Equal(Cancellation.Asked, await runner!.CancelAsync(operation.Id, "alice", null, CancellationToken.None));
        Assert.IsType<OperationEnd.Cancelled>(await End(operation));
    }

    void Kind(string name, params Step[] steps) => kinds.Add(name, new ScriptedKind(name, steps));

    async Task StartRunner()
    {
        var journal = new OperationJournal(store.Database, store.Timeline, store.Nodes, store.Clock);
        runner = new(journal, new(kinds.Values), new(), store.Clock, NullLogger<OperationRunner>.Instance);
        await runner.StartAsync(CancellationToken.None);
    }

    async Task<Operation> Submit(string kind, Node? node, string? subject = null)
    {
        if (runner is null) await StartRunner();
        return Assert.IsType<Submission.Accepted>(await runner!.SubmitAsync(Wanted(kind, node) with { Subject = subject }, CancellationToken.None)).Operation;
    }

    static NewOperation Wanted(string kind, Node? node) => new(kind, "{}") { NodeId = node?.Id, Node = node?.Name };

    Task<OperationEnd?> End(Operation operation) => runner!.EndAsync(operation.Id, CancellationToken.None).WaitAsync(Patience);

    async Task<T> AdvanceUntil<T>(Task<T> come, TimeSpan by)
    {
        await AdvanceUntil((Task)come, by);
        return await come;
    }

    async Task AdvanceUntil(Task come, TimeSpan by)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!come.IsCompleted)
        {
            limit.Token.ThrowIfCancellationRequested();
            store.Clock.Advance(by);
            await Task.Yield();
        }
        await come;
    }

    static Step Note(List<string> ran, string name) => new(name, _ => { ran.Add(name); return StepOutcome.DoneNow(); }, _ => { ran.Add($"undo {name}"); return StepOutcome.DoneNow(); });

    static Step Hold(string name, TaskCompletionSource entered, TaskCompletionSource release) => new(name, async token =>
    {
        entered.TrySetResult();
        await release.Task.WaitAsync(token);
        return new StepOutcome.Done();
    });

    static void InterlockedMax(ref int most, int value)
    {
        int seen;
        while (value > (seen = Volatile.Read(ref most)) && Interlocked.CompareExchange(ref most, value, seen) != seen) { }
    }
}
