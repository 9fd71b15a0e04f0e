using System.Text;
using GridAppliance.Consoles.Record;
using GridAppliance.Nodes;

namespace GridAppliance.Consoles;

/// <summary>
/// The one owner of a node's console port: keeps it open, records every octet with its time, and shares it among viewers, of whom one types. A line that is lost is taken back by itself, and the
/// gap is marked in the record.
/// </summary>
sealed partial class ConsoleSession : IDisposable
{
    /// <summary>What a newcomer sees of the past.</summary>
    const int TailBytes = 32 * 1024;

    /// <summary>Far beyond the people who look at one console: what ends is a program that opens consoles and closes none. Each costs a reference to what was said, and at most half a megabyte of them.</summary>
    public const int MostViewers = 1000;

    static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(15);

    readonly string node;
    readonly IConsolePort port;
    readonly ConsoleRecordWriter record;
    readonly TimeProvider time;
    readonly Action<ConsoleSighting> sighted;
    readonly ILogger logger;
    readonly Lock gate = new();
    readonly List<ConsoleViewer> viewers = [];
    readonly Queue<ConsoleEntry> tail = [];
    readonly ConsoleWatch watch = new();
    int tailLength;
    bool ended;
    ConsoleViewer? writer;
    IConsole? line;

    /// <param name="node">The node's name, for logs.</param>
    /// <param name="port">Opened by <see cref="RunAsync"/>.</param>
    /// <param name="record">Owned from here on.</param>
    /// <param name="time">For the record and the retries.</param>
    /// <param name="sighted">Called for each thing worth an event; must be quick.</param>
    /// <param name="logger">For losses.</param>
    public ConsoleSession(string node, IConsolePort port, ConsoleRecordWriter record, TimeProvider time, Action<ConsoleSighting> sighted, ILogger logger) =>
        (this.node, this.port, this.record, this.time, this.sighted, this.logger) = (node, port, record, time, sighted, logger);

    public ConsoleState State
    {
        get { lock (gate) return new(line is not null, port.Name, writer?.Who, viewers.Count); }
    }

    internal DateTimeOffset Now => time.GetUtcNow();

    /// <summary>Keeps the port until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var retry = FirstRetry;
        string? complaint = null;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await using var opened = await port.OpenAsync(cancellationToken);
                Connect(opened);
                (retry, complaint) = (FirstRetry, null);
                await RecordAsync(opened, cancellationToken);
                Lose("the other side closed the line");
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                if (Volatile.Read(ref line) is not null) LetGo();
                return;
            }
            catch (IOException e)
            {
                if (Volatile.Read(ref line) is not null) Lose(e.Message);
                // The same complaint every fifteen seconds is one complaint.
                else if (complaint != e.Message) CannotOpen(node, port.Name, e.Message);
                complaint = e.Message;
            }
            await Task.Delay(retry, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            retry = retry * 2 < LongestRetry ? retry * 2 : LongestRetry;
        }
    }

    /// <summary>Hands what was recorded to the kernel; called in turn for all consoles by their directory, and before somebody reads the record.</summary>
    /// <exception cref="IOException">The record cannot be written; it is tried again at the next call.</exception>
    public void Flush()
    {
        lock (gate) record.Flush(toDisk: false);
    }

    /// <summary>Makes the record safe from a power cut. The disk is waited for outside the lock: the line goes on meanwhile.</summary>
    /// <exception cref="IOException">As for <see cref="Flush"/>.</exception>
    public void Sync()
    {
        lock (gate) record.Flush(toDisk: false);
        record.Sync();
    }

    /// <summary>Drops what is older than the record should be.</summary>
    /// <exception cref="IOException">As for <see cref="Flush"/>.</exception>
    public void Tidy()
    {
        lock (gate) record.Tidy();
    }

    /// <summary>Null when the console has ended, or enough look at it.</summary>
    public ConsoleViewer? TryJoin(string who)
    {
        var viewer = new ConsoleViewer(this, who);
        lock (gate)
        {
            if (ended || viewers.Count >= MostViewers) return null;
            foreach (var entry in tail) viewer.Show(entry);
            viewers.Add(viewer);
            Nudge();
        }
        return viewer;
    }

    /// <summary>A viewer who has read the record up to <paramref name="from"/>, and gets what comes after it.</summary>
    /// <exception cref="IOException">As for <see cref="Flush"/>.</exception>
    public ConsoleViewer? TryFollow(string who, out RecordPosition from)
    {
        var viewer = new ConsoleViewer(this, who);
        lock (gate)
        {
            record.Flush(toDisk: false);
            from = record.Position;
            if (ended || viewers.Count >= MostViewers) return null;
            viewers.Add(viewer);
            Nudge();
        }
        return viewer;
    }

    /// <summary>The appliance's own words into the record, such as what a script did.</summary>
    public void Note(string words) => Mark(words);

    public void Dispose()
    {
        lock (gate)
        {
            ended = true;
            foreach (var viewer in viewers) viewer.End();
            record.Dispose();
        }
    }

    async Task RecordAsync(IConsole opened, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var sizing = opened is IWindowSize window ? TellSizesAsync(window, ending.Token) : Task.CompletedTask;
        try
        {
            var buffer = new byte[8192];
            int count;
            while ((count = await opened.ReadAsync(buffer, cancellationToken)) > 0) Take(buffer.AsSpan(0, count));
        }
        finally
        {
            await ending.CancelAsync();
            await sizing;
        }
    }

    void Take(ReadOnlySpan<byte> octets)
    {
        IReadOnlyList<ConsoleSighting> sights;
        lock (gate)
        {
            Keep(ConsoleEntryKind.Output, octets.ToArray());
            sights = watch.See(octets);
        }
        foreach (var sight in sights) sighted(sight);
    }

    void Connect(IConsole opened)
    {
        lock (gate)
        {
            line = opened;
            Mark($"connected to {port.Name}");
        }
    }

    void Lose(string reason)
    {
        lock (gate)
        {
            line = null;
            Mark($"the line was lost: {reason}");
        }
        LineLost(node, reason);
        sighted(new("console.lost", EventSeverity.Warning, $"its console was lost: {reason}", IsOurs: true));
    }

    void LetGo()
    {
        lock (gate)
        {
            line = null;
            Mark("the appliance let go of the line");
        }
    }

    void Mark(string words)
    {
        lock (gate) Keep(ConsoleEntryKind.Mark, Encoding.UTF8.GetBytes(words));
    }

    void Keep(ConsoleEntryKind kind, byte[] octets)
    {
        var entry = new ConsoleEntry(kind, time.GetUtcNow(), octets);
        record.Append(kind, entry.At, octets);
        tail.Enqueue(entry);
        tailLength += octets.Length;
        while (tailLength > TailBytes && tail.Count > 1) tailLength -= tail.Dequeue().Octets.Length;
        foreach (var viewer in viewers) viewer.Show(entry);
    }

    /// <summary>Says to everybody that the state may have changed; not for the record.</summary>
    void Nudge()
    {
        var nothing = new ConsoleEntry(ConsoleEntryKind.Mark, time.GetUtcNow(), default);
        foreach (var viewer in viewers) viewer.Show(nothing);
    }

    [LoggerMessage(LogLevel.Information, "console of {Node}: the line was lost: {Reason}")]
    partial void LineLost(string node, string reason);

    [LoggerMessage(LogLevel.Warning, "console of {Node}: {Port} cannot be opened: {Reason}; trying on")]
    partial void CannotOpen(string node, string port, string reason);
}
