using System.Text;
using System.Text.Json;
using GridAppliance.Api;
using GridAppliance.Nodes;
using GridAppliance.Power;
using GridAppliance.Power.Nodes;
using GridAppliance.Power.Ports;
using GridAppliance.Protocols.Ipmi.Session;
using GridAppliance.Testing;
using GridAppliance.Tests.Web;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Power.Nodes;

/// <summary>gridctl power, boot and the rest, through a management plane to BMCs that answer real datagrams.</summary>
public sealed class NodePowerTests : IAsyncLifetime
{
    static CancellationToken Patience => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    readonly List<ScriptedBmc> bmcs = [];
    ManagementPlaneHost plane = null!;

    public async Task InitializeAsync() => plane = await ManagementPlaneHost.StartAsync();

    public async Task DisposeAsync()
    {
        await plane.DisposeAsync();
        foreach (var bmc in bmcs) await bmc.DisposeAsync();
    }

    async Task<ScriptedBmc> RackAsync(int number, string firmware = "bios")
    {
        var bmc = new ScriptedBmc();
        bmcs.Add(bmc);
        await SampleNodes.DiscoverAsync(plane, number, firmware);
        var set = await plane.GridctlWith(Encoding.ASCII.GetString(bmc.Password) + "\n", "port", "set", $"n{number}", bmc.Uri.OriginalString, "--user", bmc.User);
        Assert.Equal(0, set.Status);
        return bmc;
    }

    Node Node(string name) => plane.Nodes.Current.Find(name)!;

    IEnumerable<string> Kinds(string name) => plane.Timeline.ReadNode(Node(name).Id, 200).Select(e => e.Kind);

    PowerReconciler Reconciler(TimeProvider? clock = null) => new(plane.Nodes, plane.Get<NodePorts>(), plane.Timeline, clock ?? TimeProvider.System, NullLogger<PowerReconciler>.Instance);

    [Fact]
    public async Task Many_machines_are_switched_at_once_and_each_says_what_came_of_it()
    {
        var first = await RackAsync(1);
        var second = await RackAsync(2);
        second.State.IsOn = true;
        await SampleNodes.DiscoverAsync(plane, 3);

        var on = await plane.Gridctl("power", "on", "n[1-3,9]");
        Assert.Equal(2, on.Status);
        Assert.Equal(["n1: is on", "n2: is on already"], on.Output.Split('\n')[..2]);
        Assert.Contains("n3: has no port", on.Output);
        Assert.Contains("n9: there is no such node", on.Output);
        Assert.Equal([1], first.State.Actions);
        Assert.Empty(second.State.Actions);

        var status = await plane.Gridctl("power", "status", "n[1-2]");
        Assert.Equal((0, "n1: on\nn2: on\n"), (status.Status, status.Output));
        Assert.Contains("power.on", Kinds("n1"));
        Assert.Equal("on", Node("n1").ToDocument().DesiredPower);
        Assert.Equal(3, (await plane.Gridctl("power", "off", "n3")).Status);
    }

    [Fact]
    public async Task A_dry_run_touches_nothing()
    {
        var bmc = await RackAsync(1);
        var dry = await plane.Gridctl("power", "cycle", "n1", "--dry-run");
        Assert.Equal((0, $"n1: would be power-cycled through {bmc.Uri.OriginalString}\n"), (dry.Status, dry.Output));
        Assert.Equal(0, (await plane.Gridctl("boot", "n1", "--once", "net", "--power", "--dry-run")).Status);
        Assert.Empty(bmc.State.Actions);
        Assert.Equal(new byte[5], bmc.State.BootFlags);
        Assert.Null(Node("n1").PowerWish);
    }

    [Fact]
    public async Task A_machine_that_is_off_is_booted_from_the_network_once_in_the_way_of_its_firmware()
    {
        var bios = await RackAsync(1);
        var uefi = await RackAsync(2, "uefi");
        var booted = await plane.Gridctl("boot", "n[1-2]", "--once", "net", "--power");
        Assert.Equal(0, booted.Status);
        // IPMI 2.0, table 28-14, parameter 5: valid 80h, persistent 40h, EFI 20h; then the device, PXE 04h.
        Assert.Equal((0x80, 0x04), (bios.State.BootFlags[0], bios.State.BootFlags[1]));
        Assert.Equal((0xA0, 0x04), (uefi.State.BootFlags[0], uefi.State.BootFlags[1]));
        Assert.Equal([1], bios.State.Actions);
        Assert.True(uefi.State.IsOn);
        Assert.Contains("power.boot-device", Kinds("n1"));

        Assert.Equal(0, (await plane.Gridctl("boot", "n1", "--always", "disk", "--firmware", "uefi")).Status);
        Assert.Equal((0xE0, 0x08), (bios.State.BootFlags[0], bios.State.BootFlags[1]));
        Assert.Equal(1, (await plane.Gridctl("boot", "n1", "--power")).Status);
    }

