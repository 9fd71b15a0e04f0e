using System.Text.Json;
using GridAppliance.Api;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Tests.Switches;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.San;

/// <summary>Storage on Ethernet: zones that are VLANs on two switches of a whole daemon.</summary>
public sealed class VlanFabricTests : IAsyncLifetime
{
    const int Native = 100, Idle = 999, First = 300;

    readonly SwitchBench[] benches = [.. Enumerable.Range(1, 2).Select(n => new SwitchBench(BridgeModel.Factory(8).WithAccess(Native, [.. Enumerable.Range(1, 8)]), $"leaf{n}"))];
    ManagementPlaneHost plane = null!;

    public async Task InitializeAsync()
    {
        plane = await ManagementPlaneHost.StartAsync();
        var secret = await SwitchBench.WriteSecretAsync(plane.DataDir);
        foreach (var (bench, name) in benches.Zip(["leaf1", "leaf2"]))
        {
            var added = await plane.Gridctl("switch", "add", name, bench.Address, "--user", SwitchBench.User, "--secret-file", secret, "--ports", "Gi0/*", "--vlans", "100,300-301,999", "--uplinks", "Gi0/8");
            Assert.True(added.Status == 0, added.Error);
        }
        var store = await plane.Gridctl("san", "add", "nas", "vlan+switches:///300-301/999");
        Assert.True(store.Status == 0, store.Output + store.Error);
    }

    public async Task DisposeAsync()
    {
        await plane.DisposeAsync();
        foreach (var bench in benches) await bench.DisposeAsync();
    }

    BridgeModel Leaf(int number) => benches[number - 1].Bridge.Model;

    Task<ManagementPlaneHost.Ran> ConnectAsync(string zone, string initiators, string storage) => plane.Gridctl("san", "connect", "nas", zone, "--initiators", initiators, "--storage", storage);

    [Fact]
    public async Task A_zone_is_a_vlan_on_every_switch_that_somebody_of_it_is_on()
    {
        var made = await ConnectAsync("grid-red", "leaf1/Gi0/1,leaf2/Gi0/2", "leaf2/Gi0/7");
        Assert.True(made.Status == 0, made.Output + made.Error);
        Assert.Equal(("grid-red", "grid-red"), (Leaf(1).Vlans[First].Name, Leaf(2).Vlans[First].Name));
        Assert.Equal([1], Leaf(1).Vlans[First].Untagged.Ports);
        Assert.Equal([2], Leaf(2).Vlans[First].Untagged.Ports);
        // Storage keeps the VLAN that it had, and is in the zone with a tag.
        Assert.Equal([2, 7], Leaf(2).Vlans[First].Egress.Ports);
        Assert.Equal(Native, Leaf(2).Ports[7].Pvid);

        Assert.Equal(0, (await ConnectAsync("grid-blue", "leaf2/Gi0/3", "leaf2/Gi0/7")).Status);
        Assert.Equal([3, 7], Leaf(2).Vlans[First + 1].Egress.Ports);
        var zones = JsonSerializer.Deserialize((await plane.Gridctl("san", "zones", "nas", "-o", "json")).Output, ApiJson.Default.IReadOnlyListSanZoneDocument)!;
        Assert.Equal(["grid-blue", "grid-red"], zones.Select(z => z.Name));
        Assert.Equal(["leaf1/Gi0/1", "leaf2/Gi0/2"], zones[1].Initiators);
        Assert.Equal(["leaf2/Gi0/7"], zones[1].Storage);
    }

    [Fact]
    public async Task Whoever_is_put_out_is_in_the_idle_vlan_and_a_zone_that_is_taken_away_leaves_none()
    {
        Assert.Equal(0, (await ConnectAsync("grid-red", "leaf1/Gi0/1,leaf1/Gi0/2", "leaf1/Gi0/7")).Status);
        Assert.Equal(0, (await ConnectAsync("grid-red", "leaf1/Gi0/2", "leaf1/Gi0/7")).Status);
        Assert.Equal((Idle, First), (Leaf(1).Ports[1].Pvid, Leaf(1).Ports[2].Pvid));
        Assert.Equal(0, (await plane.Gridctl("san", "disconnect", "nas", "grid-red")).Status);
        Assert.DoesNotContain(First, Leaf(1).Vlans.Keys);
        Assert.Equal([1, 2], Leaf(1).Vlans[Idle].Untagged.Ports);
        Assert.Contains(7, Leaf(1).Vlans[Native].Untagged.Ports);
        Assert.Contains("unchanged", (await plane.Gridctl("san", "disconnect", "nas", "grid-red")).Output);
    }

    [Fact]
    public async Task When_one_switch_says_no_the_others_are_as_they_were()
    {
        var before = Leaf(1).Ports[1].Pvid;
        var refused = await ConnectAsync("grid-red", "leaf1/Gi0/1,leaf2/Gi0/8", "leaf2/Gi0/7");
        Assert.NotEqual(0, refused.Status);
        Assert.Contains("is an uplink", refused.Output);
        Assert.Equal(before, Leaf(1).Ports[1].Pvid);
        Assert.DoesNotContain(First, Leaf(1).Vlans.Keys);
    }

    [Theory]
    [InlineData("grid-red", "leaf9/Gi0/1", "leaf1/Gi0/7", "no switch 'leaf9'")]
    [InlineData("grid-red", "leaf1/Gi0/7", "leaf1/Gi0/7", "either an initiator's or storage's")]
    [InlineData("red", "leaf1/Gi0/1", "leaf1/Gi0/7", "is not ours")]
    public async Task What_cannot_be_is_refused(string zone, string initiator, string storage, string reason) => Assert.Contains(reason, (await ConnectAsync(zone, initiator, storage)).Output);

    [Fact]
    public async Task A_range_that_is_full_is_said()
    {
        foreach (var zone in (string[])["grid-a", "grid-b"]) Assert.Equal(0, (await ConnectAsync(zone, $"leaf1/Gi0/{(zone == "grid-a" ? 1 : 2)}", "leaf1/Gi0/7")).Status);
        Assert.Contains("every VLAN of the range is taken", (await ConnectAsync("grid-c", "leaf1/Gi0/3", "leaf1/Gi0/7")).Output);
    }
}
