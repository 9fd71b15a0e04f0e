using System.Collections.Immutable;
using System.Threading.Channels;
using GridAppliance.Consoles.Record;
using GridAppliance.Hosting;
using GridAppliance.Nodes;

namespace GridAppliance.Consoles;

/// <summary>
/// Every node's console: one session each, recording from the moment its port is known. Hands the records to the kernel and the disk in turn, keeps them within their bounds, and tells timelines
/// what was seen.
/// </summary>
sealed partial class ConsoleDirectory(ApplianceOptions options, NodeDirectory nodes, Timeline timeline, ApplianceProblems problems, TimeProvider time, ILogger<ConsoleDirectory> log) : BackgroundService
{
    const string Problem = "console.record";

    static readonly TimeSpan FlushInterval = TimeSpan.FromMilliseconds(500);
    static readonly TimeSpan SyncInterval = TimeSpan.FromSeconds(10);
    static readonly TimeSpan TidyInterval = TimeSpan.FromHours(1);
    static readonly TimeSpan RestartPause = TimeSpan.FromSeconds(10);

    // Each console tells each kind at most every half minute. When the store stands still for long, the oldest word is the least useful.
    readonly Channel<NewEvent> sights = Channel.CreateBounded<NewEvent>(new BoundedChannelOptions(4096) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
    readonly SemaphoreSlim changing = new(1, 1);
    ImmutableDictionary<Guid, Held> consoles = ImmutableDictionary<Guid, Held>.Empty;

    public ConsoleSession? Find(Guid node) => Volatile.Read(ref consoles).GetValueOrDefault(node)?.Session;

    /// <summary>The nodes that have a console, and through which port.</summary>
    public IReadOnlyDictionary<Guid, string> Ports => Volatile.Read(ref consoles).ToDictionary(console => console.Key, console => console.Value.Session.State.Port);

    /// <summary>Where a node's record is, whether or not it has a console now.</summary>
    public string RecordOf(Guid node) => Path.Combine(Root, node.ToString());

    string Root => Path.Combine(options.DataDir, "consoles");

    /// <summary>Makes <paramref name="port"/> the node's console, in the place of the one it had.</summary>
    /// <exception cref="IOException">The record cannot be opened.</exception>
    public async Task AssignAsync(Guid node, IConsolePort port, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken);
        try
        {
            await EndAsync(node);
            var name = nodes.Current.Find(node)?.Name ?? node.ToString();
            var gate = new SightingGate(time);
            var session = new ConsoleSession(name, port, ConsoleRecordWriter.Open(RecordOf(node), options.Consoles, time), time, sighting => Tell(node, gate, sighting), log);
            var stop = new CancellationTokenSource();
            // Whoever hears of the connection must find the console here.
            var listed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            ImmutableInterlocked.TryAdd(ref consoles, node, new(session, stop, KeepAsync(name, session, listed.Task, stop.Token)));
            listed.SetResult();
        }
        finally
        {
            changing.Release();
        }
    }

    /// <summary>Takes the console from the node; its record stays for as long as it would.</summary>
    public async Task RemoveAsync(Guid node, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken);
        try
        {
            await EndAsync(node);
        }
        finally
        {
            changing.Release();
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        TellAsync(stoppingToken),
        EveryAsync(FlushInterval, static session => session.Flush(), stoppingToken),
        EveryAsync(SyncInterval, static session => session.Sync(), stoppingToken),
        TidyAsync(stoppingToken));

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        foreach (var node in Volatile.Read(ref consoles).Keys) await RemoveAsync(node, CancellationToken.None);
    }

    async Task EndAsync(Guid node)
    {
        if (!ImmutableInterlocked.TryRemove(ref consoles, node, out var held)) return;
        await held.Stop.CancelAsync();
        await held.Running;
        held.Session.Dispose();
        held.Stop.Dispose();
    }

    async Task KeepAsync(string node, ConsoleSession session, Task listed, CancellationToken cancellationToken)
    {
        await listed;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await session.RunAsync(cancellationToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // A driver's mistake costs its console a pause, not the appliance its other consoles.
                LogMistake(e, node);
                await Task.Delay(RestartPause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    void Tell(Guid node, SightingGate gate, ConsoleSighting sighting)
    {
        if (!gate.Admit(sighting) || nodes.Current.Find(node) is not { } about) return;
        sights.Writer.TryWrite(NewEvent.About(about, sighting.Kind, sighting.Line, sighting.Severity) with { Actor = sighting.IsOurs ? "appliance" : "node", At = time.GetUtcNow() });
    }

    async Task TellAsync(CancellationToken cancellationToken)
    {
        await foreach (var sight in sights.Reader.ReadAllAsync(cancellationToken)) await timeline.AppendAsync(sight, cancellationToken);
    }

    async Task EveryAsync(TimeSpan interval, Action<ConsoleSession> work, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(interval, time);
        while (await timer.WaitForNextTickAsync(cancellationToken)) All(work);
    }

    void All(Action<ConsoleSession> work)
    {
        string? failure = null;
        foreach (var (_, held) in Volatile.Read(ref consoles))
        {
            try
            {
                work(held.Session);
            }
            catch (IOException e)
            {
                failure = e.Message;
            }
            catch (ObjectDisposedException)
            {
                // Taken from its node while we went round.
            }
        }
        if (failure is null) problems.Clear(Problem);
        else problems.Raise(Problem, $"consoles are not recorded: {failure}", $"Make room on the file system of {Root}; recording goes on by itself.");
    }

    async Task TidyAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TidyInterval, time);
        do
        {
            All(static session => session.Tidy());
            DropAbandoned();
        } while (await timer.WaitForNextTickAsync(cancellationToken));
    }

    /// <summary>Records of nodes that have no console any more end by age alone.</summary>
    void DropAbandoned()
    {
        try
        {
            if (!Directory.Exists(Root)) return;
            foreach (var directory in Directory.EnumerateDirectories(Root))
                if (Guid.TryParse(Path.GetFileName(directory), out var node) && Find(node) is null) ConsoleSegments.DropBefore(directory, time.GetUtcNow() - options.Consoles.Age);
        }
        catch (IOException e)
        {
            LogCannotTidy(e.Message);
        }
    }

    sealed record Held(ConsoleSession Session, CancellationTokenSource Stop, Task Running);

    [LoggerMessage(LogLevel.Error, "console of {Node}: the appliance made a mistake; it is opened again")]
    partial void LogMistake(Exception e, string node);

    [LoggerMessage(LogLevel.Warning, "old console records cannot be dropped: {Reason}")]
    partial void LogCannotTidy(string reason);
}
