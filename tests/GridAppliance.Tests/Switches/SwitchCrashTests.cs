using System.Collections.Immutable;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Switches;
using GridAppliance.Switches.Cisco;
using GridAppliance.Switches.Fleet;
using GridAppliance.Switches.QBridge;
using GridAppliance.Switches.Snmp;
using GridAppliance.Testing;
using GridAppliance.Tests.Web;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Switches;

/// <summary>A daemon that is killed in the middle of a change, wherever that is: its next life makes the switch as it was.</summary>
public sealed class SwitchCrashTests
{
    const int FirstCisco = 10101;
    static readonly VlanId Idle = new(100), Farm = new(250), Made = new(251), Removed = new(252);

    /// <summary>Requests so small that a change is many of them.</summary>
    static readonly SnmpTimings Small = new() { LargestRequest = 500, FirstWait = TimeSpan.FromSeconds(2) };

    static BridgeModel Before { get; } = BridgeModel.Factory(64).WithAccess(999, 62).WithAccess(252).WithAccess(100, [.. Enumerable.Range(1, 60), 63]);

    static SwitchPolicy Policy { get; } = new() { Ports = [.. Enumerable.Range(1, 61)], Vlans = [Idle, Farm, Made, Removed] };

    /// <summary>All that there is to a change: ports moved, one a trunk, one shut and described, VLANs made, one with a name, and one removed.</summary>
    static VlanIntent Everything(int first) => new()
    {
        Ports =
        [
            .. Enumerable.Range(first, 40).Select(p => new PortIntent(p) { Vlans = PortVlans.Access(Farm) }),
            new(first + 40) { Vlans = PortVlans.Trunk(Idle, [Farm, Made]) }, new(first + 41) { IsEnabled = false, Description = "for nobody" },
        ],
        Create = ImmutableSortedDictionary<VlanId, string>.Empty.Add(Made, "farm 7"),
        Remove = [Removed],
    };

    static void AssertSame(BridgeModel expected, BridgeModel actual)
    {
        Assert.Equal(expected.Ports.Values, actual.Ports.Values);
        Assert.Equal(expected.Vlans.Select(v => (v.Key, v.Value)), actual.Vlans.Select(v => (v.Key, v.Value)));
    }

    /// <summary>Kills the daemon before, between and after the steps of a change; and its next life in the middle of taking it back.</summary>
    static async Task KillEverywhereAsync<T>(DriverBench<T> bench, VlanIntent intent, SwitchPolicy policy, Action assertSame) where T : IVlanWriter, IDisposable
    {
        var steps = ((VlanPlan.Ready)(await bench.Device.ReadStateAsync(default)).Plan(intent, policy)).Writes;
        Assert.InRange(steps.Length, 5, 100);
        for (var done = 0; done <= steps.Length; done++)
        {
            await bench.Journal.BeginAsync(bench.Device.Address, steps, default);
            Assert.Equal(new(done, null), await bench.Device.WriteAsync(steps[..done], default) with { Sets = done });
            await bench.RestartAsync();
            var back = (await bench.Device.ReadStateAsync(default)).TakeBack(Assert.Single(bench.Journal.Unfinished(bench.Device.Address)), policy).Writes;
            Assert.Null((await bench.Device.WriteAsync(back[..(back.Length / 2)], default)).Refusal);
            await bench.RestartAsync();
            await using var actor = bench.Actor(policy);
            Assert.True(await actor.RecoverAsync(default));
            assertSame();
            Assert.Empty(bench.Journal.Unfinished(bench.Device.Address));
            Assert.False(await actor.RecoverAsync(default));
        }
    }

    [Fact]
    public async Task Killed_anywhere_in_a_change_a_q_bridge_switch_is_as_it_was_when_the_daemon_looks_again()
    {
        var bridge = new MemoryBridge(Before);
        await using var bench = new DriverBench<QBridgeSwitch>(new BridgeTree(bridge, "lab", TimeProvider.System), session => new(new("snmp+qbridge://127.0.0.1"), session), Small);
        await KillEverywhereAsync(bench, Everything(1), Policy, () => AssertSame(Before, bridge.Model));
    }

    [Fact]
    public async Task Killed_anywhere_in_a_change_a_cisco_switch_is_as_it_was_when_the_daemon_looks_again()
    {
        var tree = new CiscoTree
        {
            Model = new()
            {
                Vlans = new CiscoModel().Vlans.Add(100, "idle").Add(252, "old"),
                Ports = Enumerable.Range(0, 48).ToImmutableSortedDictionary(n => (uint)(FirstCisco + n), n => new CiscoPort($"Gi0/{n + 1}") { Access = 100 }),
            },
        };
        var before = tree.Model;
        await using var bench = new DriverBench<CiscoSwitch>(tree, session => new(new("snmp+cisco://127.0.0.1"), session), Small);
        await KillEverywhereAsync(bench, Everything(FirstCisco), Policy with { Ports = [.. Enumerable.Range(FirstCisco, 48)] }, () =>
        {
            Assert.Equal(before.Vlans, tree.Model.Vlans);
            Assert.Equal(before.Ports.Select(p => p.Value.ToString()), tree.Model.Ports.Select(p => p.Value.ToString()));
            Assert.Null(tree.Model.Buffer);
        });
    }

