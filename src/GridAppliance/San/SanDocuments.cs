using GridAppliance.Api.Switches;
using GridAppliance.Fabric;
using GridAppliance.Nodes;

namespace GridAppliance.San;

/// <summary>The storage side of the map as the management plane shows it: from what was read last, no fabric is asked.</summary>
sealed class SanDocuments(SanFabrics fabrics, SanWatcher watcher, SanBoots boots, TimedAccess access, NodeDirectory nodes)
{
    public IReadOnlyList<FabricStorageDocument> Map(FabricMap map)
    {
        var timed = access.Current.ToLookup(e => (e.Fabric, e.Zone, e.Initiator), e => e.Until);
        var byInitiator = boots.Current.Values.ToLookup(b => b.Initiator, b => b.Node);
        return
        [
            .. fabrics.Current.Values.Select(f =>
            {
                var sight = watcher.Current.GetValueOrDefault(f.Record.Name);
                return new FabricStorageDocument
                {
                    Name = f.Record.Name, Address = f.Record.Address.ToString(), LastRead = sight?.At, Problem = sight?.Trouble,
                    State = sight is null ? "unread" : sight.Trouble is not null ? "trouble" : "ok",
                    Zones = [.. sight?.Zones.OrderBy(z => z.Name, StringComparer.Ordinal).Select(z => new FabricZoneDocument { Name = z.Name, Storage = [.. z.Storage], Initiators = [.. z.Initiators.Select(i => Initiator(f.Record.Name, z.Name, i))] }) ?? []],
                };
            }),
        ];

        FabricInitiatorDocument Initiator(string fabric, string zone, string initiator) =>
            new() { Name = initiator, Node = NodeOf(initiator), Until = timed[(fabric, zone, initiator)].Cast<DateTimeOffset?>().FirstOrDefault() };

        // Its iSCSI name is what we gave it; where zones are VLANs, it is the port that it is on.
        string? NodeOf(string initiator) => byInitiator[initiator].Select(id => nodes.Current.Find(id)?.Name).FirstOrDefault(name => name is not null)
            ?? map.Placements.Values.FirstOrDefault(p => p.Where.Equals(initiator, StringComparison.OrdinalIgnoreCase))?.Node;
    }
}
