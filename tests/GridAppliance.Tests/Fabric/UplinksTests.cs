using System.Collections.Immutable;
using GridAppliance.Fabric;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Switches;
using GridAppliance.Switches.Fleet;

namespace GridAppliance.Tests.Fabric;

public sealed class UplinksTests
{
    static MacAddress Mac(int n) => MacAddress.FromUInt64(0x0200_0000_0000 + (ulong)n);

    static readonly UplinkFacts Facts = new()
    {
        Own = new HashSet<MacAddress> { Mac(1) },
        Switches = new HashSet<MacAddress> { Mac(2) },
        NodeOf = mac => mac.ToUInt64() is var bits && bits >= Mac(100).ToUInt64() && bits < Mac(200).ToUInt64() ? new Guid((int)(bits & 0xFFFE), 0, 0, new byte[8]) : null,
    };

    static string? Why(IEnumerable<int> behind, SwitchNeighbour? neighbour = null) => Uplinks.Of(new()
    {
        At = default, ForwardingAt = default, Took = default, Identity = new(),
        Snapshot = new() { Ports = ImmutableSortedDictionary<int, SwitchPort>.Empty.Add(1, new() { Number = 1, Name = "Gi0/1" }), Vlans = ImmutableSortedDictionary<VlanId, SwitchVlan>.Empty },
        Forwarding = [.. behind.Select(n => new ForwardingEntry(null, Mac(n), 1))],
        Neighbours = neighbour is null ? [] : [neighbour],
    }, Facts).GetValueOrDefault("Gi0/1");

    [Fact]
    public void Our_own_way_and_other_switches_are_uplinks()
    {
        Assert.Equal("is our own way to the switch", Why([1, 300]));
        Assert.StartsWith("leads to the switch with address", Why([2]), StringComparison.Ordinal);
        Assert.Equal("leads to switch core", Why([], new() { LocalPort = 1, Port = 1, ChassisId = "x", PortId = "y", SystemName = "core", ChassisMac = Mac(2) }));
        Assert.Equal("leads to core, a bridge", Why([], new() { LocalPort = 1, Port = 1, ChassisId = "x", PortId = "y", SystemName = "core", IsBridge = true }));
    }

    [Fact]
    public void A_port_with_several_nodes_behind_it_is_an_uplink_and_one_with_one_machine_is_not()
    {
        Assert.Equal("2 nodes are behind it", Why([100, 102]));
        Assert.Null(Why([100, 101])); // two NICs of one node
        Assert.Null(Why([100, 300, 301])); // and its virtual machines
        Assert.Null(Why([100, .. Enumerable.Range(300, 8000)])); // or addresses that it makes up
        // A server that hosts virtual machines says that it is a bridge.
        Assert.Null(Why([100], new() { LocalPort = 1, Port = 1, ChassisId = "x", PortId = "y", IsBridge = true, ChassisMac = Mac(100) }));
    }

    [Fact]
    public void A_node_that_has_shown_who_it_is_makes_no_uplink_of_its_port_by_inventing_machines()
    {
        var snapshot = new SwitchSnapshot { Ports = ImmutableSortedDictionary<int, SwitchPort>.Empty.Add(1, new() { Number = 1, Name = "Gi0/1" }), Vlans = ImmutableSortedDictionary<VlanId, SwitchVlan>.Empty };
        ImmutableDictionary<string, string> Recognised(params int[] proven) => Uplinks.Of(new()
        {
            At = default, ForwardingAt = default, Took = default, Identity = new(), Neighbours = [], Snapshot = snapshot,
            Forwarding = [new(null, Mac(100), 1), new(null, Mac(102), 1), new(null, Mac(104), 1)],
        }, Facts with { IsProven = id => proven.Any(n => Facts.NodeOf(Mac(n)) == id) });

        Assert.Empty(Recognised(100));
        Assert.Equal("2 nodes are behind it", Recognised(100, 104)["Gi0/1"]);
        Assert.Equal("3 nodes are behind it", Recognised()["Gi0/1"]);
    }

    [Fact]
    public void A_node_that_uses_our_own_address_makes_no_uplink_of_its_port_while_we_are_where_we_were()
    {
        var ports = ImmutableSortedDictionary<int, SwitchPort>.Empty.Add(1, new() { Number = 1, Name = "Gi0/1", HasLink = true }).Add(2, new() { Number = 2, Name = "Gi0/2", HasLink = true });
        bool IsUplink(bool? ourLink = true, bool isHome = true, params string[] ways) => Uplinks.Of(new()
        {
            At = default, ForwardingAt = default, Took = default, Identity = new(), Neighbours = [],
            Snapshot = new() { Ports = ports.SetItem(2, ports[2] with { HasLink = ourLink }), Vlans = ImmutableSortedDictionary<VlanId, SwitchVlan>.Empty },
            Forwarding = [new(null, Mac(1), 1)],
        }, Facts with { IsHome = port => isHome && port == "Gi0/1", OwnWays = ways.ToHashSet() }).ContainsKey("Gi0/1");

        Assert.False(IsUplink(ways: "Gi0/2"));
        // Our cable is out; or it is nobody's port; or we were never seen elsewhere.
        Assert.True(IsUplink(ourLink: false, ways: "Gi0/2"));
        Assert.True(IsUplink(isHome: false, ways: "Gi0/2"));
        Assert.True(IsUplink());
    }

