using GridAppliance.Power;
using GridAppliance.Power.Nodes;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Tests.Power.Nodes;

public sealed class LanPlanTests
{
    static readonly ManagementLan Now = new() { Origin = AddressOrigin.Static, Address = At("10.0.0.5"), Mask = At("255.255.255.0"), Gateway = At("10.0.0.1"), Vlan = 0 };

    static Ipv4Address At(string address) => Ipv4Address.Parse(address, null);

    static string? Cut(ManagementLan wanted, string ours = "10.0.0.9", string reachedAt = "10.0.0.5") => LanPlan.CutBy(Now, LanPlan.Changes(Now, wanted)!, At(reachedAt), At(ours));

    [Fact]
    public void What_is_so_already_is_no_change() => Assert.Null(LanPlan.Changes(Now, Now with { Gateway = null }));

    [Fact]
    public void An_address_for_a_bmc_on_dhcp_makes_it_static() =>
        Assert.Equal(new ManagementLan { Origin = AddressOrigin.Static, Address = At("10.0.0.7") }, LanPlan.Changes(Now with { Origin = AddressOrigin.Dhcp }, new() { Address = At("10.0.0.7") }));

    [Fact]
    public void Another_address_vlan_or_source_may_cut_the_way()
    {
        Assert.NotNull(Cut(new() { Address = At("10.0.0.6") }));
        Assert.NotNull(Cut(new() { Vlan = 7 }));
        Assert.NotNull(Cut(new() { Origin = AddressOrigin.Dhcp }));
    }

    [Fact]
    public void A_gateway_matters_to_those_behind_it()
    {
        Assert.Null(Cut(new() { Gateway = At("10.0.0.254") }));
        Assert.NotNull(Cut(new() { Gateway = At("10.0.0.254") }, ours: "10.9.0.1"));
    }

    [Fact]
    public void A_mask_matters_where_it_makes_a_neighbour_of_us_or_a_stranger()
    {
        Assert.Null(Cut(new() { Mask = At("255.255.0.0") }));
        Assert.NotNull(Cut(new() { Mask = At("255.255.0.0") }, ours: "10.0.7.1"));
        Assert.NotNull(Cut(new() { Mask = At("255.255.255.248") }));
    }

    [Fact]
    public void Of_a_bmc_that_is_reached_elsewhere_than_it_says_nothing_is_promised() => Assert.NotNull(Cut(new() { Gateway = At("10.0.0.254") }, reachedAt: "192.0.2.1"));
}
