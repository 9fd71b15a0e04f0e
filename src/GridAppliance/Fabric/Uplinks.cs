using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net.NetworkInformation;
using GridAppliance.Nodes;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Switches;
using GridAppliance.Switches.Fleet;

namespace GridAppliance.Fabric;

/// <summary>What has to be known to tell an uplink from a port with a machine on it.</summary>
sealed record UplinkFacts
{
    /// <summary>Addresses of this machine's own interfaces.</summary>
    public required IReadOnlySet<MacAddress> Own { get; init; }
    /// <summary>Which node an address belongs to.</summary>
    public required Func<MacAddress, Guid?> NodeOf { get; init; }
    /// <summary>Whether a node has shown who it is, through its agent: others may be somebody's invention.</summary>
    public Func<Guid, bool> IsProven { get; init; } = static _ => false;
    /// <summary>Ports of this very switch that are known as our own way to it.</summary>
    public IReadOnlySet<string> OwnWays { get; init; } = new HashSet<string>();
    /// <summary>Whether a port of this very switch is a node's own.</summary>
    public Func<string, bool> IsHome { get; init; } = static _ => false;
    /// <summary>The port of this very switch that is an address's own; null when it has none here.</summary>
    public Func<MacAddress, string?> HomeOf { get; init; } = static _ => null;
    /// <summary>Whether an address is at home on a port of another switch.</summary>
    public Func<MacAddress, bool> IsAtHomeOnAnother { get; init; } = static _ => false;
    /// <summary>Addresses by which the looked-after switches call themselves.</summary>
    public required IReadOnlySet<MacAddress> Switches { get; init; }
    /// <summary>Whether the looked-after switch with an address sees this one in turn, on a port that is no node's own.</summary>
    public Func<MacAddress, bool> SeesUs { get; init; } = static _ => false;
}

/// <summary>
/// Which ports lead on to others, told from what is behind them. Pure. An uplink is never written, so a node must not be able to make one of its port, or it could not be taken out of its
/// VLAN any more. How many addresses there are is therefore no sign; and on a port that is a node's own nothing is that the node could say or send by itself: neither that it is a bridge,
/// nor that it is one of our switches, as long as that switch does not see us in turn (<see cref="FabricMapper"/> tells of all of them).
/// </summary>
static class Uplinks
{
    const string OwnWay = "is our own way to the switch";

    /// <summary>Whether a port was recognised as our own way to its switch.</summary>
    public static bool IsOwnWay(string why) => why == OwnWay;

    /// <returns>Names of ports, with how it is known.</returns>
    public static ImmutableDictionary<string, string> Of(SwitchReading reading, UplinkFacts facts)
    {
        var found = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var neighbour in reading.Neighbours)
        {
            if (neighbour.Port is { } number && reading.Snapshot.Ports.TryGetValue(number, out var port) && WhyOf(neighbour, port, facts) is { } why) found.TryAdd(port.Name, why);
        }
        foreach (var behind in reading.Forwarding.GroupBy(e => e.Port))
        {
            if (reading.Snapshot.Ports.TryGetValue(behind.Key, out var port) && WhyOf(reading.Snapshot, port, [.. behind.Select(e => e.Mac).Distinct()], facts) is { } why) found.TryAdd(port.Name, why);
        }
        return found.ToImmutable();
    }

    static string? WhyOf(SwitchNeighbour neighbour, SwitchPort port, UplinkFacts facts)
    {
        if (neighbour.ChassisMac is { } chassis && facts.Switches.Contains(chassis)) return IsBelieved(chassis, port, facts) ? $"leads to switch {Name(neighbour)}" : null;
        return !facts.IsHome(port.Name) && ClaimsToBeABridge(neighbour, mac => facts.NodeOf(mac) is not null) ? $"leads to {Name(neighbour)}, a bridge" : null;
    }

    /// <summary>Whether a neighbour calls itself a bridge and is none of the nodes: a server that hosts virtual machines calls itself one too, and its port is its own all the same.</summary>
    public static bool ClaimsToBeABridge(SwitchNeighbour neighbour, Func<MacAddress, bool> isNode) =>
        neighbour.IsBridge && !new[] { neighbour.ChassisMac, neighbour.PortMac }.Any(mac => mac is { } known && isNode(known));

    public static string Name(SwitchNeighbour neighbour) => neighbour.SystemName.Length > 0 ? neighbour.SystemName : neighbour.ChassisId;

    static bool IsBelieved(MacAddress other, SwitchPort port, UplinkFacts facts) => !facts.IsHome(port.Name) || facts.SeesUs(other);

    static string? WhyOf(SwitchSnapshot snapshot, SwitchPort port, List<MacAddress> behind, UplinkFacts facts)
    {
        if (behind.Any(facts.Own.Contains) && !IsForgery(snapshot, port, facts)) return OwnWay;
        if (behind.FirstOrDefault(mac => facts.Switches.Contains(mac) && IsBelieved(mac, port, facts)) is { IsZero: false } other) return $"leads to the switch with address {other}";
        var isHome = facts.IsHome(port.Name);
        var nodes = behind.Where(mac => !IsAtHomeElsewhere(mac, snapshot, port, facts) && !(isHome && facts.IsAtHomeOnAnother(mac))).Select(facts.NodeOf).OfType<Guid>().Distinct().ToList();
        var proven = nodes.Count(facts.IsProven);
        // Machines that never said who they are could be inventions of the one that has.
        var several = proven > 0 ? proven : nodes.Count;
        return several > 1 ? $"{several} nodes are behind it" : null;
    }

    // Our own address on a node's port, while the port that we are known to be on is there as ever.
    static bool IsForgery(SwitchSnapshot snapshot, SwitchPort port, UplinkFacts facts) =>
        facts.IsHome(port.Name) && facts.OwnWays.Any(way => !way.Equals(port.Name, StringComparison.OrdinalIgnoreCase) && snapshot.Port(way) is { HasLink: true });

    // Nobody is at two ports of one switch: whoever uses a neighbour's address does not make an uplink of his port.
    static bool IsAtHomeElsewhere(MacAddress mac, SwitchSnapshot snapshot, SwitchPort port, UplinkFacts facts) =>
        facts.HomeOf(mac) is { } home && home != port.Name && snapshot.Port(home) is { HasLink: true };
}

