using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Switches.Fleet;

namespace GridAppliance.Fabric;

/// <summary>
/// Reads every switch once a minute, and the forwarding tables at once when a node asks to boot, so that it is placed from its first packet. Looks again, less and less often, as
/// long as a node that asked is not found: a switch's table is some time behind the wire.
/// </summary>
sealed partial class FabricWatcher(SwitchFleet fleet, FabricState state, FabricPokes pokes, NodeDirectory nodes, Timeline timeline, TimeProvider clock, ILogger<FabricWatcher> logger) : BackgroundService
{
    static readonly TimeSpan Period = TimeSpan.FromMinutes(1);
    /// <summary>Between two looks at forwarding tables, however many nodes boot.</summary>
    static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(200);
    /// <summary>Switches read at once.</summary>
    const int AtOnce = 16;
    /// <summary>How often a node is looked for until the next full reading has to do: 0.2 s, 0.4 s … are 25 s together.</summary>
    const int MostLooks = 7;

    readonly Dictionary<string, int> wanted = new(StringComparer.Ordinal);
    DateTimeOffset nextFull, nextLook;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        void Renew() => pokes.Poke(new FabricPoke.Renew());
        fleet.Changed += Renew;
        try
        {
            await Task.WhenAll(ListenAsync(stoppingToken), WatchAsync(stoppingToken));
        }
        finally
        {
            fleet.Changed -= Renew;
        }
    }

    // The timeline is where a boot is first told of, after the node is written down: a look before that would not know whose address it sees.
    async Task ListenAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            using var subscription = timeline.Subscribe();
            await foreach (var happened in subscription.Reader.ReadAllAsync(cancellationToken))
            {
                if (happened is { Kind: "dhcp.discover", Node: { } node }) pokes.Poke(new FabricPoke.Locate(node));
            }
            // It fell behind and was let go: whoever was missed is found with the next full reading.
        }
    }

    async Task WatchAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            await UntilSomethingIsDueAsync(cancellationToken);
            var dueSwitches = new HashSet<ManagedSwitch>();
            var isRenewal = false;
            while (pokes.Reader.TryRead(out var poke)) isRenewal |= Take(poke, dueSwitches);
            var now = clock.GetUtcNow();
            if (now >= nextFull)
            {
                nextFull = now + Period;
                dueSwitches.UnionWith(fleet.Current.Values);
            }
            await EachAsync(dueSwitches, ReadAsync, cancellationToken);
            if (wanted.Count > 0 && now >= nextLook) await LookAsync(dueSwitches, cancellationToken);
            else if (dueSwitches.Count > 0 || isRenewal) await state.RenewAsync(cancellationToken);
        }
    }

    async Task UntilSomethingIsDueAsync(CancellationToken cancellationToken)
    {
        var due = wanted.Count > 0 && nextLook < nextFull ? nextLook : nextFull;
        var wait = due - clock.GetUtcNow();
        if (wait <= TimeSpan.Zero) return;
        using var timeout = new CancellationTokenSource(wait, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await pokes.Reader.WaitToReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // It is time.
        }
    }

    /// <returns>Whether the map has to be made anew although nothing is read.</returns>
    bool Take(FabricPoke poke, HashSet<ManagedSwitch> due)
    {
        switch (poke)
        {
            case FabricPoke.Locate locate:
                // Looked for from the beginning: it has just sent something.
                wanted[locate.Node] = 0;
                if (nextLook < clock.GetUtcNow()) nextLook = clock.GetUtcNow();
                return false;
            case FabricPoke.Read { Switch: { } name }:
                if (fleet.Find(name) is { } one) due.Add(one);
                return false;
            case FabricPoke.Read:
                due.UnionWith(fleet.Current.Values);
                return false;
            case FabricPoke.Renew:
                due.UnionWith(fleet.Current.Values.Where(s => s.Reading is null));
                return true;
            default: throw new InvalidOperationException($"a poke of no known kind: {poke}");
        }
    }

    async Task LookAsync(HashSet<ManagedSwitch> justRead, CancellationToken cancellationToken)
    {
        // A node that has a place is asked for there; only when it is not there any more, everywhere.
        var everywhere = wanted.Any(w => w.Value > 0 || nodes.Current.Find(w.Key) is not { LocatedBySwitch: true });
        var where = everywhere ? fleet.Current.Values : wanted.Select(w => nodes.Current.Find(w.Key)?.Switch).OfType<string>().Distinct().Select(fleet.Find).OfType<ManagedSwitch>();
        await EachAsync(where.Except(justRead), ReadForwardingAsync, cancellationToken);
        await state.RenewAsync(cancellationToken);
        foreach (var (name, looks) in wanted.ToList())
        {
            var isFound = nodes.Current.Find(name) is not { } node || node.Macs.Any(state.Current.Placements.ContainsKey);
            if (isFound || looks + 1 >= MostLooks || fleet.Current.Count == 0) wanted.Remove(name);
            else wanted[name] = looks + 1;
        }
        nextLook = clock.GetUtcNow() + Breath * (wanted.Count == 0 ? 1 : Math.Pow(2, wanted.Values.Min()));
    }

    static Task EachAsync(IEnumerable<ManagedSwitch> switches, Func<ManagedSwitch, CancellationToken, Task> read, CancellationToken cancellationToken) =>
        Parallel.ForEachAsync(switches, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, async (one, token) => await read(one, token));

    async Task ReadForwardingAsync(ManagedSwitch one, CancellationToken cancellationToken)
    {
        try
        {
            await one.ReadForwardingAsync(cancellationToken);
        }
        catch (DeviceException e)
        {
            LogNotRead(one.Name, e.Message);
        }
    }

    async Task ReadAsync(ManagedSwitch one, CancellationToken cancellationToken)
    {
        var before = one.Trouble;
        try
        {
            await one.ReadAsync(cancellationToken);
            if (one.Record.Abilities is null) await fleet.ProbeAsync(one, cancellationToken);
            if (before is not null) await timeline.AppendAsync(new NewEvent("switch.reachable", $"switch {one.Name} answers again"), cancellationToken);
        }
        catch (DeviceException e)
        {
            LogNotRead(one.Name, e.Message);
            if (before?.Fault != e.Fault) await timeline.AppendAsync(new NewEvent("switch.trouble", $"switch {one.Name} cannot be read: {e.Message}") { Severity = EventSeverity.Warning }, cancellationToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Switch {Name}: {Reason}")]
    partial void LogNotRead(string name, string reason);
}
