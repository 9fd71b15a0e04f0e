using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Switches.Fleet;

namespace GridAppliance.Fabric;

/// <summary>
/// Looks for nodes that have just sent their first packet, in the switches' forwarding tables. A table is some time behind the wire, so a node that is not found is looked for
/// again, less and less often.
/// </summary>
sealed partial class NodeLocator(SwitchFleet fleet, FabricState state, FabricPokes pokes, NodeDirectory nodes, TimeProvider clock, ILogger<NodeLocator> logger)
{
    /// <summary>Between two looks, however many nodes boot; twice as long after each look that was in vain.</summary>
    static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(200);
    /// <summary>A switch that takes longer is not waited for: the others may have seen the node.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);
    static readonly TimeSpan Forever = TimeSpan.FromHours(1);
    /// <summary>Looks until the next full reading has to do: 0.2 s, 0.4 s … are 25 s together.</summary>
    const int MostLooks = 7;
    const int AtOnce = 32;

    readonly Dictionary<string, int> wanted = new(StringComparer.Ordinal);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var next = clock.GetUtcNow();
        // Whoever asked to boot before anybody listened here.
        foreach (var node in nodes.Current.Nodes.Where(n => !n.LocatedBySwitch)) pokes.Locate(node.Name);
        while (true)
        {
            await Waiting.UntilAsync(pokes.Nodes, wanted.Count == 0 ? Forever : next - clock.GetUtcNow(), clock, cancellationToken);
            var isNew = false;
            while (pokes.Nodes.TryRead(out var node))
            {
                isNew |= !wanted.ContainsKey(node);
                // Looked for from the beginning: it has just sent something.
                wanted[node] = 0;
            }
            if (wanted.Count == 0 || (clock.GetUtcNow() < next && !isNew)) continue;
            await LookAsync(cancellationToken);
            var pause = Breath * (wanted.Count == 0 ? 1 : Math.Pow(2, wanted.Values.Min()));
            next = clock.GetUtcNow() + pause;
            // Somebody new is worth a look before that, but not one for each.
            if (wanted.Count == 0) await Task.Delay(Breath, clock, cancellationToken);
        }
    }

    async Task LookAsync(CancellationToken cancellationToken)
    {
        // A node that has a place is asked for there; only when it is not there any more, everywhere.
        var everywhere = wanted.Any(w => w.Value > 0 || nodes.Current.Find(w.Key) is not { LocatedBySwitch: true });
        var where = everywhere ? fleet.Current.Values : wanted.Select(w => nodes.Current.Find(w.Key)?.Switch).OfType<string>().Distinct().Select(fleet.Find).OfType<ManagedSwitch>();
        await Parallel.ForEachAsync(where.Where(s => s.Trouble is null), new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, async (one, token) => await ReadAsync(one, token));
        await state.RenewAsync(cancellationToken);
        foreach (var (name, looks) in wanted.ToList())
        {
            var isFound = nodes.Current.Find(name) is not { } node || node.Macs.Any(state.Current.Placements.ContainsKey);
            if (isFound || looks + 1 >= MostLooks || fleet.Current.Count == 0) wanted.Remove(name);
            else wanted[name] = looks + 1;
        }
    }

    async Task ReadAsync(ManagedSwitch one, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            await one.ReadForwardingAsync(either.Token);
        }
        catch (DeviceException e)
        {
            LogNotRead(one.Name, e.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            LogNotRead(one.Name, "it takes too long");
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Switch {Name}, for its forwarding table: {Reason}")]
    partial void LogNotRead(string name, string reason);
}
