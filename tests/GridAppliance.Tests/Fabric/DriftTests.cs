using System.Text.Json;
using GridAppliance.Api;
using GridAppliance.Api.Switches;
using GridAppliance.Fabric;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Switches;
using GridAppliance.Switches.Fleet;
using GridAppliance.Tests.Switches;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Fabric;

/// <summary>A switch that somebody else changes, and one that forgets everything, beside a whole daemon.</summary>
public sealed class DriftTests : IAsyncLifetime
{
    readonly SwitchBench bench = new(BridgeModel.Factory(12).WithAccess(100, [.. Enumerable.Range(1, 11)]), "leaf1");
    ManagementPlaneHost plane = null!;

    public async Task InitializeAsync() => plane = await ManagementPlaneHost.StartAsync();

    public async Task DisposeAsync()
    {
        await plane.DisposeAsync();
        await bench.DisposeAsync();
    }

    async Task AddAsync(string drift = "report")
    {
        var secretFile = await SwitchBench.WriteSecretAsync(plane.DataDir);
        var added = await plane.Gridctl("switch", "add", "leaf1", bench.Address, "--user", SwitchBench.User, "--secret-file", secretFile, "--ports", "Gi0/*", "--vlans", "1,100,250", "--uplinks", "Gi0/12", "--drift", drift);
        Assert.True(added.Status == 0, added.Error);
        await ReadAsync();
    }

    /// <summary>Has the daemon look at the switch, and waits until it has compared.</summary>
    async Task ReadAsync()
    {
        var fleet = plane.Get<SwitchFleet>();
        var one = fleet.Find("leaf1")!;
        await one.ReadAsync(default);
        await plane.Get<DriftReconciler>().ReconcileAsync(one, default);
    }

    async Task<IReadOnlyList<PortDriftDocument>> DriftAsync() => JsonSerializer.Deserialize((await plane.Gridctl("fabric", "drift", "-o", "json")).Output, ApiJson.Default.DriftDocument)!.Differences;

    void MoveByHand(int port, int vlan) => bench.Bridge.Model = bench.Bridge.Model.WithAccess(vlan, port);

    async Task<IReadOnlyList<string>> KindsAsync() => [.. (await plane.Client().GetEvents(null, default)).Select(e => e.Kind)];

    [Fact]
    public async Task What_somebody_changed_is_shown_and_made_good_on_one_command()
    {
        await AddAsync();
        Assert.Equal("nothing differs", (await plane.Gridctl("fabric", "drift")).Output.Trim());
        MoveByHand(3, 666);
        await ReadAsync();

        var difference = Assert.Single(await DriftAsync());
        Assert.Equal(("leaf1", "Gi0/3", "access 666", "access 100", "enrolment", "report"), (difference.Switch, difference.Port, difference.Actual, difference.Wanted, difference.By, difference.Right));
        Assert.Equal(2, (await plane.Gridctl("fabric", "drift")).Status);
        // VLAN 666 is not ours, not even to take a port out of.
        var refused = await plane.Gridctl("fabric", "drift", "--assert");
        Assert.Equal(3, refused.Status);
        Assert.Contains("VLAN 666, which is not ours", refused.Output);

        MoveByHand(3, 250);
        var made = await plane.Gridctl("fabric", "drift", "leaf1", "--assert");
        Assert.True(made.Status == 0, made.Output + made.Error);
        Assert.Equal(100, bench.Bridge.Model.Ports[3].Pvid);
        Assert.Empty(await DriftAsync());
        Assert.Superset(new HashSet<string> { "switch.drift", "switch.drift-asserted", "switch.drift-gone" }, (await KindsAsync()).ToHashSet());
    }

    [Fact]
    public async Task What_somebody_changed_is_adopted_on_one_command_and_stays_so_over_a_restart()
    {
        await AddAsync();
        MoveByHand(3, 250);
        await ReadAsync();
        Assert.Single(await DriftAsync());
        Assert.Equal(0, (await plane.Gridctl("fabric", "drift", "--adopt")).Status);
        Assert.Empty(await DriftAsync());
        await plane.StopAsync();
        await plane.RestartAsync(0);
        Assert.Equal(PortVlans.Access(new(250)), plane.Get<SwitchIntents>().Of("leaf1")["gi0/3"].Vlans);
        Assert.Equal(250, bench.Bridge.Model.Ports[3].Pvid);
    }

