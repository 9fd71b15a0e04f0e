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
    /// <summary>The port of this very switch that is an address's own; null when it has none here.</summary>
    public Func<MacAddress, string?> HomeOf { get; init; } = static _ => null;
    /// <summary>Addresses by which the looked-after switches call themselves.</summary>
    public required IReadOnlySet<MacAddress> Switches { get; init; }
}

/// <summary>Which ports lead on to others, told from what is behind them. Pure.</summary>
static class Uplinks
{
    /// <summary>More addresses than these are not one machine: a host of virtual machines has a switch inside, and is treated as one.</summary>
    const int MostOfOneMachine = 32;
    /// <summary>How the reason ends where nothing but the number of addresses speaks for an uplink.</summary>
    public const string Crowded = "are behind it";

    /// <returns>Names of ports, with how it is known.</returns>
    public static ImmutableDictionary<string, string> Of(SwitchReading reading, UplinkFacts facts)
    {
        var found = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var neighbour in reading.Neighbours)
        {
            if (neighbour.Port is { } number && reading.Snapshot.Ports.TryGetValue(number, out var port) && WhyOf(neighbour, facts) is { } why) found.TryAdd(port.Name, why);
        }
        foreach (var behind in reading.Forwarding.GroupBy(e => e.Port))
        {
            if (reading.Snapshot.Ports.TryGetValue(behind.Key, out var port) && WhyOf(reading.Snapshot, port, [.. behind.Select(e => e.Mac).Distinct()], facts) is { } why) found.TryAdd(port.Name, why);
        }
        return found.ToImmutable();
    }

    static string? WhyOf(SwitchNeighbour neighbour, UplinkFacts facts)
    {
        if (neighbour.ChassisMac is { } chassis && facts.Switches.Contains(chassis)) return $"leads to switch {Name(neighbour)}";
        // A server that hosts virtual machines calls itself a bridge too; its port is its own all the same.
        var isNode = new[] { neighbour.ChassisMac, neighbour.PortMac }.Any(mac => mac is { } known && facts.NodeOf(known) is not null);
        return neighbour.IsBridge && !isNode ? $"leads to {Name(neighbour)}, a bridge" : null;
    }

    static string Name(SwitchNeighbour neighbour) => neighbour.SystemName.Length > 0 ? neighbour.SystemName : neighbour.ChassisId;

    static string? WhyOf(SwitchSnapshot snapshot, SwitchPort port, List<MacAddress> behind, UplinkFacts facts)
    {
        if (behind.Any(facts.Own.Contains)) return "is our own way to the switch";
        if (behind.FirstOrDefault(facts.Switches.Contains) is { IsZero: false } other) return $"leads to the switch with address {other}";
        var nodes = behind.Where(mac => !IsAtHomeElsewhere(mac, snapshot, port, facts)).Select(facts.NodeOf).OfType<Guid>().Distinct().Count();
        if (nodes > 1) return $"{nodes} nodes are behind it";
        return behind.Count > MostOfOneMachine ? $"{behind.Count} addresses {Crowded}" : null;
    }

    // Nobody is at two ports of one switch: whoever uses a neighbour's address does not make an uplink of his port.
    static bool IsAtHomeElsewhere(MacAddress mac, SwitchSnapshot snapshot, SwitchPort port, UplinkFacts facts) =>
        facts.HomeOf(mac) is { } home && home != port.Name && snapshot.Port(home) is { HasLink: true };
}

/// <summary>Gathers the facts: this machine's interfaces, the nodes, and the switches that were read so far.</summary>
sealed class UplinkRecogniser(NodeDirectory nodes, PortPins pins)
{
    readonly ConcurrentDictionary<string, ImmutableArray<MacAddress>> switches = new(StringComparer.OrdinalIgnoreCase);

    public ImmutableDictionary<string, string> Recognise(string name, SwitchReading reading)
    {
        switches[name] = [.. new[] { reading.Identity.BridgeAddress, reading.Identity.ChassisMac }.OfType<MacAddress>()];
        var known = nodes.Current;
        return Uplinks.Of(reading, new()
        {
            Own = OwnAddresses(),
            NodeOf = mac => known.Find(mac)?.Id,
            HomeOf = mac => pins.Of(mac) is { } pin && pin.Switch.Equals(name, StringComparison.OrdinalIgnoreCase) ? pin.Port : null,
            Switches = switches.Where(s => !s.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).SelectMany(s => s.Value).ToHashSet(),
        });
    }

    public void Forget(string name) => switches.TryRemove(name, out _);

    static HashSet<MacAddress> OwnAddresses() =>
        [.. NetworkInterface.GetAllNetworkInterfaces().Select(i => i.GetPhysicalAddress().GetAddressBytes()).Where(a => a.Length == MacAddress.Length).Select(a => MacAddress.Read(a)).Where(m => !m.IsZero)];
}
