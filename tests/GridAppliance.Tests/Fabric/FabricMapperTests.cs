using System.Collections.Immutable;
using GridAppliance.Fabric;
using GridAppliance.Nodes;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Switches;

namespace GridAppliance.Tests.Fabric;

public sealed class FabricMapperTests
{
    static readonly MacAddress First = MacAddress.Parse("52:54:00:00:00:01"), Second = MacAddress.Parse("52:54:00:00:00:02"), Leaf = MacAddress.Parse("02:00:00:00:aa:01"), Ours = MacAddress.Parse("02:00:00:00:bb:01");

    static Node Server(string name, params MacAddress[] macs) => new()
    {
        Id = new Guid(name.PadRight(16)[..16].Select(c => (byte)c).ToArray()), Name = name, State = NodeState.Idle, StateSince = default, FirstSeen = default,
        BootMac = macs[0], Macs = [.. macs], Network = "provisioning",
    };

    static NodeSnapshot Nodes(params Node[] nodes) => nodes.Aggregate(new NodeSnapshot(), (snapshot, node) => snapshot.With(node));

    static MappedSwitch Switch(string name, int[] uplinks, (MacAddress Mac, int Port)[] seen, params SwitchNeighbour[] neighbours) => new(name, new()
    {
        At = default, ForwardingAt = default, Took = default, Identity = new() { Name = $"{name}.example", BridgeAddress = Leaf },
        Snapshot = new()
        {
            Ports = Enumerable.Range(1, 12).ToImmutableSortedDictionary(n => n, n => new SwitchPort { Number = n, Name = $"Gi0/{n}", HasLink = n != 9 }),
            Vlans = ImmutableSortedDictionary<VlanId, SwitchVlan>.Empty,
        },
        Forwarding = [.. seen.Select(s => new ForwardingEntry(new VlanId(100), s.Mac, s.Port))],
        Neighbours = neighbours,
    }, uplinks.ToHashSet());

    static FabricMap Map(NodeSnapshot nodes, Cabling? plan = null, params MappedSwitch[] switches) => new FabricMapper(switches, nodes, plan ?? Cabling.None, new HashSet<MacAddress> { Ours }, static home => home.Port == "Gi0/3").Map();

    [Fact]
    public void An_address_behind_an_edge_port_says_where_a_node_is_and_one_behind_an_uplink_says_nothing()
    {
        var map = Map(Nodes(Server("n1", First)), null, Switch("leaf1", [12], [(First, 3)]), Switch("leaf2", [12], [(First, 12)]));
        Assert.Equal(("leaf1", "Gi0/3", Witness.Forwarding), (map.Placements[First].Switch, map.Placements[First].Port, map.Placements[First].Witnesses.Single()));
        Assert.Empty(map.Findings);
    }

    [Fact]
    public void Where_a_cable_was_is_not_where_it_is()
    {
        // Port 9 has no link: what the table still has there is from before the cable was moved.
        var map = Map(Nodes(Server("n1", First)), null, Switch("leaf1", [], [(First, 9), (First, 4)]));
        Assert.Equal("Gi0/4", map.Placements[First].Port);
        Assert.Empty(map.Findings);
    }

    [Fact]
    public void A_nic_behind_two_ports_is_a_finding_and_is_placed_behind_neither()
    {
        var map = Map(Nodes(Server("n1", First)), null, Switch("leaf1", [], [(First, 3), (First, 5)]));
        Assert.Empty(map.Placements);
        var finding = Assert.Single(map.Findings);
        Assert.Equal((FindingKind.TwoPorts, $"n1's NIC {First} is seen behind 2 ports at once: leaf1/Gi0/3, leaf1/Gi0/5"), (finding.Kind, finding.Message));
    }

