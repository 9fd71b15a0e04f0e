using GridAppliance.Api.Switches;
using GridAppliance.Nodes;
using GridAppliance.Switches.Fleet;

namespace GridAppliance.Fabric;

/// <summary>The map as the management plane shows it. Pure.</summary>
static class FabricDocuments
{
    public static FabricMapDocument Of(FabricMap map, IEnumerable<ManagedSwitch> switches, NodeSnapshot nodes, int planned, IReadOnlyList<FabricStorageDocument> storage, IReadOnlyList<ForgedSourceDocument> forged) => new()
    {
        Switches =
        [
            .. switches.Select(s => new FabricSwitchDocument
            {
                Name = s.Name, State = SwitchDocuments.StateOf(s), LastRead = s.Reading?.At, Ports = [.. SwitchDocuments.Ports(s, map, nodes)],
            }),
        ],
        Placements =
        [
            .. map.Placements.Values.OrderBy(p => p.Node, Api.NodeRanges.NodeNameOrder.Instance).ThenBy(p => p.Mac)
                .Select(p => new PlacementDocument { Node = p.Node, Mac = p.Mac.ToString(), Switch = p.Switch, Port = p.Port, Sources = [.. p.Witnesses.Select(Text)] }),
        ],
        Unplaced = [.. nodes.Nodes.Where(n => FabricState.PlaceOf(n, map) is null).Select(n => n.Name).Order(Api.NodeRanges.NodeNameOrder.Instance)],
        Findings = [.. map.Findings.Select(f => new FabricFindingDocument { Kind = FabricState.KindText(f.Kind), Node = f.NodeId is { } id ? nodes.Find(id)?.Name : null, Message = f.Message })],
        Planned = planned,
        Storage = storage,
        Forged = forged,
    };

    static string Text(Witness witness) => witness switch
    {
        Witness.SwitchNeighbour => "switch-lldp",
        Witness.Forwarding => "forwarding",
        Witness.Agent => "agent-lldp",
        Witness.Relay => "dhcp-relay",
    };
}
