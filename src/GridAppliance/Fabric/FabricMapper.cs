using System.Collections.Immutable;
using GridAppliance.Nodes;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Switches;

namespace GridAppliance.Fabric;

/// <summary>
/// Puts forwarding tables, LLDP from both sides and option 82 together: which NIC of which node is behind which port. An address that is seen behind an uplink says nothing about
/// where it is; one seen behind a port whose link is down says where it was. Pure.
/// </summary>
sealed class FabricMapper(IReadOnlyList<MappedSwitch> switches, NodeSnapshot nodes, Cabling cabling, IReadOnlySet<MacAddress> own, Func<PortPin, bool> isHome)
{
    /// <summary>More addresses than these are not one machine's NICs.</summary>
    const int MostOfOneMachine = 32;

    readonly List<FabricFinding> findings = [];
    readonly Dictionary<MacAddress, List<(Witness Witness, string Switch, string Port)>> sightings = [];
    readonly ILookup<MacAddress, string> switchesByAddress = switches
        .SelectMany(s => new[] { s.Reading.Identity.BridgeAddress, s.Reading.Identity.ChassisMac }.OfType<MacAddress>().Where(mac => !mac.IsZero).Select(mac => (Mac: mac, s.Name))).ToLookup(s => s.Mac, s => s.Name);

    public FabricMap Map()
    {
        foreach (var one in switches)
        {
            ReadNeighbours(one);
            ReadForwarding(one);
        }
        // What the switches see teaches how they count their ports in option 82: after them.
        ReadRelays(new(switches, nodes, LivePlace));
        foreach (var node in nodes.Nodes) ReadAgent(node);
        var placements = sightings.Select(s => Place(s.Key, s.Value)).OfType<Placement>().ToImmutableDictionary(p => p.Mac);
        CheckPlan(placements);
        foreach (var one in switches)
        {
            CheckAddresses(one, placements);
            CheckClaims(one, placements);
        }
        return new() { Placements = placements, Findings = [.. findings.OrderBy(f => f.Kind).ThenBy(f => f.Subject, StringComparer.Ordinal)] };
    }

    void ReadNeighbours(MappedSwitch one)
    {
        foreach (var neighbour in one.Reading.Neighbours)
        {
            if (neighbour.Port is not { } number || !one.IsEdge(number)) continue;
            // A machine names its chassis after one of its NICs, on every NIC: only the port's own address says which NIC this is.
            if ((neighbour.PortMac ?? neighbour.ChassisMac) is { } mac) Saw(mac, Witness.SwitchNeighbour, one, number);
        }
    }

    void ReadForwarding(MappedSwitch one)
    {
        foreach (var entry in one.Reading.Forwarding)
        {
            if (one.IsEdge(entry.Port)) Saw(entry.Mac, Witness.Forwarding, one, entry.Port);
        }
    }

    void ReadAgent(Node node)
    {
        foreach (var nic in node.Inventory?.Nics ?? [])
        {
            if (!MacAddress.TryParse(nic.Mac, out var mac)) continue;
            foreach (var heard in nic.Neighbours)
            {
                if (switches.FirstOrDefault(s => IsCalled(s, heard.SystemName, heard.ChassisId)) is not { } one) continue;
                if (PortCalled(one, heard.PortId, heard.PortDescription) is { } port && one.IsEdge(port.Number)) Saw(mac, Witness.Agent, one, port.Number);
            }
        }
    }

    static bool IsCalled(MappedSwitch one, string? name, string? chassis)
    {
        var identity = one.Reading.Identity;
        if (chassis is { Length: > 0 } && MacAddress.TryParse(chassis, out var mac) && (mac == identity.ChassisMac || mac == identity.BridgeAddress)) return true;
        return name is { Length: > 0 } && name.Equals(identity.Name, StringComparison.OrdinalIgnoreCase);
    }

    static SwitchPort? PortCalled(MappedSwitch one, params ReadOnlySpan<string?> names)
    {
        foreach (var name in names)
        {
            if (name is { Length: > 0 } && one.Reading.Snapshot.Port(name) is { } port) return port;
        }
        return null;
    }

    void ReadRelays(RelayCircuits circuits)
    {
        foreach (var node in nodes.Nodes)
            if (circuits.Find(node) is var (one, port)) Saw(node.BootMac, Witness.Relay, one, port.Number);
    }

    (string Switch, string Port)? LivePlace(MacAddress mac) =>
        sightings.TryGetValue(mac, out var seen) && seen.Select(s => (s.Switch, s.Port)).Distinct().ToList() is [var only] ? only : null;

    void Saw(MacAddress mac, Witness witness, MappedSwitch one, int port)
    {
        if (mac.IsMulticast || nodes.Find(mac) is null) return;
        if (!sightings.TryGetValue(mac, out var seen)) sightings[mac] = seen = [];
        var sighting = (witness, one.Name, one.Reading.Snapshot.Ports[port].Name);
        if (!seen.Contains(sighting)) seen.Add(sighting);
    }