    [Fact]
    public async Task What_we_changed_ourselves_is_no_drift()
    {
        await AddAsync();
        Assert.Equal(0, (await plane.Gridctl("switch", "vlan", "leaf1/Gi0/4", "250")).Status);
        await ReadAsync();
        Assert.Empty(await DriftAsync());
        MoveByHand(4, 100);
        await ReadAsync();
        Assert.Equal("access 250", Assert.Single(await DriftAsync()).Wanted);
    }

    [Fact]
    public async Task A_port_that_somebody_shut_or_described_otherwise_differs_and_is_made_good_or_adopted()
    {
        await AddAsync();
        Assert.Equal(0, (await plane.Gridctl("switch", "port", "leaf1/Gi0/4", "--describe", "rack 7")).Status);
        await ReadAsync();
        Assert.Empty(await DriftAsync());

        var one = plane.Get<SwitchFleet>().Find("leaf1")!;
        await one.GlanceAsync(default);
        Change(3, p => p with { IsEnabled = false });
        Assert.True(await one.GlanceAsync(default), "a port that was shut is in the minute's look");
        Change(4, p => p with { Alias = "rack 8" });
        await ReadAsync();
        var differences = (await DriftAsync()).Select(d => (d.Port, d.Actual, d.Wanted, d.By)).ToList();
        Assert.Equal(2, differences.Count);
        Assert.Equal(("Gi0/3", "shut", "open", "enrolment"), differences[0]);
        Assert.Equal(("Gi0/4", "described as 'rack 8'", "described as 'rack 7'"), (differences[1].Port, differences[1].Actual, differences[1].Wanted));
        Assert.Equal(0, (await plane.Gridctl("fabric", "drift", "--assert")).Status);
        Assert.Equal((true, "rack 7"), (bench.Bridge.Model.Ports[3].IsEnabled, bench.Bridge.Model.Ports[4].Alias));

        Change(3, p => p with { IsEnabled = false });
        Change(4, p => p with { Alias = "" });
        await ReadAsync();
        Assert.Equal("not described", (await DriftAsync())[1].Actual);
        Assert.Equal(0, (await plane.Gridctl("fabric", "drift", "--adopt")).Status);
        await plane.StopAsync();
        await plane.RestartAsync(0);
        var left = plane.Get<SwitchIntents>().Of("leaf1");
        Assert.Equal((false, "", PortVlans.Access(new(100))), (left["Gi0/3"].IsEnabled, left["Gi0/4"].Description, left["Gi0/4"].Vlans));

        void Change(int port, Func<BridgePort, BridgePort> how) => bench.Bridge.Model = bench.Bridge.Model with { Ports = bench.Bridge.Model.Ports.SetItem(port, how(bench.Bridge.Model.Ports[port])) };
    }

    [Fact]
    public async Task Where_policy_says_that_we_are_right_nobody_has_to_say_so()
    {
        await AddAsync("assert");
        MoveByHand(5, 250);
        await ReadAsync();
        Assert.Equal(100, bench.Bridge.Model.Ports[5].Pvid);
        Assert.Empty(await DriftAsync());
    }

