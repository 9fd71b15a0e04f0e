using System.Text.Json;
using GridAppliance.Api;
using GridAppliance.Api.Nodes;
using GridAppliance.Boot;
using GridAppliance.Fabric;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Dhcp;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Store;
using GridAppliance.Testing;
using GridAppliance.Tests.Boot;
using GridAppliance.Tests.Boot.Dhcp;
using GridAppliance.Tests.Switches;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Fabric;

/// <summary>A whole daemon beside a switch that keeps state: what a machine's first packet sets off.</summary>
public sealed class FabricWatcherTests : IAsyncLifetime
{
    static readonly MacAddress Nic = MacAddress.Parse("52:54:00:00:00:07");

    readonly SwitchBench bench = new(BridgeModel.Factory(12).WithAccess(100, [.. Enumerable.Range(1, 11)]), "leaf1");
    ManagementPlaneHost plane = null!;

    public async Task InitializeAsync()
    {
        plane = await ManagementPlaneHost.StartAsync();
        var secretFile = await SwitchBench.WriteSecretAsync(plane.DataDir);
        var added = await plane.Gridctl("switch", "add", "leaf1", bench.Address, "--user", SwitchBench.User, "--secret-file", secretFile, "--ports", "Gi0/*", "--vlans", "100,250");
        Assert.True(added.Status == 0, added.Error);
    }

    public async Task DisposeAsync()
    {
        await plane.DisposeAsync();
        await bench.DisposeAsync();
    }

    void Plug(int port) => bench.Bridge.Model = bench.Bridge.Model with { Addresses = [new(100, Nic, port)] };

    void Link(int port, bool isUp) => bench.Bridge.Model = bench.Bridge.Model with { Ports = bench.Bridge.Model.Ports.SetItem(port, bench.Bridge.Model.Ports[port] with { HasLink = isUp }) };

    void Discover() => plane.Get<BootObserver>().Report(new() { Mac = Nic, Stage = BootStage.DhcpDiscover, Network = "provisioning", At = TimeProvider.System.GetUtcNow(), NetworkBoot = true });

    async Task<NodeDocument?> NodeAsync() => await plane.Client().GetNodes(null, default) is [var node, ..] ? node : null;

    Task<NodeDocument?> UntilOnAsync(string port) => Eventually.UntilAsync(NodeAsync, n => n?.Location?.Port == port, $"a node on {port}");

    [Fact]
    public async Task A_new_machine_is_placed_from_its_first_packet_and_its_timeline_says_how()
    {
        Plug(3);
        Discover();
        var node = await UntilOnAsync("Gi0/3");
        Assert.Equal("leaf1", node!.Location!.Switch);
        var events = (await plane.Client().GetTimeline(node.Name, default)).Events;
        Assert.Contains(events, e => e is { Kind: "node.located", Message: "is behind port Gi0/3 of switch leaf1 (from the switch's forwarding table)" });

        var map = JsonSerializer.Deserialize((await plane.Gridctl("fabric", "map", "-o", "json")).Output, ApiJson.Default.FabricMapDocument)!;
        Assert.Equal((node.Name, "Gi0/3"), map.Placements.Select(p => (p.Node, p.Port)).Single());
        Assert.Contains(node.Name, (await plane.Gridctl("fabric", "map")).Output);
        // By the node's name, its port is moved.
        Assert.Equal(0, (await plane.Gridctl("switch", "vlan", node.Name, "250")).Status);
        Assert.Equal(250, bench.Bridge.Model.Ports[3].Pvid);
    }

    [Fact]
    public async Task A_machine_whose_port_had_no_link_when_the_switch_was_read_is_placed_as_soon()
    {
        Link(3, false);
        await plane.Client().ProbeSwitch("leaf1", default);
        Assert.False((await plane.Client().GetSwitchPorts("leaf1", default)).Single(p => p.Name == "Gi0/3").Link);
        Link(3, true);
        Plug(3);
        Discover();
        await UntilOnAsync("Gi0/3");
    }

    [Fact]
    public async Task A_switch_whose_table_is_behind_the_wire_is_asked_again()
    {
        Discover();
        await Eventually.UntilAsync(NodeAsync, n => n is not null, "a node");
        var looks = bench.Agent.Served.GetValueOrDefault(SnmpPduType.GetBulk);
        await Eventually.UntilAsync(() => Task.FromResult(bench.Agent.Served.GetValueOrDefault(SnmpPduType.GetBulk)), n => n > looks + 2, "another look");
        Plug(4);
        await UntilOnAsync("Gi0/4");
    }

    [Fact]
    public async Task A_machine_that_no_table_shows_is_placed_by_the_option_that_the_switch_put_into_its_first_packet()
    {
        var dhcp = new DhcpBench();
        var asks = TestMessage.Discover(7) with { Options = [(DhcpOption.RelayAgentInformation, [1, 5, .. "Gi0/7"u8, 2, 5, .. "leaf1"u8]), .. TestMessage.Ipxe] };
        dhcp.Send(asks);
        foreach (var seen in BootBench.Seen(dhcp.Observer)) plane.Get<BootObserver>().Report(seen with { Network = "provisioning" });
        var node = await UntilOnAsync("Gi0/7");
        Assert.Equal(("4769302f37", "6c65616631"), (plane.Nodes.Current.Find(node!.Name)!.Circuit, plane.Nodes.Current.Find(node.Name)!.CircuitRelay));
        Assert.Equal(["dhcp-relay"], (await plane.Client().GetFabricMap(default)).Placements.Single().Sources);
    }

