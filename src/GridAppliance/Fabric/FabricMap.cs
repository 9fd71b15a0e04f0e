using System.Collections.Immutable;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Switches.Fleet;

namespace GridAppliance.Fabric;

/// <summary>Who says that a NIC is behind a port; the better witness first.</summary>
enum Witness
{
    /// <summary>The switch has heard the NIC itself, over LLDP.</summary>
    SwitchNeighbour,
    /// <summary>The NIC's address is in the switch's forwarding table.</summary>
    Forwarding,
    /// <summary>The node's agent has heard the switch, over LLDP.</summary>
    Agent,
    /// <summary>The switch relayed the node's DHCP request and put the port into it (option 82).</summary>
    Relay,
}

/// <summary>A NIC behind a port.</summary>
sealed record Placement
{
    public required Guid NodeId { get; init; }
    public required string Node { get; init; }
    public required MacAddress Mac { get; init; }
    public required string Switch { get; init; }
    public required string Port { get; init; }
    /// <summary>All that say so, the best first.</summary>
    public required ImmutableArray<Witness> Witnesses { get; init; }

    public string Where => $"{Switch}/{Port}";
}

enum FindingKind
{
    /// <summary>A NIC is seen behind two ports at once: two machines with one address, or a loop.</summary>
    TwoPorts,
    /// <summary>A cable is in a port where the plan has another.</summary>
    WrongCable,
    /// <summary>The plan has a machine on a port, and it is nowhere to be seen.</summary>
    MissingCable,
    /// <summary>Two witnesses name different ports.</summary>
    Disagreement,
    /// <summary>A NIC's address is used on another port than its own, where its machine still is.</summary>
    Impostor,
    /// <summary>More addresses are behind a port than one machine has, and nothing says that it leads to a switch.</summary>
    Flood,
    /// <summary>Whoever is on a node's port says that it is a bridge, or one of our switches: the node could say so.</summary>
    Claim,
}

/// <summary>Something about the cabling that somebody should look at.</summary>
/// <param name="Subject">What it is about: the same text as long as it is the same thing.</param>
sealed record FabricFinding(FindingKind Kind, string Subject, Guid? NodeId, string Message);

/// <summary>Where everything is, at one moment. Immutable.</summary>
sealed record FabricMap
{
    public static FabricMap Empty { get; } = new();

    /// <summary>By NIC.</summary>
    public ImmutableDictionary<MacAddress, Placement> Placements { get; init; } = ImmutableDictionary<MacAddress, Placement>.Empty;
    public ImmutableArray<FabricFinding> Findings { get; init; } = [];
    /// <summary>NICs whose address is used elsewhere; they are not among the placements.</summary>
    public ImmutableArray<DisplacedNic> Displaced { get; init; } = [];
}

/// <summary>A switch as the map needs it.</summary>
/// <param name="Uplinks">The driver's numbers.</param>
sealed record MappedSwitch(string Name, SwitchReading Reading, IReadOnlySet<int> Uplinks)
{
    public bool IsEdge(int port) => port > 0 && !Uplinks.Contains(port) && Reading.Snapshot.Ports.TryGetValue(port, out var known) && known.HasLink != false;
}
