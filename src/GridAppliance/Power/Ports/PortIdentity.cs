using System.Collections.Immutable;
using GridAppliance.Nodes;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Power.Ports;

/// <summary>What a BMC says of itself and of the machine that it is in: by this it is found out whose it is.</summary>
sealed record PortIdentity
{
    /// <summary>The machine's UUID in each of the orders of octets in which firmware is known to give it.</summary>
    public ImmutableArray<Guid> Uuids { get; init; } = [];
    /// <summary>The BMC's own NIC, which some boards share with the machine.</summary>
    public MacAddress? Mac { get; init; }
    /// <summary>The machine's NICs, where the BMC tells them.</summary>
    public ImmutableArray<MacAddress> MachineMacs { get; init; } = [];
}

/// <summary>Finds out whose a port is. Pure.</summary>
static class PortOwner
{
    /// <summary>The node and, in words, the evidence; null when there is none, or when it fits several: boards that share one UUID are told apart by nothing.</summary>
    public static (Node Node, string Evidence)? Of(NodePort port, IEnumerable<Node> nodes)
    {
        List<Node> byAddress = [], byUuid = [], byMac = [];
        foreach (var node in nodes)
        {
            if (node.State == NodeState.Retired) continue;
            if (port.Scheme.Kind == PortKind.Bmc && node.Inventory?.Bmc?.Address is { } inBand && inBand == port.Address.Host) byAddress.Add(node);
            if (port.Identity is not { } identity) continue;
            if (node.Uuid is { } uuid && identity.Uuids.Contains(uuid)) byUuid.Add(node);
            if (identity.Mac is { } mac && node.Macs.Contains(mac) || identity.MachineMacs.Any(own => node.Macs.Contains(own))) byMac.Add(node);
        }
        // A node that names another's BMC as its own would have that one's machine switched off in its place: what contradicts itself is for a person to decide.
        if (byAddress.Count > 1 || byAddress is [var claimant] && byUuid.Any(node => node.Id != claimant.Id)) return null;
        if (byAddress is [var told]) return (told, "its agent has read that address from its BMC");
        if (byUuid is [var same]) return (same, $"both say that the machine's UUID is {same.Uuid}");
        if (byUuid.Count > 1) return null;
        return byMac is [var shared] ? (shared, $"the NIC {shared.Macs.First(own => own == port.Identity!.Mac || port.Identity.MachineMacs.Contains(own))} is its own") : null;
    }
}