    [Fact]
    public async Task A_switch_that_lost_its_configuration_is_told_apart_and_made_whole()
    {
        await AddAsync();
        Assert.Equal(0, (await plane.Gridctl("switch", "vlan", "leaf1/Gi0/4,leaf1/Gi0/5", "250")).Status);
        var farm = bench.Bridge.Model.Vlans[250] with { Name = "farm red" };
        bench.Bridge.Model = bench.Bridge.Model with { Vlans = bench.Bridge.Model.Vlans.SetItem(250, farm) };
        await ReadAsync();
        bench.Bridge.Model = BridgeModel.Factory(12);
        await ReadAsync();

        Assert.Equal(11, (await DriftAsync()).Count);
        var problem = Assert.Single((await plane.Client().GetStatus(default)).Problems);
        Assert.Equal("switch.lost-configuration.leaf1", problem.Code);
        Assert.Contains("our mark is gone from it, and 11 ports", problem.Message);

        var made = await plane.Gridctl("fabric", "drift", "--assert");
        Assert.True(made.Status == 0, made.Output + made.Error);
        Assert.Equal([4, 5], bench.Bridge.Model.Vlans[250].Egress.Ports);
        Assert.Equal([1, 2, 3, 6, 7, 8, 9, 10, 11], bench.Bridge.Model.Vlans[100].Untagged.Ports);
        Assert.Equal(("farm red", "VLAN100"), (bench.Bridge.Model.Vlans[250].Name, bench.Bridge.Model.Vlans[100].Name));
        Assert.Contains("[gridappliance rack12", bench.Bridge.Model.Contact);
        Assert.Empty((await plane.Client().GetStatus(default)).Problems);
    }

    [Fact]
    public async Task A_minutes_look_at_a_switch_that_is_as_it_was_reads_a_few_columns_and_no_more()
    {
        await AddAsync();
        var one = plane.Get<SwitchFleet>().Find("leaf1")!;
        await one.GlanceAsync(default);
        var before = Asked();
        Assert.False(await one.GlanceAsync(default));
        var glance = Asked() - before;
        before = Asked();
        await one.ReadAsync(default);
        Assert.True(glance * 2 <= Asked() - before, $"a look took {glance} requests, and everything {Asked() - before}");
        MoveByHand(3, 250);
        Assert.True(await one.GlanceAsync(default));
        Assert.Equal(PortVlans.Access(new(250)), one.Reading!.Snapshot.Ports[3].Vlans);

        int Asked() => bench.Agent.Served.GetValueOrDefault(SnmpPduType.GetBulk) + bench.Agent.Served.GetValueOrDefault(SnmpPduType.Get);
    }

    [Fact]
    public async Task Verifying_names_what_is_not_as_it_should_be_and_nothing_else()
    {
        await AddAsync();
        var good = await plane.Gridctl("fabric", "verify", "--no-probe");
        Assert.True(good.Status == 0, good.Output + good.Error);
        MoveByHand(3, 250);
        // A leak, made on purpose: port 5 is in VLAN 250 as well, without a tag.
        var farm = bench.Bridge.Model.Vlans[250];
        bench.Bridge.Model = bench.Bridge.Model with { Vlans = bench.Bridge.Model.Vlans.SetItem(250, farm with { Egress = farm.Egress.With(5), Untagged = farm.Untagged.With(5) }) };
        var bad = await plane.Gridctl("fabric", "verify");
        Assert.Equal(2, bad.Status);
        Assert.Contains("drift: port Gi0/3 of switch leaf1 is access 250", bad.Output);
        Assert.Contains("mixed-port: port Gi0/5 of switch leaf1 joins VLANs: untagged 100,250", bad.Output);

        Assert.Equal(0, (await plane.Gridctl("switch", "remove", "leaf1")).Status);
        Assert.Equal("nothing differs", (await plane.Gridctl("fabric", "drift")).Output.Trim());
    }

    [Fact]
    public async Task Verifying_is_not_good_where_nobody_could_send_a_frame_and_names_whoever_was_not_asked()
    {
        await AddAsync();
        var nobody = await plane.Gridctl("fabric", "verify");
        Assert.Equal(2, nobody.Status);
        Assert.Contains("unproven: not a frame was sent, because no node has an agent that listens", nobody.Output);
        Assert.DoesNotContain("as it should be\n", nobody.Output);

        var node = await plane.Nodes.DiscoverAsync(MacAddress.Parse("52:54:00:00:00:07"), "provisioning", n => n, "seen", default);
        plane.Nodes.Touch(node.Id, n => n with { AgentLastSeen = TimeProvider.System.GetUtcNow().AddMinutes(-14) });
        var silent = await plane.Gridctl("fabric", "verify");
        Assert.Equal(2, silent.Status);
        Assert.Contains($"unproven: {node.Name} was not asked, because its agent was last heard of 14 min ago: nothing is known of what reaches it", silent.Output);
    }
}