    [Fact]
    public void A_flood_of_addresses_is_told_with_the_port_it_comes_from_and_the_node_that_is_there()
    {
        static IEnumerable<(MacAddress, int)> Flood(int count) => Enumerable.Range(0, count).Select(i => (MacAddress.FromUInt64(0x0200_0000_0000 + (ulong)i), 3));
        Assert.Empty(Map(Nodes(Server("n1", First)), null, Switch("leaf1", [12], [(First, 3), .. Flood(31)])).Findings);
        var finding = Assert.Single(Map(Nodes(Server("n1", First)), null, Switch("leaf1", [12], [(First, 3), .. Flood(32), .. Flood(500).Select(f => (f.Item1, 12))])).Findings);
        Assert.Equal((FindingKind.Flood, "leaf1/Gi0/3"), (finding.Kind, finding.Subject));
        Assert.StartsWith("more than 32 addresses are behind port Gi0/3 of switch leaf1, n1's;", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Our_own_address_behind_a_nodes_port_is_a_finding()
    {
        Assert.Empty(Map(Nodes(Server("n1", First)), null, Switch("leaf1", [12], [(First, 3), (Ours, 12)])).Findings);
        var finding = Assert.Single(Map(Nodes(Server("n1", First)), null, Switch("leaf1", [12], [(First, 3), (Ours, 3)])).Findings);
        Assert.Equal((FindingKind.Impostor, $"our own address, {Ours}, is used behind port Gi0/3 of switch leaf1, n1's"), (finding.Kind, finding.Message));
    }

    [Fact]
    public void Whoever_claims_to_be_a_switch_on_a_nodes_own_port_is_told_of()
    {
        static SwitchNeighbour Claim(int port, MacAddress? chassis = null) => new() { LocalPort = port, Port = port, ChassisId = "x", PortId = "y", SystemName = "core", ChassisMac = chassis, IsBridge = true };
        var finding = Assert.Single(Map(Nodes(Server("n1", First)), null, Switch("leaf1", [12], [(First, 3)], Claim(3), Claim(12), Claim(5))).Findings);
        Assert.Equal((FindingKind.Claim, "leaf1/Gi0/3 to be a bridge"), (finding.Kind, finding.Subject));
        Assert.StartsWith("whoever is on port Gi0/3 of switch leaf1, n1's, claims to be a bridge, which is not believed", finding.Message, StringComparison.Ordinal);
        // A host of virtual machines is a bridge, by its own name.
        Assert.Empty(Map(Nodes(Server("n1", First)), null, Switch("leaf1", [12], [(First, 3)], Claim(3, First))).Findings);
        // Another switch's name, or its address.
        var leaf2 = Switch("leaf2", [12], []);
        Assert.Equal("leaf1/Gi0/3 to be switch leaf2", Assert.Single(Map(Nodes(Server("n1", First)), null, Switch("leaf1", [12], [(First, 3)], Claim(3, Leaf)), leaf2).Findings).Subject);
        Assert.Equal("leaf1/Gi0/3 to be switch leaf2", Assert.Single(Map(Nodes(Server("n1", First)), null, Switch("leaf1", [12], [(First, 3), (Leaf, 3), (Leaf, 12)]), leaf2).Findings).Subject);
    }

    [Fact]
    public void A_neighbour_that_names_its_port_is_believed_before_the_forwarding_table()
    {
        var heard = new SwitchNeighbour { LocalPort = 3, Port = 3, ChassisId = "server", PortId = First.ToString(), PortMac = First };
        var map = Map(Nodes(Server("n1", First)), null, Switch("leaf1", [], [(First, 3)], heard));
        Assert.Equal([Witness.SwitchNeighbour, Witness.Forwarding], map.Placements[First].Witnesses.AsEnumerable());
    }

    [Fact]
    public void A_node_whose_address_the_switch_forgot_is_found_by_what_its_agent_heard()
    {
        var node = Server("n1", First) with
        {
            Inventory = new() { Nics = [new() { Name = "eth0", Mac = First.ToString(), Neighbours = [new() { ChassisId = Leaf.ToString(), PortId = "7", PortDescription = "Gi0/7" }] }] },
        };
        Assert.Equal(("Gi0/7", Witness.Agent), (Map(Nodes(node), null, Switch("leaf1", [], [])).Placements[First].Port, Map(Nodes(node), null, Switch("leaf1", [], [])).Placements[First].Witnesses[0]));
        // When both speak and differ, the switch is right, and somebody should look.
        var differing = Map(Nodes(node), null, Switch("leaf1", [], [(First, 3)]));
        Assert.Equal("Gi0/3", differing.Placements[First].Port);
        Assert.Equal(FindingKind.Disagreement, Assert.Single(differing.Findings).Kind);
    }

    [Theory]
    [InlineData("4769302f3131", "Gi0/11")]                 // Gi0/11
    [InlineData("000a6c656166312d4769302f37", "Gi0/7")]     // length, then leaf1-Gi0/7
    [InlineData("0004006401010", null)]                     // not whole octets
    [InlineData("000400640101", null)]                      // Cisco's own form: VLAN, module and port in binary, and nobody who shows how it counts
    [InlineData("6769302f312f31", "Gi0/1")]                 // gi0/1/1: the sub-interface is behind the port
    public void Option_82_places_a_node_where_it_names_a_port(string circuit, string? port)
    {
        var map = Map(Nodes(Server("n1", First) with { Circuit = circuit }), null, Switch("leaf1", [12], []));
        Assert.Equal(port, map.Placements.GetValueOrDefault(First)?.Port);
        if (port is not null) Assert.Equal(Witness.Relay, map.Placements[First].Witnesses[0]);
    }

    static Node Relayed(string name, MacAddress mac, string circuit) => Server(name, mac) with { Circuit = circuit, CircuitRelay = "000602000000aa01" };

    [Fact]
    public void Ciscos_own_form_of_option_82_is_understood_once_the_switch_has_shown_how_it_counts()
    {
        // VLAN 100, module 0, port 9; this model begins with 3.
        var lost = Relayed("n2", Second, "000400640009");
        Assert.Empty(Map(Nodes(lost), null, Switch("leaf1", [12], [])).Placements);
        var map = Map(Nodes(Relayed("n1", First, "000400640005"), lost), null, Switch("leaf1", [12], [(First, 3)]));
        Assert.Equal(("Gi0/7", Witness.Relay), (map.Placements[Second].Port, map.Placements[Second].Witnesses.Single()));
        Assert.Empty(map.Findings);
        // Another module counts by itself, and there is no port 0 or 13.
        foreach (var circuit in new[] { "000400640109", "000400640002", "00040064000f" })
            Assert.DoesNotContain(Second, Map(Nodes(Relayed("n1", First, "000400640005"), lost with { Circuit = circuit }), null, Switch("leaf1", [12], [(First, 3)])).Placements.Keys);
    }

    [Fact]
    public void A_switch_that_is_not_ours_places_nobody_by_option_82()
    {
        var stranger = Relayed("n2", Second, "4769302f37") with { CircuitRelay = "000602000000bb07" };
        Assert.Empty(Map(Nodes(stranger), null, Switch("leaf1", [12], [])).Placements);
    }

    [Fact]
    public void A_port_name_that_two_switches_have_is_known_by_the_relays_own_address()
    {
        var other = Switch("leaf2", [12], []);
        other = other with { Reading = other.Reading with { Identity = new() { Name = "leaf2", BridgeAddress = MacAddress.Parse("02:00:00:00:aa:02") } } };
        Assert.Equal("leaf1", Map(Nodes(Relayed("n1", First, "4769302f37")), null, Switch("leaf1", [12], []), other).Placements[First].Switch);
    }

    [Fact]
    public void A_port_name_that_two_switches_have_says_nothing_in_option_82()
    {
        Assert.Empty(Map(Nodes(Server("n1", First) with { Circuit = "4769302f37" }), null, Switch("leaf1", [12], []), Switch("leaf2", [12], [])).Placements);
    }

    [Fact]
    public void What_differs_from_the_plan_is_told()
    {
        var plan = Cabling.Read("machine,switch,port\nn1,leaf1,Gi0/3\n# a remark\n52:54:00:00:00:02,LEAF1,gi0/5\nn7,leaf1,Gi0/6\n", out var problems);
        Assert.Empty(problems);
        var nodes = Nodes(Server("n1", First), Server("n2", Second));
        Assert.Empty(Map(nodes, plan, Switch("leaf1", [], [(First, 3), (Second, 5)])).Findings);
        var wrong = Map(nodes, plan, Switch("leaf1", [], [(First, 4)]));
        Assert.Equal(["n1 is on leaf1/Gi0/4, and the plan has it on leaf1/Gi0/3", "n2 should be on LEAF1/gi0/5, and no switch sees it"], wrong.Findings.Select(f => f.Message));
    }

    [Theory]
    [InlineData("n1,leaf1", "line 1")]
    [InlineData("n1,leaf1,Gi0/1\nn2,leaf1,Gi0/1", "line 2")]
    [InlineData("n1,,Gi0/1", "line 1")]
    [InlineData("\"a\"\"b\",leaf1,\"Gi0,1\"\nx", "line 2")]
    public void A_line_that_is_none_is_named(string csv, string where)
    {
        Cabling.Read(csv, out var problems);
        Assert.StartsWith(where, Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void A_plan_survives_being_written_down()
    {
        var plan = Cabling.Read("\"say \"\"n1\"\"\",leaf1,\"Gi0,1\"\n", out _);
        Assert.Equal(new CablingLine("say \"n1\"", "leaf1", "Gi0,1"), Assert.Single(plan.Lines));
        Assert.Equal(plan.Lines.AsEnumerable(), Cabling.Read(plan.Text, out _).Lines);
    }
}