    [Fact]
    public async Task A_moved_cable_is_noticed_when_the_machine_boots_again()
    {
        Plug(3);
        Discover();
        var node = await UntilOnAsync("Gi0/3");
        Plug(5);
        Discover();
        // Its own port still has a link: somebody else uses its address.
        await Eventually.UntilAsync(() => plane.Client().GetFabricMap(default), m => m.Findings.Any(f => f.Kind == "impostor" && f.Message.Contains("leaf1/Gi0/3, which still has its machine, and its address is used on leaf1/Gi0/5")), "the impostor");
        Assert.Equal("Gi0/3", (await NodeAsync())!.Location!.Port);
        bench.Bridge.Model = bench.Bridge.Model with { Ports = bench.Bridge.Model.Ports.SetItem(3, bench.Bridge.Model.Ports[3] with { HasLink = false }) };
        plane.Get<FabricPokes>().Read("leaf1");
        await UntilOnAsync("Gi0/5");
        var events = (await plane.Client().GetTimeline(node!.Name, default)).Events;
        Assert.Contains(events, e => e is { Kind: "node.moved", Severity: "warning", Message: "its cable was moved from leaf1/Gi0/3 to leaf1/Gi0/5 (from the switch's forwarding table)" });
    }

    [Fact]
    public async Task A_store_that_takes_nothing_for_a_while_ends_no_looking()
    {
        Plug(3);
        Discover();
        await UntilOnAsync("Gi0/3");
        var store = plane.Get<Database>();
        var refused = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        await store.WriteAsync(connection =>
        {
            connection.CreateFunction("refuse", () => refused.TrySetResult(true));
            connection.Run("CREATE TRIGGER full BEFORE UPDATE ON node BEGIN SELECT refuse(); SELECT RAISE(ABORT, 'no room'); END");
        }, default);
        Link(3, false);
        Plug(5);
        plane.Get<FabricPokes>().Read("leaf1");
        await Eventually.ComesAsync(refused.Task, "a write that is refused");
        Assert.Equal("Gi0/3", (await NodeAsync())!.Location!.Port);
        await store.WriteAsync(static connection => connection.Run("DROP TRIGGER full"), default);
        plane.Get<FabricPokes>().Read("leaf1");
        await UntilOnAsync("Gi0/5");
    }

    [Fact]
    public async Task A_node_that_floods_the_switch_with_addresses_is_told_of_and_its_port_can_be_taken_from_it_as_before()
    {
        Plug(3);
        Discover();
        var node = await UntilOnAsync("Gi0/3");
        bench.Bridge.Model = bench.Bridge.Model with { Addresses = [new(100, Nic, 3), .. Enumerable.Range(0, 2000).Select(i => new BridgeAddress(100, MacAddress.FromUInt64(0x0600_0000_0000 + (ulong)i), 3))] };
        plane.Get<FabricPokes>().Read("leaf1");
        var told = await Eventually.UntilAsync(() => plane.Client().GetTimeline(node!.Name, default), t => t.Events.Any(e => e.Kind == "fabric.flood"), "the flood");
        Assert.Contains(told.Events, e => e is { Kind: "fabric.flood", Severity: "warning" } && e.Message.Contains($"behind port Gi0/3 of switch leaf1, {node!.Name}'s"));
        Assert.Null((await plane.Client().GetSwitchPorts("leaf1", default)).Single(p => p.Name == "Gi0/3").Uplink);
        var moved = await plane.Gridctl("switch", "vlan", node!.Name, "250");
        Assert.True(moved.Status == 0, moved.Output + moved.Error);
        Assert.Equal(250, bench.Bridge.Model.Ports[3].Pvid);
    }

    [Fact]
    public async Task A_cable_that_is_not_where_the_plan_has_it_is_told_and_so_is_its_mending()
    {
        Plug(3);
        Discover();
        var node = await UntilOnAsync("Gi0/3");
        var plan = Path.Combine(plane.DataDir, "plan.csv");
        await File.WriteAllTextAsync(plan, $"machine,switch,port\n{Nic},leaf1,Gi0/8\n");
        Assert.Equal(0, (await plane.Gridctl("fabric", "expect", plan)).Status);
        await Eventually.UntilAsync(() => plane.Client().GetFabricMap(default), m => m.Findings.Any(f => f.Kind == "wrong-cable" && f.Node == node!.Name), "a finding");
        bench.Bridge.Model = bench.Bridge.Model with { Ports = bench.Bridge.Model.Ports.SetItem(3, bench.Bridge.Model.Ports[3] with { HasLink = false }) };
        Plug(8);
        Discover();
        await Eventually.UntilAsync(() => plane.Client().GetFabricMap(default), m => m.Findings.Count == 0, "the finding's end");
        var kinds = (await plane.Client().GetTimeline(node!.Name, default)).Events.Select(e => e.Kind).ToList();
        Assert.Contains("fabric.wrong-cable", kinds);
        await Eventually.UntilAsync(() => plane.Client().GetTimeline(node.Name, default), t => t.Events.Any(e => e.Kind == "fabric.wrong-cable-gone"), "the event of its end");
    }
}
