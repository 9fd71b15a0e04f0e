using System.Collections.Immutable;
using System.Threading.Channels;
using GridAppliance.Fabric;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.San.Vlans;
using GridAppliance.Store;

namespace GridAppliance.San;

/// <summary>A storage fabric as it was seen last.</summary>
/// <param name="At">When its zones were read; null: never yet.</param>
/// <param name="Zones">Those in force then.</param>
/// <param name="Trouble">Why it cannot be read; null while it can.</param>
sealed record SanSight(DateTimeOffset? At, IReadOnlyList<SanZone> Zones, string? Trouble);

/// <summary>
/// Looks at every storage fabric now and then, and when something was changed on it: for the map, and for targets that have forgotten their zones or have a change that was not
/// finished, which are mended at once.
/// </summary>
sealed partial class SanWatcher(SanFabrics fabrics, Timeline timeline, ApplianceProblems problems, TimeProvider clock, ILogger<SanWatcher> logger) : BackgroundService
{
    /// <summary>A target of this machine costs next to nothing to ask, and nodes wait for what it has forgotten.</summary>
    static readonly TimeSpan Look = TimeSpan.FromSeconds(5);
    static readonly TimeSpan OthersEvery = TimeSpan.FromMinutes(1);
    /// <summary>Zones that are VLANs are read from every switch.</summary>
    static readonly TimeSpan VlansEvery = TimeSpan.FromMinutes(5);
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    // Full: one poke is as good as many.
    readonly Channel<bool> pokes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    readonly Dictionary<string, DateTimeOffset> next = new(StringComparer.OrdinalIgnoreCase);
    ImmutableDictionary<string, SanSight> sights = ImmutableDictionary.Create<string, SanSight>(StringComparer.OrdinalIgnoreCase);

    public IReadOnlyDictionary<string, SanSight> Current => Volatile.Read(ref sights);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        void Changed(string fabric)
        {
            lock (next) next.Remove(fabric);
            pokes.Writer.TryWrite(true);
        }
        fabrics.Changed += Changed;
        using var meter = SanFeature.Observe(this);
        try
        {
            while (true)
            {
                await LookAsync(stoppingToken);
                await Waiting.UntilAsync(pokes.Reader, Look, clock, stoppingToken);
                pokes.Reader.TryRead(out _);
            }
        }
        finally
        {
            fabrics.Changed -= Changed;
        }
    }

    async Task LookAsync(CancellationToken cancellationToken)
    {
        var current = fabrics.Current;
        foreach (var gone in Current.Keys.Where(name => !current.ContainsKey(name)).ToList())
        {
            ImmutableInterlocked.TryRemove(ref sights, gone, out _);
            problems.Clear(Code(gone));
        }
        await Task.WhenAll(current.Values.Where(f => IsDue(f.Record.Name, f.Fabric)).Select(f => LookAtAsync(f.Record.Name, f.Fabric, cancellationToken)));
    }

    bool IsDue(string name, ISanFabric fabric)
    {
        var now = clock.GetUtcNow();
        lock (next)
        {
            if (next.TryGetValue(name, out var then) && now < then) return false;
            next[name] = now + (fabric is KeptFabric ? TimeSpan.Zero : fabric is VlanFabric ? VlansEvery : OthersEvery);
            return true;
        }
    }

    async Task LookAtAsync(string name, ISanFabric fabric, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            var (zones, made) = fabric is IRestoringFabric restoring ? await restoring.RestoreAsync(either.Token) : (await fabric.ReadAsync(either.Token), []);
            Saw(name, new(clock.GetUtcNow(), zones, null));
            problems.Clear(Code(name));
            if (made.Count > 0)
                await timeline.AppendAsync(new NewEvent("san.restored", $"storage fabric {name} had lost zones, or a change of them was not finished: {string.Join(", ", made)} {(made.Count == 1 ? "is" : "are")} as before") { Severity = EventSeverity.Warning }, cancellationToken);
        }
        catch (Exception e) when (e is DeviceException or StoreException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            var reason = e is OperationCanceledException ? $"did not answer within {Patience.TotalSeconds:0} s" : e.Message;
            var before = Current.GetValueOrDefault(name);
            if (before?.Trouble is null) LogNotRead(name, reason);
            Saw(name, new(before?.At, before?.Zones ?? [], reason));
            problems.Raise(Code(name), $"storage fabric {name} cannot be read: {reason}", "Look at the fabric and the way to it; what was left on it is made good when it answers.");
        }
    }

    void Saw(string name, SanSight sight)
    {
        // It may have been let go meanwhile.
        if (fabrics.Current.ContainsKey(name)) ImmutableInterlocked.AddOrUpdate(ref sights, name, sight, (_, _) => sight);
    }

    static string Code(string name) => $"san.unread.{name}";

    [LoggerMessage(Level = LogLevel.Warning, Message = "Storage fabric {Name} cannot be read: {Reason}")]
    partial void LogNotRead(string name, string reason);
}
