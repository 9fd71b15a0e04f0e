namespace GridAppliance.Agent.Modules;

/// <summary>
/// Keeps one module's program running. It owns the process: starts it, waits for its end, starts it again after a pause that grows with each early end.
/// </summary>
sealed class ModuleWatch(ModuleRecord record, ModuleStore store, ModuleLauncher launcher, HeartbeatTrigger trigger, AgentConsole console, TimeProvider clock) : IAsyncDisposable
{
    /// <summary>A program that stays up this long counts as started.</summary>
    public static readonly TimeSpan Proof = TimeSpan.FromSeconds(1);
    static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(60);
    const long LogLimit = 1 << 20;
    const int FailuresUntilFailed = 3;

    readonly CancellationTokenSource stop = new();
    readonly TaskCompletionSource<string?> proven = new(TaskCreationOptions.RunContinuationsAsynchronously);
    Task running = Task.CompletedTask;
    volatile ModuleProcess? current;
    volatile string state = "installing";

    /// <summary>installing, running or failed.</summary>
    public string State => state;

    public ModuleProcess? Current => current;

    public void Begin(ModuleProcess? found) => running = RunAsync(found);

    /// <summary>Null once the program has stayed up for <see cref="Proof"/>; else why not.</summary>
    public Task<string?> ProveAsync(CancellationToken cancellationToken) => proven.Task.WaitAsync(cancellationToken);

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
                var end = await RunOnceAsync(found);
                found = null;
                failures = clock.GetElapsedTime(began) > LongestPause ? 1 : failures + 1;
                SetState(failures >= FailuresUntilFailed ? "failed" : state);
                proven.TrySetResult(end);
                console.Say($"module {record.Name} {end}");
                await Task.Delay(TimeSpan.FromSeconds(Math.Min(LongestPause.TotalSeconds, Math.Pow(2, Math.Min(failures, 6) - 1))), clock, stop.Token);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            proven.TrySetResult("was stopped");
        }
    }

    /// <summary>Runs the program to its end and says how it ended.</summary>
    async Task<string> RunOnceAsync(ModuleProcess? found)
    {
        ModuleProcess process;
        try
        {
            TrimLog();
            process = found ?? launcher.Start(record.Name, store.FolderOf(record), record.Start, store.LogFile(record.Name));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception)
        {
            return $"could not be started: {e.Message}";
        }
        current = process;
        var ended = process.Process.WaitForExitAsync(stop.Token);
        if (await Task.WhenAny(ended, Task.Delay(Proof, clock, stop.Token)) != ended)
        {
            stop.Token.ThrowIfCancellationRequested();
            SetState("running");
            proven.TrySetResult(null);
        }
        await ended;
        current = null;
        var how = Describe(process);
        await launcher.SweepAsync(process, clock, stop.Token);
        return how;
    }

    void SetState(string next)
    {
        if (state == next) return;
        state = next;
        trigger.Pull();
    }

    string Describe(ModuleProcess process)
    {
        // Only a child's status can be asked for; one that an earlier agent started has none to give.
        int? status = null;
        try { status = process.Process.ExitCode; }
        catch (InvalidOperationException) { }
        var said = LastLine();
        return $"ended{(status is { } s ? $" with status {s}" : "")}{(said.Length > 0 ? $", saying: {said}" : "")}";
    }

    string LastLine()
    {
        var log = store.LogFile(record.Name);
        if (!File.Exists(log)) return "";
        using var file = File.OpenRead(log);
        file.Position = Math.Max(0, file.Length - 512);
        using var reader = new StreamReader(file);
        var line = reader.ReadToEnd().TrimEnd().Split('\n')[^1];
        return new string([.. line.Where(c => !char.IsControl(c)).Take(200)]);
    }

    // The log lives in memory on a diskless node. The program appends, so a log that was cut goes on at its new end.
    void TrimLog()
    {
        var log = new FileInfo(store.LogFile(record.Name));
        if (!log.Exists || log.Length <= LogLimit) return;
        using var file = log.Open(FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.SetLength(0);
    }
}
