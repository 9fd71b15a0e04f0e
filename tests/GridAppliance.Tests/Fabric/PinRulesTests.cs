using System.Collections.Immutable;
using GridAppliance.Fabric;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Tests.Fabric;

public sealed class PinRulesTests
{
    static readonly MacAddress Nic = MacAddress.Parse("52:54:00:00:00:0a"), Other = MacAddress.Parse("52:54:00:00:00:0b");
    static readonly PortPin One = new("leaf1", "Gi0/1"), Two = new("leaf1", "Gi0/2");

    static Placement On(MacAddress mac, PortPin where, Witness witness = Witness.Forwarding) =>
        new() { NodeId = new((int)mac.ToUInt64(), 0, 0, new byte[8]), Node = mac.ToString(), Mac = mac, Switch = where.Switch, Port = where.Port, Witnesses = [witness] };

    static FabricMap Map(params IEnumerable<Placement> placements) => new() { Placements = placements.ToImmutableDictionary(p => p.Mac) };

    static PinVerdict Judge(PortPin? pin, FabricMap map, bool ownHoldsAMachine) => PinRules.Judge(Nic, pin, map, port => port == One && ownHoldsAMachine);

    [Fact]
    public void The_port_of_the_first_sight_is_its_port() => Assert.Equal(PinVerdict.Moved, Judge(null, Map(On(Nic, One)), true));

    [Fact]
    public void On_its_own_port_it_agrees() => Assert.Equal(PinVerdict.Agrees, Judge(One, Map(On(Nic, One)), true));

    [Fact]
    public void A_nic_that_no_switch_sees_is_not_judged() => Assert.Equal(PinVerdict.Unseen, Judge(One, Map(), true));

    [Theory, InlineData(Witness.Agent), InlineData(Witness.Relay)]
    public void What_the_node_says_of_itself_is_no_sight(object witness) => Assert.Equal(PinVerdict.Unseen, Judge(One, Map(On(Nic, Two, (Witness)witness)), true));

    [Fact]
    public void Somebody_who_uses_its_address_on_another_port_is_elsewhere_while_its_own_has_a_link() => Assert.Equal(PinVerdict.Elsewhere, Judge(One, Map(On(Nic, Two)), true));

    [Fact]
    public void A_cable_that_was_moved_leaves_a_port_without_a_link() => Assert.Equal(PinVerdict.Moved, Judge(One, Map(On(Nic, Two)), false));

    [Fact]
    public void Where_two_cables_were_swapped_both_have_moved() => Assert.Equal(PinVerdict.Moved, Judge(One, Map(On(Nic, Two), On(Other, One)), true));
}
