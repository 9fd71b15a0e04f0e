using GridAppliance.Api.Nodes;
using GridAppliance.Protocols.Lldp;

namespace GridAppliance.Agent.Inventory;

/// <summary>Who was heard on which NIC, until the neighbour's own time to live runs out. Written by the listener, read by the inventory.</summary>
sealed class NeighbourTable(TimeProvider clock)
{
    const int MaximumPerNic = 8;

    readonly Lock gate = new();
    readonly Dictionary<int, List<(LldpNeighbourDocument Neighbour, long Until)>> byNic = [];

    /// <summary>Takes in what was heard; true when that changes what the inventory shows.</summary>
    public bool Hear(int nic, in LldpMessage message)
    {
        var neighbour = new LldpNeighbourDocument
        {
            ChassisId = message.ChassisText,
            PortId = message.PortText,
            SystemName = LldpMessage.TextOf(message.SystemName),
            PortDescription = LldpMessage.TextOf(message.PortDescription),
            PortVlan = message.PortVlan,
        };
        var until = clock.GetTimestamp() + message.TimeToLiveSeconds * clock.TimestampFrequency;
        var isGoodbye = message.TimeToLiveSeconds == 0;
        lock (gate)
        {
            if (!byNic.TryGetValue(nic, out var heard)) byNic[nic] = heard = [];
            var changed = heard.RemoveAll(h => h.Until <= clock.GetTimestamp()) > 0;
            var at = heard.FindIndex(h => h.Neighbour.ChassisId == neighbour.ChassisId && h.Neighbour.PortId == neighbour.PortId);
            if (at >= 0)
            {
                changed |= isGoodbye || heard[at].Neighbour != neighbour;
                if (isGoodbye) heard.RemoveAt(at);
                else heard[at] = (neighbour, until);
                return changed;
            }
            // A wire with more neighbours than this is no cable to a switch; the rest would say nothing new.
            if (isGoodbye || heard.Count == MaximumPerNic) return changed;
            heard.Add((neighbour, until));
            return true;
        }
    }

    /// <summary>Neighbours of a NIC that are still valid.</summary>
    public IReadOnlyList<LldpNeighbourDocument> On(int nic)
    {
        lock (gate)
            return byNic.TryGetValue(nic, out var heard)
                ? [.. heard.Where(h => h.Until > clock.GetTimestamp()).Select(h => h.Neighbour).OrderBy(n => n.ChassisId, StringComparer.Ordinal).ThenBy(n => n.PortId, StringComparer.Ordinal)]
                : [];
    }
}
