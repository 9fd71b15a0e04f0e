using System.Globalization;
using GridAppliance.Fabric.Probes;
using GridAppliance.Nodes;
using GridAppliance.Switches;

namespace GridAppliance.Tests.Fabric;

public sealed class ProbeSelectionTests
{
    static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    static Node Seen(string name, TimeSpan? ago, NodeState state = NodeState.Idle) =>
        new() { Id = Guid.NewGuid(), Name = name, State = state, StateSince = default, FirstSeen = default, BootMac = default, Macs = [], Network = "rack", AgentLastSeen = Now - ago };

    [Fact]
    public void Whoever_is_silent_is_not_asked_and_that_is_said_of_each()
    {
        var (asked, leftOut) = ProbeSelection.Nodes([Seen("n1", TimeSpan.Zero), Seen("n2", TimeSpan.FromMinutes(5)), Seen("n3", null), Seen("n4", null, NodeState.Retired)], Now);
        Assert.Equal(["n1"], asked.Select(n => n.Name));
        Assert.Equal(
        [
            "n2 was not asked, because its agent was last heard of 5 min ago: nothing is known of what reaches it",
            "n3 was not asked, because no agent of it has been heard of since the appliance started: nothing is known of what reaches it",
        ], leftOut);
    }

    [Fact]
    public void Where_nobody_listens_it_is_said_that_not_a_frame_was_sent() =>
        Assert.Equal("not a frame was sent, because no node has an agent that listens: that what should be apart is apart has not been tried", Assert.Single(ProbeSelection.Nodes([], Now).LeftOut));

    [Fact]
    public void Nodes_beyond_a_round_are_named()
    {
        var (asked, leftOut) = ProbeSelection.Nodes(Enumerable.Range(1, 259).Select(i => Seen("n" + i.ToString("000", CultureInfo.InvariantCulture), TimeSpan.Zero)), Now);
        Assert.Equal(256, asked.Count);
        Assert.Equal(["3 nodes (n257 to n259) were not asked, because a round takes 256: nothing is known of what reaches them"], leftOut);
    }

    [Fact]
    public void Vlans_and_addresses_beyond_a_round_are_told()
    {
        var (tried, leftOut) = ProbeSelection.Vlans(Enumerable.Range(250, 10).Select(v => new VlanId(v)));
        Assert.Equal(Enumerable.Range(250, 8).Select(v => (ushort)v), tried);
        Assert.Equal(["tags of 2 VLANs (258, 259) were not tried, because a round takes 8: whether a node's own tag leads into them is not known"], leftOut);
        Assert.Empty(ProbeSelection.Vlans([new(250), new(251), new(250)]).LeftOut);
        Assert.Empty(ProbeSelection.BeyondTargets(256));
        Assert.Equal(["44 of 300 NICs were sent nothing directly, because a round takes 256: whether unicast reaches them is not known"], ProbeSelection.BeyondTargets(300));
    }
}
