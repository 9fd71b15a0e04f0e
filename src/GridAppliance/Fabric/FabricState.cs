using System.Collections.Immutable;
using GridAppliance.Nodes;
using GridAppliance.Store;
using GridAppliance.Switches.Fleet;

namespace GridAppliance.Fabric;

/// <summary>
/// The one owner of the map: makes it anew from what the switches said last, tells the timeline what has changed, and writes into each node where it is. Made
/// by <see cref="FabricWatcher"/> and what it runs, one at a time; read by everybody.
/// </summary>
sealed class FabricState(SwitchFleet fleet, NodeDirectory nodes, Timeline timeline, CablingStore store, PortPins pins, FabricPokes pokes)
{
    const int LocatedAtOnce = 64;

    readonly SemaphoreSlim renewing = new(1, 1);
    FabricMap current = FabricMap.Empty;
    Cabling cabling = store.Load();

    public FabricMap Current => Volatile.Read(ref current);

    public Cabling Cabling => Volatile.Read(ref cabling);

    public async Task PlanAsync(Cabling plan, CancellationToken cancellationToken)
    {
        await store.SaveAsync(plan, cancellationToken);
        Volatile.Write(ref cabling, plan);
    }

    public async Task RenewAsync(CancellationToken cancellationToken)
    {
        await renewing.WaitAsync(cancellationToken);
        try
        {
            await MakeAsync(cancellationToken);
        }
        finally
        {
            renewing.Release();
        }
    }

    async Task MakeAsync(CancellationToken cancellationToken)
    {
        var read = fleet.Current.Values.Where(s => s.Reading is not null)
            .Select(s => new MappedSwitch(s.Name, s.Reading!, s.PolicyOn(s.Reading!.Snapshot).Uplinks)).ToList();
        if (read.Count == 0 && Current == FabricMap.Empty) return;
        var before = Current;
        var map = await pins.ApplyAsync(new FabricMapper(read, nodes.Current, Cabling, UplinkRecogniser.Own, pins.HasHome).Map(), nodes.Current, HoldsAMachine, cancellationToken);
        // Whether its own port has a link is not in the cheap readings: all of that switch is read before this is believed for long.
        foreach (var displaced in map.Displaced.Where(d => before.Displaced.All(b => b.Mac != d.Mac))) pokes.Read(displaced.Pin.Switch);
        Volatile.Write(ref current, map);
        await timeline.AppendAsync([.. Tell(before, map)], cancellationToken);
        // Side by side, so that the store writes many in one go: a whole room that is cabled anew would be a commit for each otherwise.
        await Parallel.ForEachAsync(nodes.Current.Nodes, new ParallelOptions { MaxDegreeOfParallelism = LocatedAtOnce, CancellationToken = cancellationToken }, async (node, token) => await LocateAsync(node, map, token));
    }

    bool HoldsAMachine(PortPin pin) =>
        fleet.Find(pin.Switch) is { Reading: { } reading } one && reading.Snapshot.Port(pin.Port) is { HasLink: true } port && !one.PolicyOn(reading.Snapshot).Uplinks.Contains(port.Number);

    /// <summary>Where a node is: where its boot NIC is, or any other of its NICs.</summary>
    public static Placement? PlaceOf(Node node, FabricMap map) =>
        map.Placements.GetValueOrDefault(node.BootMac) ?? node.Macs.Select(map.Placements.GetValueOrDefault).OfType<Placement>().OrderBy(p => p.Where, StringComparer.Ordinal).FirstOrDefault();

    // A node that is nowhere to be seen keeps its place: it is switched off, and its cable is where it was.
    async Task LocateAsync(Node node, FabricMap map, CancellationToken cancellationToken)
    {
        if (PlaceOf(node, map) is not { } place || (node.LocatedBySwitch && (node.Switch, node.SwitchPort) == (place.Switch, place.Port))) return;
        try
        {
            await nodes.ChangeAsync(node.Id, latest =>
            {
                if (latest.LocatedBySwitch && (latest.Switch, latest.SwitchPort) == (place.Switch, place.Port)) return null;
                var next = latest with { Switch = place.Switch, SwitchPort = place.Port, LocatedBySwitch = true };
                var how = Words(place.Witnesses[0]);
                return (next, [latest is { LocatedBySwitch: true, Switch: { } from, SwitchPort: var port }
                    ? NewEvent.About(next, "node.moved", $"its cable was moved from {from}/{port} to {place.Where} ({how})", EventSeverity.Warning)
                    : NewEvent.About(next, "node.located", $"is behind port {place.Port} of switch {place.Switch} ({how})")]);
            }, cancellationToken);
        }
        catch (StoreException)
        {
            // A full disk is told elsewhere, and this is looked at again with the next map.
        }
    }

    static string Words(Witness witness) => witness switch
    {
        Witness.SwitchNeighbour => "the switch has heard it over LLDP",
        Witness.Forwarding => "from the switch's forwarding table",
        Witness.Agent => "its agent has heard the switch over LLDP",
        Witness.Relay => "the switch relayed its DHCP request",
    };

    IEnumerable<NewEvent> Tell(FabricMap before, FabricMap after)
    {
        var known = before.Findings.Select(f => (f.Kind, f.Subject)).ToHashSet();
        var still = after.Findings.Select(f => (f.Kind, f.Subject)).ToHashSet();
        foreach (var finding in after.Findings.Where(f => !known.Contains((f.Kind, f.Subject)))) yield return Event(finding, $"fabric.{KindText(finding.Kind)}", finding.Message, EventSeverity.Warning);
        foreach (var finding in before.Findings.Where(f => !still.Contains((f.Kind, f.Subject)))) yield return Event(finding, $"fabric.{KindText(finding.Kind)}-gone", $"no longer so: {finding.Message}", EventSeverity.Info);
    }

    NewEvent Event(FabricFinding finding, string kind, string message, EventSeverity severity) =>
        finding.NodeId is { } id && nodes.Current.Find(id) is { } node ? NewEvent.About(node, kind, message, severity) : new(kind, message) { Severity = severity };

    public static string KindText(FindingKind kind) => kind switch
    {
        FindingKind.TwoPorts => "two-ports",
        FindingKind.WrongCable => "wrong-cable",
        FindingKind.MissingCable => "missing-cable",
        FindingKind.Disagreement => "disagreement",
        FindingKind.Impostor => "impostor",
        FindingKind.Flood => "flood",
        FindingKind.Claim => "claim",
    };
}
