namespace GridAppliance.Agent.Modules;

/// <summary>
/// Keeps one module's program running. It owns the process: starts it, waits for its end, starts it again after a pause that grows with each early end.
/// </summary>
sealed class ModuleWatch(ModuleRecord record, ModuleStore store, ModuleLauncher launcher, ModuleHealthCheck health, HeartbeatTrigger trigger, AgentConsole console, TimeProvider clock) : IAsyncDisposable
{
    /// <summary>A program that stays up this long counts as started, where the module has no better check.</summary>
    public static readonly TimeSpan Proof = TimeSpan.FromSeconds(0.5);
    static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);
    static readonly TimeSpan WhileBusy = TimeSpan.FromMilliseconds(20);
    static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(60);
    const int FailuresUntilFailed = 3;

    readonly CancellationTokenSource stop = new();
    readonly TaskCompletionSource<Trouble> proven = new(TaskCreationOptions.RunContinuationsAsynchronously);
    Task running = Task.CompletedTask;
    volatile ModuleProcess? current;
    volatile string state = "installing";

    /// <summary>installing, running or failed.</summary>
    public string State => state;

    public ModuleProcess? Current => current;

    public void Begin(ModuleProcess? found)
    {
        // One that an earlier agent started has been healthy before.
        if (found is not null) state = "running";
        running = RunAsync(found);
    }

    /// <summary>No trouble once the program is healthy, or has stayed up for <see cref="Proof"/> where nothing better is known; else why not.</summary>
    public Task<Trouble> ProveAsync(CancellationToken cancellationToken) => proven.Task.WaitAsync(cancellationToken);

    /// <summary>Ends the watching; the program goes on, and <see cref="Current"/> is it.</summary>
    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running;
        stop.Dispose();
    }

    async Task RunAsync(ModuleProcess? found)
    {
        var failures = 0;
        try
        {
            while (true)
            {
                var began = clock.GetTimestamp();
                var (status, end) = await RunAndTellAsync(found);
                found = null;
                if (stop.IsCancellationRequested) break;
                if (ModuleLauncher.WasBusy(status, store.LogFile(record.Name)))
                {
                    await Task.Delay(WhileBusy, clock, stop.Token);
                    continue;
                }
                failures = clock.GetElapsedTime(began) > LongestPause ? 1 : failures + 1;
                SetState(failures >= FailuresUntilFailed ? "failed" : state);
                proven.TrySetResult(end);
                console.Say($"module {record.Name} {end}");
                await Task.Delay(TimeSpan.FromSeconds(Math.Min(LongestPause.TotalSeconds, Math.Pow(2, Math.Min(failures, 6) - 1))), clock, stop.Token);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested) { /* in the pause between two starts */ }
        proven.TrySetResult("was stopped");
    }

    /// <summary>Whoever waits for the proof gets an answer whatever happens, and the program is started again whatever happened.</summary>
    async Task<ProgramEnd> RunAndTellAsync(ModuleProcess? found)
    {
        try { return await RunOnceAsync(found); }
        catch (Exception e) when (!stop.IsCancellationRequested) { return new(null, $"could not be looked after: {e.Message}"); }
    }

    /// <summary>Runs the program to its end and says how it ended.</summary>
    async Task<ProgramEnd> RunOnceAsync(ModuleProcess? found)
    {
        ModuleProcess process;
        try
        {
            ModuleLog.Trim(store.LogFile(record.Name));
            process = found ?? launcher.Start(record, store.LogFile(record.Name));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception)
        {
            return new(null, $"could not be started: {e.Message}");
        }
        current = process;
        var ended = process.Process.WaitForExitAsync(CancellationToken.None);
        using var once = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
        var looking = LookAfterAsync(once.Token);
        // Being stopped is no exception: the first one's stack would be the dearest part of a node's first removal.
        await Task.WhenAny(ended, Task.Delay(Timeout.InfiniteTimeSpan, once.Token));
        await once.CancelAsync();
        await looking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (looking.IsFaulted) await looking;
        if (!ended.IsCompleted) return new(null, "was stopped");
        current = null;
        // Only a child's status can be asked for; one that an earlier agent started has none to give.
        int? status = null;
        try { status = process.Process.ExitCode; }
        catch (InvalidOperationException) { }
        var said = ModuleLog.LastLine(store.LogFile(record.Name));
        var how = $"ended{(status is { } s ? $" with status {s}" : "")}{(said.Length > 0 ? $", saying: {said}" : "")}";
        try { await launcher.SweepAsync(process, clock, stop.Token); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { how += $"; {e.Message}"; }
        return new(status, how);
    }

    /// <summary>Waits for good health, and then looks again and again: a program that runs and does not answer has failed until it does.</summary>
    async Task LookAfterAsync(CancellationToken cancellationToken)
    {
        if (!health.Exists)
        {
            await Task.Delay(Proof, clock, cancellationToken);
            SetState("running");
            proven.TrySetResult(default);
            return;
        }
        var trouble = await health.WaitAsync(cancellationToken);
        SetState(trouble.IsNone ? "running" : "failed");
        proven.TrySetResult(trouble);
        for (var bad = 0; ;)
        {
            await Task.Delay(LookEvery, clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellationToken.IsCancellationRequested) return;
            bad = (await health.LookAsync(cancellationToken)).IsNone ? 0 : bad + 1;
            SetState(bad >= FailuresUntilFailed ? "failed" : bad == 0 ? "running" : state);
        }
    }

    void SetState(string next)
    {
        if (state == next) return;
        state = next;
        trigger.Pull();
    }
}