    [Fact]
    public async Task What_others_changed_since_stays_as_they_left_it()
    {
        var bridge = new MemoryBridge(Before);
        await using var bench = new DriverBench<QBridgeSwitch>(new BridgeTree(bridge, "lab", TimeProvider.System), session => new(new("snmp+qbridge://127.0.0.1"), session), Small);
        var steps = ((VlanPlan.Ready)(await bench.Device.ReadStateAsync(default)).Plan(Everything(1), Policy)).Writes;
        await bench.Journal.BeginAsync(bench.Device.Address, steps, default);
        await bench.Device.WriteAsync(steps[..(steps.Length / 2)], default);
        // A port that is not ours leaves a VLAN whose list the change has written, and another port that is not ours enters it.
        bridge.Model = bridge.Model.WithAccess(999, 63).WithAccess(100, 62);

        await using var actor = bench.Actor(Policy);
        Assert.True(await actor.RecoverAsync(default));
        AssertSame(Before.WithAccess(999, 63).WithAccess(100, 62), bridge.Model);
    }

    [Fact]
    public async Task What_cannot_be_taken_back_is_told_and_not_tried_for_ever()
    {
        var bridge = new MemoryBridge(Before);
        await using var bench = new DriverBench<QBridgeSwitch>(new BridgeTree(bridge, "lab", TimeProvider.System), session => new(new("snmp+qbridge://127.0.0.1"), session), Small);
        var steps = ((VlanPlan.Ready)(await bench.Device.ReadStateAsync(default)).Plan(Everything(1), Policy)).Writes;
        await bench.Journal.BeginAsync(bench.Device.Address, steps, default);
        await bench.Device.WriteAsync(steps, default);
        // Port 3 has been taken away from us meanwhile.
        var guard = new NotingGuard();
        await using var actor = new SwitchActor(bench.Device, _ => Policy with { Ports = Policy.Ports.Remove(3) }, guard, bench.Journal, NullLogger<SwitchActor>.Instance);
        Assert.True(await actor.RecoverAsync(default));
        Assert.Contains("Gi0/3 is not ours to write any more", Assert.Single(guard.Told));
        Assert.Equal([3], bridge.Model.Vlans[250].Egress.Ports);
        Assert.Empty(bench.Journal.Unfinished(bench.Device.Address));
    }

    [Fact]
    public async Task A_daemon_that_starts_takes_back_what_its_last_life_left_half_done_before_anybody_asks_for_anything()
    {
        await using var bench = new SwitchBench(Before, "leaf1");
        await using var plane = await ManagementPlaneHost.StartAsync();
        var secretFile = await SwitchBench.WriteSecretAsync(plane.DataDir);
        var added = await plane.Gridctl("switch", "add", "leaf1", bench.Address, "--user", SwitchBench.User, "--secret-file", secretFile, "--ports", "1-61", "--vlans", "100,250-252");
        Assert.True(added.Status == 0, added.Error);
        // It has made sure that nothing was left: what is written down now is for its next life.
        await Eventually.UntilAsync(() => plane.Get<SwitchFleet>().Find("leaf1")!.Reading is not null, "a first reading");
        Assert.Equal(0, (await plane.Gridctl("switch", "vlan", "leaf1/Gi0/50", "100")).Status);
        await using (var socket = new SnmpSocket(NullLogger<SnmpSocket>.Instance))
        {
            using var device = new QBridgeSwitch(new(bench.Address), new(socket, bench.Agent.EndPoint, SwitchBench.Credentials, Small, TimeProvider.System));
            var steps = ((VlanPlan.Ready)(await device.ReadStateAsync(default)).Plan(Everything(1), Policy)).Writes;
            await plane.Get<ISwitchJournal>().BeginAsync(device.Address, steps, default);
            await device.WriteAsync(steps[..(steps.Length / 2)], default);
        }
        await plane.StopAsync();
        Assert.NotEqual(Before.Vlans.Keys, bench.Bridge.Model.Vlans.Keys);

        await plane.RestartAsync(0);
        await Eventually.UntilAsync(() => plane.Timeline.Read(0, 1000).Any(e => e is { Kind: "switch.taken-back", Message: "a change of switch leaf1 that had been left half done was taken back" }), "an event");
        AssertSame(Before, bench.Bridge.Model);
    }

    sealed class NotingGuard : IWriteGuard
    {
        public List<string?> Told { get; } = [];

        public Task<string?> RefusalAsync(CancellationToken cancellationToken) => Task.FromResult<string?>(null);

        public Task WritingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task TookBackAsync(string? trouble, CancellationToken cancellationToken)
        {
            Told.Add(trouble);
            return Task.CompletedTask;
        }
    }
}