    [Fact]
    public async Task One_dead_bmc_costs_the_others_nothing_and_is_told()
    {
        var alive = await RackAsync(1);
        var dead = await RackAsync(2);
        dead.Script = _ => Reaction.Lose;
        var asked = await plane.Gridctl("power", "status", "n[1-2]", "-o", "json");
        Assert.Equal(2, asked.Status);
        var nodes = JsonSerializer.Deserialize(asked.Output, ApiJson.Default.PowerStatusDocument)!.Nodes;
        Assert.Equal(["off", "unknown"], nodes.Select(n => n.Power));
        Assert.Null(nodes[0].Problem);
        Assert.Contains(dead.Uri.OriginalString, nodes[1].Problem);
        await Reconciler().LookOneAsync(Node("n2"), Patience);
        var why = await plane.Gridctl("why", "n2");
        Assert.Contains("cannot be acted on", why.Output);
        Assert.Single(Kinds("n2"), kind => kind == "port.silent");
        Assert.Equal("unknown", Node("n2").ToDocument().Power);
        Assert.NotNull(alive);
    }

    [Fact]
    public async Task What_is_asked_and_what_is_seen_are_two_things()
    {
        var bmc = await RackAsync(1);
        await plane.Gridctl("power", "on", "n1");
        var reconciler = Reconciler();
        await reconciler.LookOneAsync(Node("n1"), Patience);
        Assert.Equal(("on", "on", "observe"), Shown());
        Assert.True(Node("n1").PowerWish!.IsReached);

        bmc.State.IsOn = false; // the button
        await plane.Gridctl("power", "policy", "n1", "enforce");
        await reconciler.LookOneAsync(Node("n1"), Patience);
        await reconciler.LookOneAsync(Node("n1"), Patience);
        Assert.Equal(("off", "on", "enforce"), Shown());
        Assert.Equal([1], bmc.State.Actions);
        Assert.Single(plane.Timeline.ReadNode(Node("n1").Id, 200), e => e.Kind == "power.observed" && e.Message.Contains("somebody at the machine"));
        var why = await plane.Gridctl("why", "n1");
        Assert.StartsWith("n1: n1 is off since", why.Output);

        await plane.Gridctl("power", "on", "n1");
        Assert.True(bmc.State.IsOn);
        Assert.False(Node("n1").PowerWish!.HasYielded);

        (string?, string?, string?) Shown() => (Node("n1").ToDocument().Power, Node("n1").ToDocument().DesiredPower, Node("n1").ToDocument().PowerPolicy);
    }

    [Fact]
    public async Task What_a_button_undoes_before_the_next_look_is_left_so_also_where_orders_are_enforced()
    {
        var bmc = await RackAsync(1);
        await plane.Gridctl("power", "policy", "n1", "enforce");
        await plane.Gridctl("power", "on", "n1");
        bmc.State.IsOn = false; // the button
        await LongAgoAsync("n1");
        await Reconciler().LookOneAsync(Node("n1"), Patience);
        Assert.True(Node("n1").PowerWish!.HasYielded);
        Assert.Equal([1], bmc.State.Actions);
    }

    [Fact]
    public async Task An_order_that_did_not_come_true_is_carried_out_again_where_that_is_enforced_and_told()
    {
        var bmc = await RackAsync(1);
        await plane.Gridctl("power", "policy", "n1", "enforce");
        bmc.State.IgnoresControl = true;
        Assert.Contains("is still off", (await plane.Gridctl("power", "on", "n1")).Output);
        bmc.State.IgnoresControl = false;
        await Reconciler().LookOneAsync(Node("n1"), Patience);
        Assert.False(bmc.State.IsOn);
        await LongAgoAsync("n1");
        await Reconciler().LookOneAsync(Node("n1"), Patience);
        Assert.True(bmc.State.IsOn);
        Assert.Single(plane.Timeline.ReadNode(Node("n1").Id, 200), e => e.Message.Contains("by the appliance"));
        await Reconciler().LookOneAsync(Node("n1"), Patience);
        Assert.True(Node("n1").PowerWish!.IsReached);
    }

