using System.Text;
using GridAppliance.Consoles.Record;

namespace GridAppliance.Consoles;

/// <summary>
/// The one owner of a node's console port: keeps it open, records every octet with its time, and shares it among viewers, of whom one types. A line that is lost is taken back by itself, and the
/// gap is marked in the record.
/// </summary>
sealed partial class ConsoleSession : IDisposable
{
    /// <summary>What a newcomer sees of the past.</summary>
    const int TailBytes = 32 * 1024;

    static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(15);

    readonly string node;
    readonly IConsolePort port;
    readonly ConsoleRecordWriter record;
    readonly TimeProvider time;
    readonly Action<ConsoleSighting> sighted;
    readonly ILogger logger;
    readonly Lock gate = new();
    readonly SemaphoreSlim typing = new(1, 1);
    readonly List<ConsoleViewer> viewers = [];
    readonly Queue<ConsoleEntry> tail = [];
    readonly ConsoleWatch watch = new();
    int tailLength;
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

    public bool IsConnected => Volatile.Read(ref line) is not null;

    /// <summary>Keeps the port until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[8192];
        var retry = FirstRetry;
        string? complaint = null;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await using var opened = await port.OpenAsync(cancellationToken);
                Volatile.Write(ref line, opened);
                Mark($"connected to {port.Name}");
                (retry, complaint) = (FirstRetry, null);
                int count;
                while ((count = await opened.ReadAsync(buffer, cancellationToken)) > 0) Take(buffer.AsSpan(0, count));
                Lose("the other side closed the line");
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                Lose("the appliance let go of the line");
                return;
            }
            catch (IOException e)
            {
                if (line is not null) Lose(e.Message);
                // The same complaint every fifteen seconds is one complaint.
                if (complaint != e.Message) CannotOpen(node, port.Name, e.Message);
                complaint = e.Message;
            }
            await Task.Delay(retry, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            retry = retry * 2 < LongestRetry ? retry * 2 : LongestRetry;
        }
    }

    /// <summary>Lets the record reach the kernel, or the disk; called in turn for all consoles by their hub.</summary>
    /// <exception cref="IOException">The record cannot be written; it is tried again at the next call.</exception>
    public void Flush(bool toDisk)
    {
        lock (gate) record.Flush(toDisk);
    }

    public ConsoleViewer Join(string who)
    {
        var viewer = new ConsoleViewer(this, who);
        lock (gate)
        {
            foreach (var entry in tail) viewer.Show(entry);
            viewers.Add(viewer);
        }
        return viewer;
    }

    internal void Leave(ConsoleViewer viewer)
    {
        lock (gate)
        {
            viewers.Remove(viewer);
            if (writer == viewer) writer = null;
        }
    }

    internal void TakeOver(ConsoleViewer viewer)
    {
        lock (gate)
        {
            if (writer == viewer) return;
            var before = writer?.Who;
            writer = viewer;
            Keep(ConsoleEntryKind.Mark, Encoding.UTF8.GetBytes(before is null ? $"{viewer.Who} types" : $"{viewer.Who} took over from {before}"));
        }
    }

    internal async ValueTask<TypeResult> TypeAsync(ConsoleViewer viewer, ReadOnlyMemory<byte> octets, CancellationToken cancellationToken)
    {
        if (!MayType(viewer)) return TypeResult.NotYours;
        await typing.WaitAsync(cancellationToken);
        try
        {
            if (Volatile.Read(ref line) is not { } open) return TypeResult.NotConnected;
            await open.WriteAsync(octets, cancellationToken);
            return TypeResult.Typed;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            return TypeResult.NotConnected;
        }
        finally
        {
            typing.Release();
        }
    }

    internal async ValueTask<TypeResult> SendBreakAsync(ConsoleViewer viewer, CancellationToken cancellationToken)
    {
        if (!MayType(viewer)) return TypeResult.NotYours;
        if (Volatile.Read(ref line) is not { } open) return TypeResult.NotConnected;
        if (open is not ISerialBreak serial) return TypeResult.Unsupported;
        await serial.SendBreakAsync(cancellationToken);
        lock (gate) Keep(ConsoleEntryKind.Mark, Encoding.UTF8.GetBytes($"{viewer.Who} sent a break"));
        return TypeResult.Typed;
    }

    public void Dispose()
    {
        lock (gate)
        {
            record.Flush(toDisk: true);
            record.Dispose();
        }
    }

    bool MayType(ConsoleViewer viewer)
    {
        lock (gate)
        {
            if (writer is null) TakeOver(viewer);
            return writer == viewer;
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

    void Lose(string reason)
    {
        Volatile.Write(ref line, null);
        Mark($"the line was lost: {reason}");
        LineLost(node, reason);
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

    [LoggerMessage(LogLevel.Information, "console of {Node}: the line was lost: {Reason}")]
    partial void LineLost(string node, string reason);

    [LoggerMessage(LogLevel.Warning, "console of {Node}: {Port} cannot be opened: {Reason}; trying on")]
    partial void CannotOpen(string node, string port, string reason);
}
