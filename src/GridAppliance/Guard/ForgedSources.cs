using System.Collections.Immutable;
using GridAppliance.Fabric;
using GridAppliance.Nodes;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Switches.Fleet;

namespace GridAppliance.Guard;

/// <summary>Who has sent from an address that is not his: how often, since when, and from which port of which switch. Tells the timeline of each once. Not safe for concurrent use.</summary>
sealed class ForgedSources(SwitchFleet fleet, NodeDirectory nodes, Timeline timeline)
{
    /// <summary>Told one by one at a look; a flood of made-up addresses is one event.</summary>
    const int MostTold = 8;

    readonly Dictionary<(string Network, SourcePair Source), ForgedSource> known = [];
    readonly HashSet<(string Network, SourcePair Source)> told = [];

    public ImmutableArray<ForgedSource> Current { get; private set; } = [];

    /// <summary>Some came from where no switch has said yet.</summary>
    public bool HasUnknownPorts { get; private set; }

    /// <param name="seen">All that the kernel remembers now; what it has forgotten is forgotten here too.</param>
    /// <param name="now">The time.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async Task SawAsync(IEnumerable<(string Network, SourcePair Source, ulong Packets)> seen, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var current = new Dictionary<(string, SourcePair), ForgedSource>();
        foreach (var (network, source, packets) in seen)
        {
            var before = known.GetValueOrDefault((network, source));
            var isNew = before is null || packets != before.Packets;
            current[(network, source)] = new()
            {
                Network = network, Source = source, Packets = packets, First = before?.First ?? now, Last = isNew ? now : before!.Last,
                From = PortOf(source.Mac) ?? before?.From,
            };
        }
        known.Clear();
        foreach (var (key, one) in current) known.Add(key, one);
        told.IntersectWith(known.Keys);
        Current = [.. known.Values.OrderByDescending(f => f.Last).ThenByDescending(f => f.Packets)];
        await TellAsync(now, cancellationToken);
        HasUnknownPorts = fleet.Current.Count > 0 && known.Values.Any(f => f.From is null && now - f.First < Patience);
    }

    /// <summary>A port is looked for so long before it is told without.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(12);

    async Task TellAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        // With its port, which takes a reading of the switch; without it when no switch says within a while.
        var untold = known.Where(k => !told.Contains(k.Key) && (k.Value.From is not null || fleet.Current.Count == 0 || now - k.Value.First >= Patience)).ToList();
        if (untold.Count == 0) return;
        foreach (var (key, _) in untold) told.Add(key);
        List<NewEvent> events = [.. untold.Take(MostTold).Select(u => Event(u.Value))];
        if (untold.Count > MostTold) events.Add(new("guard.forged", $"and {untold.Count - MostTold} other forged sources: `gridctl fabric guard`") { Severity = EventSeverity.Warning });
        await timeline.AppendAsync([.. events], cancellationToken);
    }

    NewEvent Event(ForgedSource one)
    {
        var message = Words(one, nodes.Current, fleet);
        // Whose machine it is that does so, not whose name it uses.
        return nodes.Current.Find(one.Source.Mac) is { } node ? NewEvent.About(node, "guard.forged", message, EventSeverity.Warning) : new("guard.forged", message) { Severity = EventSeverity.Warning };
    }

    public static string Words(ForgedSource one, NodeSnapshot nodes, SwitchFleet fleet)
    {
        var who = nodes.Find(one.Source.Mac) is { } node ? $"{node.Name}'s NIC {one.Source.Mac}" : $"a stranger, {one.Source.Mac},";
        var whose = nodes.Nodes.FirstOrDefault(n => n.Ip == one.Source.Address && !n.Macs.Contains(one.Source.Mac)) is { } victim ? $" ({victim.Name}'s)" : "";
        var from = one.From is { } port ? $"from port {port.Port} of switch {port.Switch}" : fleet.Current.Count == 0 ? "from a port that is not known: no switch is looked after" : "from a port that no switch has told";
        return $"{who} sends as {one.Source.Address}{whose} on network '{one.Network}' {from}; it was dropped";
    }

    // An uplink tells from which switch it came, not from which machine.
    PortPin? PortOf(MacAddress mac)
    {
        foreach (var one in fleet.Current.Values)
        {
            if (one.Reading is not { } reading) continue;
            var uplinks = one.PolicyOn(reading.Snapshot).Uplinks;
            foreach (var entry in reading.Forwarding)
            {
                if (entry.Mac == mac && !uplinks.Contains(entry.Port) && reading.Snapshot.Ports.TryGetValue(entry.Port, out var port)) return new(one.Name, port.Name);
            }
        }
        return null;
    }
}
