using GridAppliance.Api.Switches;
using GridAppliance.Fabric;
using GridAppliance.Nodes;
using GridAppliance.Switches.Fleet;

namespace GridAppliance.Guard;

/// <summary>The guard as the management plane shows it. Pure.</summary>
static class GuardDocuments
{
    public static GuardDocument Of(GuardReport.Snapshot guard, FabricMap map, NodeSnapshot nodes, SwitchFleet fleet) => new()
    {
        Networks =
        [
            .. guard.Networks.Select(n => new NetworkGuardDocument
            {
                Network = n.Network, Interface = n.Interface, State = n.Trouble is null ? "on" : "failed", Reason = n.Trouble, Assigned = n.Assigned, Dropped = (long)n.Dropped,
            }),
        ],
        Forged = Forged(guard, nodes, fleet),
        Displaced = [.. map.Displaced.Select(d => new DisplacedNicDocument { Mac = d.Mac.ToString(), Node = d.Node, Own = d.Pin.ToString(), Seen = d.Seen.ToString() })],
    };

    /// <summary>Who sends in others' names, the latest first.</summary>
    public static IReadOnlyList<ForgedSourceDocument> Forged(GuardReport.Snapshot guard, NodeSnapshot nodes, SwitchFleet fleet) =>
    [
        .. guard.Forged.Select(f => new ForgedSourceDocument
        {
            Network = f.Network, Mac = f.Source.Mac.ToString(), Ip = f.Source.Address.ToString(), Packets = (long)f.Packets, First = f.First, Last = f.Last,
            Switch = f.From?.Switch, Port = f.From?.Port, Node = nodes.Find(f.Source.Mac)?.Name, Message = ForgedSources.Words(f, nodes, fleet),
        }),
    ];
}
