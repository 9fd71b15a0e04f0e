using System.Collections.Immutable;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Switches;

/// <summary>A port of a switch.</summary>
sealed record SwitchPort
{
    /// <summary>The driver's own number for it: the bridge port, or the interface's index.</summary>
    public required int Number { get; init; }
    public int? IfIndex { get; init; }
    /// <summary>As the switch's own manual calls it.</summary>
    public required string Name { get; init; }
    public string Description { get; init; } = "";
    public bool? IsEnabled { get; init; }
    public bool? HasLink { get; init; }
    public PortVlans Vlans { get; init; } = PortVlans.Unknown;
}

/// <summary>A VLAN that the switch has.</summary>
sealed record SwitchVlan(VlanId Id, string Name);

/// <summary>All that was read of a switch at one time.</summary>
sealed record SwitchSnapshot
{
    /// <summary>By the driver's number.</summary>
    public required ImmutableSortedDictionary<int, SwitchPort> Ports { get; init; }
    public required ImmutableSortedDictionary<VlanId, SwitchVlan> Vlans { get; init; }
    /// <summary>Ports that carry VLANs which are not there yet: one that is made is on them at once, and nobody has changed the port.</summary>
    public ImmutableSortedSet<int> OpenTrunks { get; init; } = [];
    /// <summary>In which ways it departs from the standard.</summary>
    public ImmutableSortedSet<SwitchQuirk> Quirks { get; init; } = [];

    /// <summary>By name, as people ask for it; null when there is none.</summary>
    public SwitchPort? Port(string name) => Ports.Values.FirstOrDefault(p => p.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
}

/// <summary>An address that the switch has seen behind a port.</summary>
/// <param name="Vlan">Null where the switch does not say in which VLAN.</param>
/// <param name="Port">The driver's number; zero is the switch itself.</param>
/// <param name="Mac">Whose.</param>
readonly record struct ForwardingEntry(VlanId? Vlan, MacAddress Mac, int Port);

/// <summary>What a neighbour has said of itself over LLDP.</summary>
sealed record SwitchNeighbour
{
    /// <summary>Our side: the driver's number; null when it cannot be told.</summary>
    public int? Port { get; init; }
    /// <summary>Our side, as LLDP numbers it.</summary>
    public required int LocalPort { get; init; }
    public required string ChassisId { get; init; }
    public required string PortId { get; init; }
    public string PortDescription { get; init; } = "";
    public string SystemName { get; init; } = "";
    /// <summary>The neighbour's port, when it names it by its address.</summary>
    public MacAddress? PortMac { get; init; }
    public MacAddress? ChassisMac { get; init; }
    /// <summary>It says that it is a bridge: most switches do, and servers that host virtual machines.</summary>
    public bool IsBridge { get; init; }
}
