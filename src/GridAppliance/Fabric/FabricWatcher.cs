using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Store;
using GridAppliance.Switches.Fleet;

namespace GridAppliance.Fabric;

/// <summary>
/// Keeps the readings of switches, and the map made from them, fresh: all of every switch once a minute and of one that has said that something happened; the forwarding tables at
/// once when a node asks to boot. The three go on side by side, so that a switch that does not answer keeps nobody from being found on the others.
/// </summary>
sealed partial class FabricWatcher(SwitchFleet fleet, FabricState state, FabricPokes pokes, NodeLocator locator, DriftReconciler drift, Timeline timeline, TimeProvider clock, ILogger<FabricWatcher> logger) : BackgroundService
{
    static readonly TimeSpan Period = TimeSpan.FromMinutes(1);
    /// <summary>A switch that has just begun not to answer is asked again so soon: most of the time it, or we, have only just started.</summary>
    static readonly TimeSpan SoonAgain = TimeSpan.FromSeconds(5);
    /// <summary>Switches read at once.</summary>
    const int AtOnce = 32;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        void Came()
        {
            foreach (var unread in fleet.Current.Values.Where(s => s.Reading is null)) pokes.Read(unread.Name);
            drift.ForgetAllBut(fleet.Current);
            pokes.Renew();
        }
        fleet.Changed += Came;
        using var observed = Telemetry.Observe(fleet, drift, state);
        try
        {
            await Task.WhenAll(ListenAsync(stoppingToken), ReadInTimeAsync(stoppingToken), RenewAsync(stoppingToken), locator.RunAsync(stoppingToken));
        }
        finally
        {
            fleet.Changed -= Came;
        }
    }

    // The timeline is where a boot is first told of, after the node is written down: a look before that would not know whose address it sees.
    async Task ListenAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            using var subscription = timeline.Subscribe();
            await foreach (var happened in subscription.Reader.ReadAllAsync(cancellationToken))
            {
                if (happened is { Kind: "dhcp.discover", Node: { } node }) pokes.Locate(node);
            }
            // It fell behind and was let go: whoever was missed is found with the next full reading.
        }
    }

    async Task ReadInTimeAsync(CancellationToken cancellationToken)
    {
        // Whether everything of it is to be read, or only if a cheap look says that something has changed.
        var due = new Dictionary<ManagedSwitch, bool>();
        var next = clock.GetUtcNow();
        while (true)
        {
            if (clock.GetUtcNow() >= next)
            {
                next = clock.GetUtcNow() + Period;
                foreach (var one in fleet.Current.Values) due.TryAdd(one, false);
            }
            while (pokes.Switches.TryRead(out var name))
            {
                if (fleet.Find(name) is { } one) due[one] = true;
            }
            await Parallel.ForEachAsync(due, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, async (one, token) => await ReadAsync(one.Key, one.Value, token));
            due.Clear();
            var now = clock.GetUtcNow();
            var isTroubleNew = fleet.Current.Values.Any(s => s.Trouble is { } trouble && now - trouble.Since < Period);
            await Waiting.UntilAsync(pokes.Switches, isTroubleNew && next - now > SoonAgain ? SoonAgain : next - now, clock, cancellationToken);
            if (isTroubleNew) foreach (var one in fleet.Current.Values.Where(s => s.Trouble is not null)) due.TryAdd(one, true);
        }
    }

    async Task RenewAsync(CancellationToken cancellationToken)
    {
        await foreach (var _ in pokes.Renewals.ReadAllAsync(cancellationToken)) await state.RenewAsync(cancellationToken);
    }

    async Task ReadAsync(ManagedSwitch one, bool everything, CancellationToken cancellationToken)
    {
        var before = one.Trouble;
        var links = one.Reading?.Snapshot;
        try
        {
            if (everything) await one.ReadAsync(cancellationToken);
            else everything = await one.GlanceAsync(cancellationToken);
            await one.TakeBackUnfinishedAsync(cancellationToken);
            pokes.Renew();
            await timeline.AppendAsync([.. LinkEvents.Of(one, links, state.Current)], cancellationToken);
            if (one.Record.Abilities is null) await fleet.ProbeAsync(one, cancellationToken);
            if (everything) await drift.ReconcileAsync(one, cancellationToken);
            if (before is not null) await timeline.AppendAsync(new NewEvent("switch.reachable", $"switch {one.Name} answers again"), cancellationToken);
        }
        catch (DeviceException e)
        {
            LogNotRead(one.Name, e.Message);
            if (before?.Fault != e.Fault) await timeline.AppendAsync(new NewEvent("switch.trouble", $"switch {one.Name} cannot be read: {e.Message}") { Severity = EventSeverity.Warning }, cancellationToken);
        }
        catch (StoreException e)
        {
            // The disk's trouble, not the switch's: it is told elsewhere, and what was not written down comes up again with the next reading.
            LogNotRead(one.Name, e.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Switch {Name}: {Reason}")]
    partial void LogNotRead(string name, string reason);
}
