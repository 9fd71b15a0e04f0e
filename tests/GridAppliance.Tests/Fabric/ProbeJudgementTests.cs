using GridAppliance.Fabric.Probes;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Probes;
using GridAppliance.Switches;

namespace GridAppliance.Tests.Fabric;

public sealed class ProbeJudgementTests
{
    static ProbedNic Nic(int number, params int[] vlans) =>
        new($"n{number}", MacAddress.FromUInt64(0x5254_0000_0000 + (ulong)number), vlans.Length == 0 ? null : $"leaf1/Gi0/{number}", [.. vlans.Select(v => new VlanId(v))]);

    static ProbePassage Passage(ProbedNic from, ProbedNic to, ProbeKind kind) => new(to.Mac, from.Mac, kind);

    static readonly ProbedNic One = Nic(1, 250), Two = Nic(2, 251), Mate = Nic(3, 250), Lost = Nic(4);

    [Fact]
    public void Nothing_between_groups_and_everything_inside_is_good()
    {
        var outcome = ProbeJudgement.Judge([One, Two, Mate], [Passage(One, Mate, ProbeKind.Broadcast), Passage(Mate, One, ProbeKind.Broadcast)], []);
        Assert.Equal((3, 4, 2, 0), (outcome.Document!.Stations, outcome.Document.Apart, outcome.Document.Together, outcome.Document.Leaks));
        Assert.Empty(outcome.Leaks);
        Assert.Empty(outcome.Unproven);
    }

    [Theory, InlineData(ProbeKind.Broadcast, "broadcast"), InlineData(ProbeKind.Unicast, "unicast"), InlineData(ProbeKind.Arp, "ARP"), InlineData(ProbeKind.NeighbourDiscovery, "IPv6 neighbour discovery"),
        InlineData(ProbeKind.Tagged, "tagged by itself"), InlineData(ProbeKind.DoubleTagged, "tagged twice")]
    public void Whatever_gets_through_is_a_leak_with_both_its_ends(ProbeKind kind, string words)
    {
        var outcome = ProbeJudgement.Judge([One, Two], [Passage(One, Two, kind)], []);
        Assert.Equal([$"frames of n1 on leaf1/Gi0/1 (VLAN 250) reach n2 on leaf1/Gi0/2 (VLAN 251): {words}"], outcome.Leaks.AsEnumerable());
    }

    [Fact]
    public void Mates_that_do_not_hear_each_other_prove_nothing()
    {
        var outcome = ProbeJudgement.Judge([One, Mate], [Passage(One, Mate, ProbeKind.Broadcast)], ["n9's agent took no part"]);
        Assert.Equal(["n9's agent took no part", "n1 on leaf1/Gi0/1 (VLAN 250) did not hear n3 on leaf1/Gi0/3 (VLAN 250) although they are in one VLAN: probes do not get through even where they should"], outcome.Unproven.AsEnumerable());
    }

    [Fact]
    public void A_nic_that_no_switch_sees_is_not_judged_and_that_is_said()
    {
        var outcome = ProbeJudgement.Judge([One, Lost], [Passage(Lost, One, ProbeKind.Broadcast)], []);
        Assert.Empty(outcome.Leaks);
        Assert.Single(outcome.Unproven);
    }

    [Fact]
    public void A_round_in_which_no_two_nics_were_judged_shows_nothing_and_is_not_good() =>
        Assert.Equal(["no two NICs were there to tell apart: the round shows nothing"], ProbeJudgement.Judge([One], [], []).Unproven.AsEnumerable());
}
