using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Power.Ports;
using GridAppliance.Store;

namespace GridAppliance.Power.Nodes;

/// <summary>
/// Hears what nodes' devices tell by themselves and puts it on their timelines. We connect to them and they never to us: a webhook would have BMCs call into the management plane. Where a device
/// offers no stream, its log is read now and then instead. What a device tells is also a reason to look at its machine's power at once.
/// </summary>
sealed partial class DeviceEventWatcher : BackgroundService
{
    /// <summary>Told of one device in a minute; a fan that flutters must not push everything else off the timeline.</summary>
    const int MostInAMinute = 30;
    const int LongestText = 300;

    static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(200);
    static readonly TimeSpan ConnectAgain = TimeSpan.FromSeconds(10);
    static readonly TimeSpan ReadLogAgain = TimeSpan.FromMinutes(5);
    static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    readonly NodePorts ports;
    readonly PowerReconciler power;
    readonly Timeline timeline;
    readonly TimeProvider time;
    readonly ILogger<DeviceEventWatcher> logger;
    readonly SemaphoreSlim poked = new(1, 1);
    /// <summary>Owned by the loop.</summary>
    readonly Dictionary<(Guid Port, DateTimeOffset SetAt), Listening> listening = [];

    sealed record Listening(CancellationTokenSource Ending, Task Running);

    public DeviceEventWatcher(NodePorts ports, PowerReconciler power, Timeline timeline, TimeProvider time, ILogger<DeviceEventWatcher> logger)
    {
        (this.ports, this.power, this.timeline, this.time, this.logger) = (ports, power, timeline, time, logger);
        ports.Changed += Poke;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await poked.WaitAsync(stoppingToken);
                await FollowPortsAsync(stoppingToken);
                await Task.Delay(Quiet, time, stoppingToken);
            }
        }
        finally
        {
            foreach (var key in listening.Keys) await EndAsync(key);
        }
    }

    async Task FollowPortsAsync(CancellationToken stoppingToken)
    {
        var wanted = ports.Current.ByAddress.Values.Where(port => port.Scheme.Can(typeof(IEventSource)) && ports.NodeOf(port) is not null).ToDictionary(port => (port.Id, port.SetAt));
        foreach (var gone in listening.Keys.Where(key => !wanted.ContainsKey(key)).ToList()) await EndAsync(gone);
        foreach (var (key, port) in wanted.Where(pair => !listening.ContainsKey(pair.Key)))
        {
            var ending = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            listening[key] = new(ending, ListenAsync(port, ending.Token));
        }
    }

    async Task EndAsync((Guid, DateTimeOffset) key)
    {
        if (!listening.Remove(key, out var ended)) return;
        await ended.Ending.CancelAsync();
        await ended.Running;
        ended.Ending.Dispose();
    }

    async Task ListenAsync(NodePort port, CancellationToken cancellationToken)
    {
        HashSet<string>? known = null;
        var told = new Told(time);
        try
        {
            while (true)
            {
                var pause = ConnectAgain;
                try
                {
                    await ports.UseAsync<IEventSource>(port, (source, token) => HearAsync(port, source, told, token), cancellationToken);
                }
                catch (DeviceException e) when (e.Fault == DeviceFault.Unsupported)
                {
                    known = await ReadLogAsync(port, known, told, cancellationToken);
                    pause = ReadLogAgain;
                }
                catch (DeviceException e)
                {
                    // It is in the port's state too; a wrong password waits for another.
                    NotHeard(port.Address.OriginalString, e.Message);
                    pause = ReadLogAgain;
                }
                catch (StoreException e)
                {
                    // A full disk is told elsewhere, and is no reason to listen no more.
                    NotWritten(port.Address.OriginalString, e.Message);
                }
                await Task.Delay(pause * (1 + Random.Shared.NextDouble() / 4), time, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The port is gone or changed, or the appliance stops.
        }
    }

    async Task HearAsync(NodePort port, IEventSource source, Told told, CancellationToken cancellationToken)
    {
        await foreach (var happened in source.WatchEventsAsync(cancellationToken))
        {
            await TellAsync(port, happened, told, cancellationToken);
            if (ports.NodeOf(port) is { } node) await power.LookOneAsync(node, cancellationToken);
        }
    }

    /// <summary>The first reading tells nothing: it is how old news is told from new.</summary>
    async Task<HashSet<string>?> ReadLogAsync(NodePort port, HashSet<string>? known, Told told, CancellationToken cancellationToken)
    {
        try
        {
            var entries = await ports.UseAsync<IEventLog, IReadOnlyList<DeviceEvent>>(port, (log, token) => log.ReadEventsAsync(token), cancellationToken);
            foreach (var entry in entries.Where(entry => known?.Contains(entry.Id) == false)) await TellAsync(port, entry, told, cancellationToken);
            return [.. entries.Select(entry => entry.Id)];
        }
        catch (DeviceException)
        {
            return known;
        }
    }

    async Task TellAsync(NodePort port, DeviceEvent happened, Told told, CancellationToken cancellationToken)
    {
        if (ports.NodeOf(port) is not { } node) return;
        if (!told.MayTell(out var unheard))
        {
            Telemetry.PortEventsPassedOver.Add(1, new KeyValuePair<string, object?>("device", port.Address.OriginalString));
            return;
        }
        var text = happened.Text.Length > LongestText ? happened.Text[..LongestText] + "…" : happened.Text;
        var severity = happened.Health is SensorHealth.Critical or SensorHealth.Failed or SensorHealth.Warning ? EventSeverity.Warning : EventSeverity.Info;
        await timeline.AppendAsync(NewEvent.About(node, "port.event", $"{port.Address.OriginalString} says: {text}{(unheard > 0 ? $" (and {unheard} more that were passed over)" : "")}", severity), cancellationToken);
    }

    void Poke()
    {
        // Already poked means that the coming look will see this change too.
        try { poked.Release(); }
        catch (SemaphoreFullException) { }
    }

    /// <summary>How much was told of one device in this minute. Owned by the one task that listens to it.</summary>
    sealed class Told(TimeProvider time)
    {
        long since = time.GetTimestamp();
        int count, passedOver;

        public bool MayTell(out int unheard)
        {
            unheard = 0;
            if (time.GetElapsedTime(since) >= Minute) (since, count) = (time.GetTimestamp(), 0);
            if (++count > MostInAMinute)
            {
                passedOver++;
                return false;
            }
            (unheard, passedOver) = (passedOver, 0);
            return true;
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Device} is not heard: {Reason}")]
    partial void NotHeard(string device, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "What came of {Device}'s words could not be written down: {Reason}")]
    partial void NotWritten(string device, string reason);
}