    /// <summary>The grace of an order is over.</summary>
    Task LongAgoAsync(string name) =>
        plane.Nodes.ChangeAsync(Node(name).Id, now => (now with { PowerWish = now.PowerWish! with { At = now.PowerWish.At - (PowerPlan.Grace * 2) } }, []), Patience);

    [Fact]
    public async Task A_bmc_that_does_not_answer_keeps_no_other_from_being_looked_at()
    {
        var (alive, dead) = (await RackAsync(1), await RackAsync(2));
        dead.Script = _ => Reaction.Lose;
        var clock = new ManualClock();
        await plane.Nodes.ChangeAsync(Node("n1").Id, now => (now with { PowerWish = new() { Desired = PowerState.On, By = "test", At = clock.GetUtcNow() } }, []), Patience);
        using var reconciler = Reconciler(clock);
        var (looks, asked) = (alive.Count("Chassis/01"), dead.Log.Count);
        await reconciler.StartAsync(Patience);
        await Eventually.UntilAsync(() => alive.Count("Chassis/01") > looks && dead.Log.Count > asked && Node("n1").Reach.Power is not null, "the first look at both");
        // The dead one is waited for some seconds, and its patience is up by a clock that stands.
        clock.Advance(TimeSpan.FromSeconds(2));
        await Eventually.UntilAsync(() => alive.Count("Chassis/01") > looks + 1, "the second look at the one that answers");
        Assert.Null(Node("n2").Reach.Power);
        await reconciler.StopAsync(Patience);
    }

    [Fact]
    public async Task An_order_survives_a_restart_of_the_appliance()
    {
        await RackAsync(1);
        await plane.Gridctl("power", "on", "n1");
        await plane.Gridctl("power", "policy", "n1", "enforce");
        var port = plane.Loopback.Port;
        await plane.StopAsync();
        await plane.RestartAsync(port);
        Assert.Equal((PowerState.On, true), (Node("n1").PowerWish!.Desired, Node("n1").PowerWish!.IsEnforced));
    }

    [Fact]
    public async Task A_bmc_that_lets_in_anybody_is_a_security_problem_of_its_node()
    {
        var bmc = await RackAsync(1);
        bmc.Suites.Add(CipherSuite.Zero);
        await Reconciler().LookOneAsync(Node("n1"), Patience);
        Assert.Contains(Node("n1").ToDocument().SecurityProblems, text => text.Contains("cipher suite 0"));
        Assert.Single(Kinds("n1"), kind => kind == "port.insecure");
        bmc.State.IsOn = true;
        await SampleNodes.ReadyAsync(plane, Node("n1"));
        await Reconciler().LookOneAsync(Node("n1"), Patience);
        Assert.Contains("Switch cipher suite 0 off", (await plane.Gridctl("why", "n1")).Output);
    }

    [Fact]
    public async Task The_light_the_sensors_and_the_log_of_a_bmc_are_at_hand()
    {
        var bmc = await RackAsync(1);
        Assert.Equal(0, (await plane.Gridctl("identify", "n1", "--on")).Status);
        Assert.NotEqual(0, bmc.State.Identify);
        Assert.Equal(0, (await plane.Gridctl("identify", "n1", "--off")).Status);
        Assert.Equal(0, bmc.State.Identify);
        Assert.Equal(0, (await plane.Gridctl("sensors", "n1")).Status);
        var told = await OutputAsync("bmc", "n1");
        Assert.Equal(0, told.Item1);
        Assert.Contains("MAC 52:54:00:01:02:03 (static)", told.Item2);
        Assert.Contains("2 ADMIN, administrator", told.Item2);
        Assert.Equal((0, ""), await OutputAsync("sel", "n1"));
        Assert.Equal((0, "n1: its event log is empty\n"), await OutputAsync("sel", "n1", "--clear"));

        async Task<(int, string)> OutputAsync(params string[] command)
        {
            var ran = await plane.Gridctl(command);
            return (ran.Status, ran.Output);
        }
    }
}