/// <summary>Gathers the facts: this machine's interfaces, the nodes, and the switches that were read so far.</summary>
sealed class UplinkRecogniser(NodeDirectory nodes, PortPins pins)
{
    readonly ConcurrentDictionary<string, SwitchReading> switches = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Addresses of this machine.</summary>
    public static IReadOnlySet<MacAddress> Own => OwnAddresses();

    /// <param name="name">The switch.</param>
    /// <param name="reading">What was read of it.</param>
    /// <param name="before">Its ports that were recognised so far.</param>
    public ImmutableDictionary<string, string> Recognise(string name, SwitchReading reading, ImmutableDictionary<string, RecognisedUplink> before)
    {
        switches[name] = reading;
        var known = nodes.Current;
        var others = switches.Where(s => !s.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).ToList();
        return Uplinks.Of(reading, new()
        {
            Own = Own,
            NodeOf = mac => known.Find(mac)?.Id,
            IsProven = id => known.Find(id) is { AgentLastSeen: not null },
            OwnWays = before.Where(u => Uplinks.IsOwnWay(u.Value.Why)).Select(u => u.Key).ToHashSet(StringComparer.OrdinalIgnoreCase),
            IsHome = port => pins.HasHome(new(name, port)),
            HomeOf = mac => pins.Of(mac) is { } pin && pin.Switch.Equals(name, StringComparison.OrdinalIgnoreCase) ? pin.Port : null,
            IsAtHomeOnAnother = mac => pins.Of(mac) is { } pin && !pin.Switch.Equals(name, StringComparison.OrdinalIgnoreCase),
            Switches = others.SelectMany(s => Addresses(s.Value)).ToHashSet(),
            SeesUs = address => others.Any(s => Addresses(s.Value).Contains(address) && Sees(s.Key, s.Value, Addresses(reading))),
        });
    }

    // By its own word, which is signed: a node cannot speak for it. Where a node could have told it of us does not count.
    bool Sees(string name, SwitchReading reading, ImmutableArray<MacAddress> addresses) =>
        reading.Neighbours.Where(n => n.ChassisMac is { } chassis && addresses.Contains(chassis)).Select(n => n.Port)
            .Concat(reading.Forwarding.Where(e => addresses.Contains(e.Mac)).Select(e => (int?)e.Port))
            .Any(number => number is { } known && reading.Snapshot.Ports.TryGetValue(known, out var port) && !pins.HasHome(new(name, port.Name)));

    static ImmutableArray<MacAddress> Addresses(SwitchReading reading) => [.. new[] { reading.Identity.BridgeAddress, reading.Identity.ChassisMac }.OfType<MacAddress>().Where(m => !m.IsZero)];

    public void Forget(string name) => switches.TryRemove(name, out _);

    static HashSet<MacAddress> OwnAddresses() =>
        [.. NetworkInterface.GetAllNetworkInterfaces().Select(i => i.GetPhysicalAddress().GetAddressBytes()).Where(a => a.Length == MacAddress.Length).Select(a => MacAddress.Read(a)).Where(m => !m.IsZero)];
}