    [Fact]
    public void Whoever_uses_the_address_of_a_neighbour_on_the_same_switch_makes_no_uplink_of_his_port()
    {
        var ports = ImmutableSortedDictionary<int, SwitchPort>.Empty.Add(1, new() { Number = 1, Name = "Gi0/1" }).Add(2, new() { Number = 2, Name = "Gi0/2", HasLink = true });
        ImmutableDictionary<string, string> Recognised(bool? neighboursLink) => Uplinks.Of(new()
        {
            At = default, ForwardingAt = default, Took = default, Identity = new(), Neighbours = [],
            Snapshot = new() { Ports = ports.SetItem(2, ports[2] with { HasLink = neighboursLink }), Vlans = ImmutableSortedDictionary<VlanId, SwitchVlan>.Empty },
            Forwarding = [new(null, Mac(100), 1), new(null, Mac(102), 1)],
        }, Facts with { HomeOf = mac => mac == Mac(102) ? "Gi0/2" : null });

        Assert.Empty(Recognised(neighboursLink: true));
        // Its cable was moved behind another switch: both are there, and it is one.
        Assert.Equal("2 nodes are behind it", Recognised(neighboursLink: false)["Gi0/1"]);
    }

    [Fact]
    public void Nothing_that_a_node_can_say_or_send_makes_an_uplink_of_its_own_port()
    {
        var foreign = new SwitchNeighbour { LocalPort = 1, Port = 1, ChassisId = "x", PortId = "y", SystemName = "core", IsBridge = true };
        var leaf2 = foreign with { SystemName = "leaf2", ChassisMac = Mac(2) };
        var ports = ImmutableSortedDictionary<int, SwitchPort>.Empty.Add(1, new() { Number = 1, Name = "Gi0/1", HasLink = true });
        string? Recognised(UplinkFacts facts, SwitchNeighbour? neighbour, params int[] behind) => Uplinks.Of(new()
        {
            At = default, ForwardingAt = default, Took = default, Identity = new(), Neighbours = neighbour is null ? [] : [neighbour],
            Snapshot = new() { Ports = ports, Vlans = ImmutableSortedDictionary<VlanId, SwitchVlan>.Empty },
            Forwarding = [.. behind.Select(n => new ForwardingEntry(null, Mac(n), 1))],
        }, facts).GetValueOrDefault("Gi0/1");

        var own = Facts with { IsHome = port => port == "Gi0/1" };
        Assert.Null(Recognised(own, foreign, 100));
        Assert.Null(Recognised(own, leaf2, 100));
        Assert.Null(Recognised(own, null, 100, 2));
        // The addresses of nodes of other switches, too.
        Assert.Null(Recognised(own with { IsProven = _ => true, IsAtHomeOnAnother = mac => mac == Mac(102) }, null, 100, 102));

        // What both ends say is so; and on a port that is nobody's every sign counts: better one that is not written than a switch cut off.
        Assert.Equal("leads to switch leaf2", Recognised(own with { SeesUs = mac => mac == Mac(2) }, leaf2, 100));
        Assert.StartsWith("leads to the switch", Recognised(own with { SeesUs = mac => mac == Mac(2) }, null, 100, 2), StringComparison.Ordinal);
        Assert.Equal("leads to core, a bridge", Recognised(Facts, foreign, 100));
        Assert.Equal("2 nodes are behind it", Recognised(Facts with { IsAtHomeOnAnother = _ => true }, null, 100, 102));
        Assert.Equal("2 nodes are behind it", Recognised(own with { IsProven = _ => true }, null, 100, 102));
    }

    [Fact]
    public async Task Another_switch_is_believed_when_it_sees_this_one_where_no_node_could_have_told_it()
    {
        await using var store = new TestStore();
        var node = await store.DiscoverAsync(7);
        var kept = new PortPinStore(store.Database);
        await kept.SaveAsync(new Dictionary<MacAddress, PortPin> { [node.BootMac] = new("leaf1", "Gi0/1"), [Mac(300)] = new("leaf2", "Gi0/2") }, [], default);
        var recogniser = new UplinkRecogniser(store.Nodes, new(kept));
        var ports = Enumerable.Range(1, 3).ToImmutableSortedDictionary(n => n, n => new SwitchPort { Number = n, Name = $"Gi0/{n}", HasLink = true });
        ImmutableDictionary<string, string> Recognise(string name, MacAddress self, params (MacAddress Mac, int Port)[] seen) => recogniser.Recognise(name, new()
        {
            At = default, ForwardingAt = default, Took = default, Identity = new() { BridgeAddress = self }, Neighbours = [],
            Snapshot = new() { Ports = ports, Vlans = ImmutableSortedDictionary<VlanId, SwitchVlan>.Empty },
            Forwarding = [.. seen.Select(s => new ForwardingEntry(null, s.Mac, s.Port))],
        }, ImmutableDictionary<string, RecognisedUplink>.Empty);

        MacAddress leaf1 = Mac(11), leaf2 = Mac(12);
        // The node on leaf1/Gi0/1 sends in leaf2's name, and its friend on leaf2/Gi0/2 in leaf1's.
        Recognise("leaf2", leaf2, (leaf1, 2));
        Assert.Empty(Recognise("leaf1", leaf1, (node.BootMac, 1), (leaf2, 1)));
        // On a port that is nobody's every sign counts.
        Assert.Equal(["Gi0/3"], Recognise("leaf1", leaf1, (node.BootMac, 1), (leaf2, 3)).Keys);
        // Both ends say so: somebody has put a switch between.
        Recognise("leaf2", leaf2, (leaf1, 3));
        Assert.Equal(["Gi0/1"], Recognise("leaf1", leaf1, (node.BootMac, 1), (leaf2, 1)).Keys);
    }
}