    Placement? Place(MacAddress mac, List<(Witness Witness, string Switch, string Port)> seen)
    {
        var node = nodes.Find(mac)!;
        var best = seen.Min(s => s.Witness);
        var (_, name, port) = seen.First(s => s.Witness == best);
        // What the switches see now; an inventory and a lease are older, and a cable may have been moved since.
        var live = seen.Where(s => s.Witness is Witness.SwitchNeighbour or Witness.Forwarding).Select(s => $"{s.Switch}/{s.Port}").Distinct().Order(StringComparer.Ordinal).ToList();
        if (live.Count > 1)
        {
            findings.Add(new(FindingKind.TwoPorts, mac.ToString(), node.Id, $"{node.Name}'s NIC {mac} is seen behind {live.Count} ports at once: {string.Join(", ", live)}"));
            if (best == Witness.Forwarding) return null;
        }
        if (seen.FirstOrDefault(s => s.Witness is Witness.Agent or Witness.Relay && (s.Switch, s.Port) != (name, port)) is { Switch: not null } other && best < Witness.Agent)
        {
            var who = other.Witness == Witness.Agent ? "its agent has heard" : "its DHCP request came through";
            findings.Add(new(FindingKind.Disagreement, mac.ToString(), node.Id, $"{node.Name}'s NIC {mac} is behind {name}/{port}, and {who} {other.Switch}/{other.Port}"));
        }
        return new()
        {
            NodeId = node.Id, Node = node.Name, Mac = mac, Switch = name, Port = port,
            Witnesses = [.. seen.Where(s => (s.Switch, s.Port) == (name, port)).Select(s => s.Witness).Distinct().Order()],
        };
    }

    // A node that makes up addresses, or uses ours: whatever comes in there, its port stays one that can be written, or it could not be taken away from it any more.
    void CheckAddresses(MappedSwitch one, ImmutableDictionary<MacAddress, Placement> placements)
    {
        foreach (var behind in one.Reading.Forwarding.Where(e => one.IsEdge(e.Port)).GroupBy(e => e.Port, e => e.Mac))
        {
            var isFlood = behind.Distinct().Count() > MostOfOneMachine;
            var ours = behind.FirstOrDefault(own.Contains);
            if (!isFlood && ours.IsZero) continue;
            var port = one.Reading.Snapshot.Ports[behind.Key].Name;
            var (id, whose) = Whose(one, port, placements);
            if (isFlood)
                findings.Add(new(FindingKind.Flood, $"{one.Name}/{port}", id, $"more than {MostOfOneMachine} addresses are behind port {port} of switch {one.Name}{whose}; if it leads to a switch, or to virtual machines, and is not to be written, say so: `gridctl switch allow {one.Name} --uplinks`"));
            if (!ours.IsZero)
                findings.Add(new(FindingKind.Impostor, $"{ours} {one.Name}/{port}", id, $"our own address, {ours}, is used behind port {port} of switch {one.Name}{whose}"));
        }
    }

    // What would make an uplink of a port, and was not believed because the port is a node's own.
    void CheckClaims(MappedSwitch one, ImmutableDictionary<MacAddress, Placement> placements)
    {
        string? OtherSwitch(MacAddress mac) => switchesByAddress[mac].FirstOrDefault(name => name != one.Name);
        var claims = one.Reading.Neighbours.Where(n => n.Port is { } number && one.IsEdge(number) && n.ChassisMac is { } chassis && OtherSwitch(chassis) is not null).Select(n => (Port: n.Port!.Value, What: $"to be switch {OtherSwitch(n.ChassisMac!.Value)}"))
            .Concat(one.Reading.Forwarding.Where(e => one.IsEdge(e.Port) && OtherSwitch(e.Mac) is not null).Select(e => (Port: e.Port, What: $"to be switch {OtherSwitch(e.Mac)}")))
            .Concat(one.Reading.Neighbours.Where(n => n.Port is { } number && one.IsEdge(number) && Uplinks.ClaimsToBeABridge(n, mac => nodes.Find(mac) is not null)).Select(n => (Port: n.Port!.Value, What: "to be a bridge")));
        foreach (var (number, what) in claims.Where(c => isHome(new(one.Name, one.Reading.Snapshot.Ports[c.Port].Name))).DistinctBy(c => c.Port))
        {
            var port = one.Reading.Snapshot.Ports[number].Name;
            var (id, whose) = Whose(one, port, placements);
            findings.Add(new(FindingKind.Claim, $"{one.Name}/{port} {what}", id, $"whoever is on port {port} of switch {one.Name}{(whose.Length > 0 ? $"{whose}," : "")} claims {what}, which is not believed: the port is a node's own; if it leads to a switch, say so: `gridctl switch allow {one.Name} --uplinks`"));
        }
    }

    static (Guid? Id, string Words) Whose(MappedSwitch one, string port, ImmutableDictionary<MacAddress, Placement> placements) =>
        placements.Values.Where(p => p.Switch == one.Name && p.Port == port).Select(p => (Id: p.NodeId, p.Node)).Distinct().ToList() is [var only] ? (only.Id, $", {only.Node}'s") : (null, "");

    void CheckPlan(ImmutableDictionary<MacAddress, Placement> placements)
    {
        foreach (var line in cabling.Lines)
        {
            var (node, macs) = line.Find(nodes);
            if (node is null) continue;
            var places = macs.Select(placements.GetValueOrDefault).OfType<Placement>().ToList();
            var subject = $"{line.Machine} {line.Where}";
            if (places.Count == 0) findings.Add(new(FindingKind.MissingCable, subject, node.Id, $"{node.Name} should be on {line.Where}, and no switch sees it"));
            else if (!places.Any(p => p.Switch.Equals(line.Switch, StringComparison.OrdinalIgnoreCase) && p.Port.Equals(line.Port, StringComparison.OrdinalIgnoreCase)))
                findings.Add(new(FindingKind.WrongCable, subject, node.Id, $"{node.Name} is on {string.Join(" and ", places.Select(p => p.Where).Distinct())}, and the plan has it on {line.Where}"));
        }
    }
}
