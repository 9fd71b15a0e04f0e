using System.Collections.Immutable;
using GridAppliance.Api.Nodes;
using GridAppliance.Nodes;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Agents;

/// <summary>
/// What an agent's inventory changes about its node. Pure. An agent speaks for its own machine only: NICs that belong to another node stay there, whatever it claims.
/// </summary>
/// <param name="Node">The node with what is believed.</param>
/// <param name="Refused">NICs that were claimed and belong to another node.</param>
sealed record InventoryMerge(Node Node, ImmutableArray<(MacAddress Mac, string Owner)> Refused)
{
    public static InventoryMerge Of(NodeSnapshot nodes, Node node, InventoryDocument inventory)
    {
        var macs = node.Macs.ToBuilder();
        var refused = ImmutableArray.CreateBuilder<(MacAddress, string)>();
        foreach (var mac in Claimed(inventory))
        {
            if (nodes.Find(mac) is { } owner && owner.Id != node.Id) refused.Add((mac, owner.Name));
            else if (!macs.Contains(mac)) macs.Add(mac);
        }
        var (switchName, port) = node.LocatedBySwitch ? default : Locate(node.BootMac, inventory);
        var merged = node with
        {
            Inventory = inventory,
            Macs = macs.Count == node.Macs.Length ? node.Macs : macs.ToImmutable(),
            Uuid = Guid.TryParse(inventory.Uuid, out var uuid) && uuid != Guid.Empty ? uuid : node.Uuid,
            Arch = inventory.Arch ?? node.Arch,
            Firmware = inventory.Firmware is "bios" or "uefi" ? inventory.Firmware : node.Firmware,
            Switch = switchName ?? node.Switch,
            SwitchPort = switchName is null ? node.SwitchPort : port,
        };
        return new(merged, refused.ToImmutable());
    }

    /// <summary>What is wrong with what the node's agent claims, or with the image that it runs in; null when nothing is.</summary>
    public static string? ProblemOf(NodeSnapshot nodes, Node node) => node.Inventory is { } inventory ? Of(nodes, node, inventory).Problem : node.ImageProblem ?? node.ModuleProblem;

    public string? Problem => FalseClaim ?? Node.ImageProblem ?? Node.ModuleProblem;

    /// <summary>What its agent claims that is another node's, in one sentence.</summary>
    public string? FalseClaim => Refused.IsEmpty ? null
        : $"its agent claims {(Refused.Length == 1 ? "a NIC that belongs" : "NICs that belong")} to another node: {string.Join(", ", Refused.Take(4).Select(r => $"{r.Mac} ({r.Owner})"))}";

    /// <summary>The switch and port that announced themselves by LLDP: on the NIC that it boots from, or on any other if that one heard nothing.</summary>
    public static (string? Switch, string? Port) Locate(MacAddress bootMac, InventoryDocument inventory)
    {
        var heard = inventory.Nics.OrderByDescending(nic => MacAddress.TryParse(nic.Mac, out var mac) && mac == bootMac)
            .SelectMany(nic => nic.Neighbours).FirstOrDefault(neighbour => (neighbour.SystemName ?? neighbour.ChassisId) is not null);
        return (heard?.SystemName ?? heard?.ChassisId, heard?.PortId ?? heard?.PortDescription);
    }

    static IEnumerable<MacAddress> Claimed(InventoryDocument inventory) => inventory.Nics
        .Select(nic => MacAddress.TryParse(nic.Mac, out var mac) ? mac : default).Where(mac => !mac.IsZero && !mac.IsMulticast).Distinct();
}
