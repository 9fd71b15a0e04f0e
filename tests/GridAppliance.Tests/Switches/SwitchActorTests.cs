using System.Collections.Immutable;
using System.Net;
using GridAppliance.Hosting;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Protocols.Snmp.Usm;
using GridAppliance.Switches;
using GridAppliance.Switches.QBridge;
using GridAppliance.Switches.Snmp;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Switches;

/// <summary>Changes of a switch that keeps state and enforces the MIB's rules, over UDP, signed and encrypted.</summary>
public sealed class SwitchActorTests : IAsyncLifetime
{
    const int Ports = 64;
    static readonly VlanId Idle = new(100), Farm = new(250), Foreign = new(999);

    readonly MemoryBridge bridge = new(BridgeModel.Factory(Ports).WithAccess(999, 61, 62).WithAccess(100, [.. Enumerable.Range(1, 60)]));
    readonly DriverBench<QBridgeSwitch> bench;

    static readonly SwitchPolicy Policy = new() { Ports = [.. Enumerable.Range(1, 61)], Vlans = [Idle, Farm, new(251), new(252)], Uplinks = [60] };

    public SwitchActorTests() => bench = new(new BridgeTree(bridge, "lab", TimeProvider.System), session => new(new("snmp+qbridge://127.0.0.1"), session));

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => bench.DisposeAsync().AsTask();

    SwitchActor Actor(SwitchPolicy? policy = null) => bench.Actor(policy ?? Policy);

    static VlanIntent Move(VlanId vlan, params IEnumerable<int> ports) => new() { Ports = [.. ports.Select(p => new PortIntent(p) { Vlans = PortVlans.Access(vlan) })] };

    [Fact]
    public async Task Fifty_nine_ports_are_moved_in_a_handful_of_pdus()
    {
        await using var actor = Actor();
        var outcome = await actor.ApplyAsync(Move(Farm, Enumerable.Range(1, 59)), default);
        Assert.Equal((ChangeEnding.Done, null), (outcome.Ending, outcome.Reason));
        Assert.InRange(outcome.Pdus, 1, 10);
        Assert.Equal(outcome.Pdus, bench.Agent.Served[SnmpPduType.Set]);
        Assert.Equal(Enumerable.Range(1, 59), bridge.Model.Vlans[250].Egress.Ports);
        Assert.Equal([60], bridge.Model.Vlans[100].Egress.Ports);
        Assert.Equal([61, 62], bridge.Model.Vlans[999].Untagged.Ports);
        Assert.All(Enumerable.Range(1, 59), p => Assert.Equal(250, bridge.Model.Ports[p].Pvid));
    }

    [Fact]
    public async Task What_waits_is_done_in_one_go()
    {
        await using var actor = Actor();
        // The first is under way while the others queue up behind it.
        var outcomes = await Task.WhenAll(Enumerable.Range(1, 40).Select(p => actor.ApplyAsync(Move(Farm, p), default)));
        Assert.All(outcomes, o => Assert.Equal(ChangeEnding.Done, o.Ending));
        Assert.Equal(Enumerable.Range(1, 40), bridge.Model.Vlans[250].Egress.Ports);
        Assert.InRange(bench.Agent.Served[SnmpPduType.Set], 1, 10);
    }

    [Fact]
    public async Task A_trunk_is_made_and_unmade()
    {
        await using var actor = Actor();
        var trunk = PortVlans.Trunk(Idle, [Farm, new(251)]);
        Assert.Equal(ChangeEnding.Done, (await actor.ApplyAsync(new() { Ports = [new(5) { Vlans = trunk, Description = "to rack 2", IsEnabled = false }] }, default)).Ending);
        var port = (await bench.Device.ReadAsync(default)).Ports[5];
        Assert.Equal(trunk, port.Vlans);
        Assert.Equal(("to rack 2", false), (port.Description, port.IsEnabled));
        Assert.Equal(ChangeEnding.Done, (await actor.ApplyAsync(Move(Idle, 5), default)).Ending);
        Assert.Equal(PortVlans.Access(Idle), (await bench.Device.ReadAsync(default)).Ports[5].Vlans);
        var removal = await actor.ApplyAsync(new() { Remove = [Farm, new(251)] }, default);
        Assert.Equal(ChangeEnding.Done, removal.Ending);
        Assert.Equal([1, 100, 999], bridge.Model.Vlans.Keys);
    }

    [Fact]
    public async Task What_is_so_already_is_not_written()
    {
        await using var actor = Actor();
        Assert.Equal(ChangeEnding.Unchanged, (await actor.ApplyAsync(Move(Idle, 1, 2, 3), default)).Ending);
        Assert.False(bench.Agent.Served.ContainsKey(SnmpPduType.Set));
    }

    [Theory]
    [InlineData(60, 250, "uplink")]
    [InlineData(62, 250, "not ours")]
    [InlineData(1, 999, "VLAN 999 is not ours")]
    [InlineData(61, 250, "not ours to take it out of")]
    [InlineData(77, 250, "no port 77")]
    public async Task What_is_not_ours_is_never_written_whatever_is_asked(int port, int vlan, string reason)
    {
        await using var actor = Actor();
        var before = bridge.Model;
        var outcome = await actor.ApplyAsync(Move(new(vlan), port, 2), default);
        Assert.Equal(ChangeEnding.Refused, outcome.Ending);
        Assert.Contains(reason, outcome.Reason);
        Assert.Same(before, bridge.Model);
    }

    [Fact]
    public async Task A_vlan_is_not_removed_while_somebody_is_in_it()
    {
        await using var actor = Actor(Policy with { Vlans = Policy.Vlans.Add(Foreign) });
        var outcome = await actor.ApplyAsync(new() { Remove = [Foreign] }, default);
        Assert.Equal(ChangeEnding.Refused, outcome.Ending);
        Assert.Contains("Gi0/61, Gi0/62", outcome.Reason);
    }

    [Fact]
    public async Task One_callers_refusal_does_not_spoil_the_others_change()
    {
        await using var actor = Actor();
        var outcomes = await Task.WhenAll(actor.ApplyAsync(Move(Farm, 1), default), actor.ApplyAsync(Move(Foreign, 2), default), actor.ApplyAsync(Move(Farm, 3), default));
        Assert.Equal([ChangeEnding.Done, ChangeEnding.Refused, ChangeEnding.Done], outcomes.Select(o => o.Ending));
        Assert.Equal([1, 3], bridge.Model.Vlans[250].Egress.Ports);
    }

    [Theory]
    [InlineData(SnmpErrorStatus.CommitFailed)]
    [InlineData(SnmpErrorStatus.GeneralError)]
    [InlineData(SnmpErrorStatus.NoAccess)]
    public async Task A_refusal_halfway_is_rolled_back(SnmpErrorStatus status)
    {
        var before = bridge.Model;
        var sets = 0;
        var refusing = new RefusingBridge(bridge, applyNumber => applyNumber == 2);
        await using var other = OpenAgent(refusing, (request, response) => request.Type == SnmpPduType.Set && response.ErrorStatus == SnmpErrorStatus.CommitFailed && sets++ == 0 ? response with { ErrorStatus = status, ErrorIndex = 3 } : response);
        await using var actor = new SwitchActor(other.Device, Policy, bench.Journal, NullLogger<SwitchActor>.Instance);
        var outcome = await actor.ApplyAsync(Move(Farm, Enumerable.Range(1, 59)), default);
        Assert.Equal(ChangeEnding.RolledBack, outcome.Ending);
        Assert.Contains(status.ToString(), outcome.Reason);
        AssertSame(before, bridge.Model);
    }

    [Fact]
    public async Task A_switch_that_says_yes_and_does_something_else_is_found_out_and_rolled_back()
    {
        var before = bridge.Model;
        // It loses port 7 on the way, once.
        var lying = new RefusingBridge(bridge, _ => false) { Twist = (number, model) => number == 1 ? model with { Ports = model.Ports.SetItem(7, model.Ports[7] with { Pvid = 100 }) } : model };
        await using var other = OpenAgent(lying, null);
        await using var actor = new SwitchActor(other.Device, Policy, bench.Journal, NullLogger<SwitchActor>.Instance);
        var outcome = await actor.ApplyAsync(Move(Farm, 7, 8), default);
        Assert.Equal(ChangeEnding.RolledBack, outcome.Ending);
        Assert.Contains("Gi0/7 was to be access 250", outcome.Reason);
        AssertSame(before, bridge.Model);
    }

    [Fact]
    public async Task A_port_of_somebody_else_that_changes_in_our_go_is_noticed()
    {
        var meddling = new RefusingBridge(bridge, _ => false) { Twist = (number, model) => model.WithAccess(1, 62) };
        await using var other = OpenAgent(meddling, null);
        await using var actor = new SwitchActor(other.Device, Policy, bench.Journal, NullLogger<SwitchActor>.Instance);
        var outcome = await actor.ApplyAsync(Move(Farm, 7), default);
        Assert.Equal(ChangeEnding.Damaged, outcome.Ending); // ours is taken back; theirs is not ours to mend
        Assert.Contains("Gi0/62", outcome.Reason);
        Assert.Equal([7], bridge.Model.Vlans[100].Egress.Ports.Where(p => p == 7));
    }

    [Fact]
    public async Task A_lost_answer_is_asked_for_again_and_the_change_is_done_once()
    {
        var lost = 0;
        await using var other = OpenAgent(bridge, (request, response) => request.Type == SnmpPduType.Set && lost++ == 0 ? null : response);
        await using var actor = new SwitchActor(other.Device, Policy with { Vlans = Policy.Vlans.Add(Foreign) }, bench.Journal, NullLogger<SwitchActor>.Instance);
        Assert.Equal(ChangeEnding.Done, (await actor.ApplyAsync(Move(Foreign, 7), default)).Ending);
        Assert.Equal(PortVlans.Access(Foreign), (await other.Device.ReadAsync(default)).Ports[7].Vlans);
    }

    [Fact]
    public async Task A_vlan_is_made_once_also_when_the_answer_to_that_is_lost()
    {
        var seen = new HashSet<string>();
        // The first answer to each different SET is lost, after it was done; and a row that is there is not made again.
        await using var other = OpenAgent(bridge, (request, response) => request.Type == SnmpPduType.Set && seen.Add(string.Join(';', request.Varbinds)) ? null : response);
        await using var actor = new SwitchActor(other.Device, Policy, bench.Journal, NullLogger<SwitchActor>.Instance);
        var outcome = await actor.ApplyAsync(new() { Ports = Move(Farm, 7, 8).Ports, Create = ImmutableSortedDictionary<VlanId, string>.Empty.Add(Farm, "farm 7") }, default);
        Assert.Equal((ChangeEnding.Done, null), (outcome.Ending, outcome.Reason));
        Assert.Equal("farm 7", bridge.Model.Vlans[250].Name);
        Assert.Equal([7, 8], bridge.Model.Vlans[250].Egress.Ports);
        Assert.Equal(ChangeEnding.Done, (await actor.ApplyAsync(Move(Idle, 7, 8), default)).Ending);
        Assert.Equal(ChangeEnding.Done, (await actor.ApplyAsync(new() { Remove = [Farm] }, default)).Ending);
        Assert.False(bridge.Model.Vlans.ContainsKey(250));
    }

    [Fact]
    public async Task Ports_that_change_places_are_in_one_pdu_that_names_no_variable_twice()
    {
        bridge.Model = bridge.Model.WithAccess(250, 2);
        var requests = new List<SnmpPdu>();
        await using var other = OpenAgent(bridge, (request, response) =>
        {
            if (request.Type == SnmpPduType.Set) requests.Add(request);
            return response;
        });
        await using var actor = new SwitchActor(other.Device, Policy, bench.Journal, NullLogger<SwitchActor>.Instance);
        Assert.Equal(ChangeEnding.Done, (await actor.ApplyAsync(new() { Ports = [.. Move(Farm, 1).Ports, .. Move(Idle, 2).Ports] }, default)).Ending);
        var names = Assert.Single(requests).Varbinds.Select(v => v.Name).ToList();
        Assert.Equal(names.Distinct(), names);
        Assert.Equal([1], bridge.Model.Vlans[250].Egress.Ports);
    }

    [Fact]
    public async Task A_switch_that_answers_late_is_asked_again_and_what_comes_late_is_taken_for_nothing_else()
    {
        // The first write takes longer than the first two waits together: its answer comes when it was asked for three times.
        var late = new RefusingBridge(bridge, _ => false) { FirstTakes = TimeSpan.FromMilliseconds(350) };
        await using var other = OpenAgent(late, null);
        await using var actor = new SwitchActor(other.Device, Policy, bench.Journal, NullLogger<SwitchActor>.Instance);
        var outcome = await actor.ApplyAsync(Move(Farm, Enumerable.Range(1, 59)), default);
        Assert.Equal((ChangeEnding.Done, null), (outcome.Ending, outcome.Reason));
        Assert.True(other.Agent.Served[SnmpPduType.Set] > outcome.Pdus, "it was not asked again");
        Assert.Equal(Enumerable.Range(1, 59), bridge.Model.Vlans[250].Egress.Ports);
        Assert.Equal([60], bridge.Model.Vlans[100].Egress.Ports);
        Assert.Empty(bench.Journal.Unfinished(other.Device.Address));
    }

    [Fact]
    public async Task A_switch_that_restarts_in_the_middle_of_a_change_is_made_whole_when_it_is_there_again()
    {
        var before = bridge.Model;
        var isDown = false;
        // The second step kills it, and it comes back with what it had saved.
        var restarting = new RefusingBridge(bridge, _ => false) { Twist = (step, model) => { isDown |= step == 2; return step == 2 ? before : model; } };
        await using var other = OpenAgent(restarting, (_, response) => isDown ? null : response);
        await using var actor = new SwitchActor(other.Device, Policy, bench.Journal, NullLogger<SwitchActor>.Instance);
        var outcome = await actor.ApplyAsync(Move(Farm, Enumerable.Range(1, 59)), default);
        Assert.Equal(ChangeEnding.Damaged, outcome.Ending);
        Assert.Contains("has stopped answering", outcome.Reason);
        Assert.Single(bench.Journal.Unfinished(other.Device.Address));

        isDown = false;
        Assert.Equal(ChangeEnding.Done, (await actor.ApplyAsync(Move(Farm, 3), default)).Ending);
        Assert.Empty(bench.Journal.Unfinished(other.Device.Address));
        Assert.Equal([3], bridge.Model.Vlans[250].Egress.Ports);
        Assert.Equal(before.Vlans[100].Egress.Without(3), bridge.Model.Vlans[100].Egress);
    }

    /// <summary>Every status that says no (RFC 3416, section 3); what is too big goes in smaller pieces.</summary>
    public static TheoryData<SnmpErrorStatus> Refusals => [.. Enum.GetValues<SnmpErrorStatus>().Except([SnmpErrorStatus.None, SnmpErrorStatus.TooBig])];

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task One_port_of_sixty_that_cannot_be_moved_is_named_and_nobody_is_moved(SnmpErrorStatus status)
    {
        var before = bridge.Model;
        var stubborn = QBridgeMib.Pvid.Append(37);
        // Only what moves it is refused: taking back writes what is there.
        await using var other = new DriverBench<QBridgeSwitch>(new StubbornTree(new BridgeTree(bridge, "lab", TimeProvider.System), set => set.IndexOf(new(stubborn, SnmpValue.Gauge(250))) is >= 0 and var at ? new(status, at + 1) : default), session => new(new("snmp+qbridge://127.0.0.1"), session));
        await using var actor = other.Actor(Policy);
        var outcome = await actor.ApplyAsync(Move(Farm, Enumerable.Range(1, 59)), default);
        Assert.Equal(ChangeEnding.RolledBack, outcome.Ending);
        Assert.Contains($"{status} at {stubborn}", outcome.Reason);
        AssertSame(before, bridge.Model);
    }

    [Fact]
    public async Task A_switch_with_a_small_buffer_takes_a_change_in_smaller_pieces()
    {
        await using var other = new DriverBench<QBridgeSwitch>(new StubbornTree(new BridgeTree(bridge, "lab", TimeProvider.System), set => set.Length > 12 ? new(SnmpErrorStatus.TooBig, 0) : default), session => new(new("snmp+qbridge://127.0.0.1"), session));
        await using var actor = other.Actor(Policy);
        var outcome = await actor.ApplyAsync(Move(Farm, Enumerable.Range(1, 59)), default);
        Assert.Equal((ChangeEnding.Done, null), (outcome.Ending, outcome.Reason));
        Assert.Equal(Enumerable.Range(1, 59), bridge.Model.Vlans[250].Egress.Ports);
        Assert.Equal(other.Agent.Served[SnmpPduType.Set], outcome.Pdus);
    }

    [Fact]
    public void A_port_that_is_reported_twice_is_not_written()
    {
        var ports = PortList.Of([1, 2, 3]);
        var tables = QBridgeTables.From(new()
        {
            SysObjectId = new(1, 3, 6, 1, 4, 1, 9999),
            BasePorts = [new(QBridgeMib.BasePortIfIndex.Append(1), SnmpValue.Integer(11)), new(QBridgeMib.BasePortIfIndex.Append(2), SnmpValue.Integer(12)), new(QBridgeMib.BasePortIfIndex.Append(3), SnmpValue.Integer(12))],
            Pvids = [.. Enumerable.Range(1, 3).Select(p => new Varbind(QBridgeMib.Pvid.Append((uint)p), SnmpValue.Gauge(100)))],
            Static =
            [
                new(QBridgeMib.StaticName.Append(100), SnmpValue.Text("idle")), new(QBridgeMib.StaticEgress.Append(100), SnmpValue.Octets(ports.Octets)), new(QBridgeMib.StaticUntagged.Append(100), SnmpValue.Octets(ports.Octets)),
            ],
            Current = [],
        });
        var policy = new SwitchPolicy { Ports = [1, 2, 3], Vlans = [Idle, Farm] };
        Assert.IsType<VlanPlan.Ready>(new VlanChangePlan(tables, Move(Farm, 1), policy, 1400).Make());
        var refused = Assert.IsType<VlanPlan.Refused>(new VlanChangePlan(tables, Move(Farm, 2), policy, 1400).Make());
        Assert.Contains("twice, as ports 2 and 3", Assert.Single(refused.Reasons));
    }

    sealed class StubbornTree(IManagedTree tree, Func<ImmutableArray<Varbind>, SetVerdict> judge) : IManagedTree
    {
        public ValueTask RefreshAsync(CancellationToken cancellationToken) => tree.RefreshAsync(cancellationToken);

        public SnmpValue Get(ObjectIdentifier name) => tree.Get(name);

        public Varbind? Next(ObjectIdentifier name) => tree.Next(name);

        public ValueTask<SetVerdict> SetAsync(ImmutableArray<Varbind> varbinds, CancellationToken cancellationToken) =>
            judge(varbinds) is { Status: not SnmpErrorStatus.None } verdict ? ValueTask.FromResult(verdict) : tree.SetAsync(varbinds, cancellationToken);
    }

    [Fact]
    public async Task Garbled_datagrams_are_waited_out()
    {
        var random = new Random(1);
        await using var other = OpenAgent(bridge, null);
        var garbled = 0;
        other.Agent.Mangle = datagram =>
        {
            if (garbled++ % 2 == 1) return datagram;
            datagram[random.Next(datagram.Length)] ^= 0x10;
            return datagram;
        };
        var fault = await Record.ExceptionAsync(() => other.Device.ReadAsync(default));
        Assert.True(fault is null or DeviceException, fault?.ToString());
    }

    [Fact]
    public async Task The_probe_says_in_words_what_the_switch_takes()
    {
        var abilities = await bench.Device.ProbeAsync(5, default);
        Assert.True(abilities is { CanReadMembership: true, CanWrite: true }, string.Join(' ', abilities.Words));
        Assert.Contains("It takes a PVID for port 5.", abilities.Words);
        await using var other = OpenAgent(bridge, (request, response) => request.Type == SnmpPduType.Set ? response with { ErrorStatus = SnmpErrorStatus.NotWritable, ErrorIndex = 1 } : response);
        abilities = await other.Device.ProbeAsync(5, default);
        Assert.False(abilities.CanWrite);
        Assert.Contains(abilities.Words, w => w.StartsWith("It refuses a PVID for port 5", StringComparison.Ordinal));
    }

    OpenedAgent OpenAgent(IBridgeBackend backend, Func<SnmpPdu, SnmpPdu, SnmpPdu?>? tamper) => new(bench.Socket, backend, tamper);

    static void AssertSame(BridgeModel expected, BridgeModel actual)
    {
        Assert.Equal(expected.Ports.Values.Select(p => (p.Number, p.Pvid)), actual.Ports.Values.Select(p => (p.Number, p.Pvid)));
        Assert.Equal(expected.Vlans.Select(v => (v.Key, v.Value.Egress, v.Value.Untagged)), actual.Vlans.Select(v => (v.Key, v.Value.Egress, v.Value.Untagged)));
    }

    sealed class OpenedAgent : IAsyncDisposable
    {
        public OpenedAgent(SnmpSocket socket, IBridgeBackend backend, Func<SnmpPdu, SnmpPdu, SnmpPdu?>? tamper)
        {
            Agent = new(new(IPAddress.Loopback, 0), new() { EngineId = [0x80, 0, 0, 0, 5, 1], Communities = new Dictionary<string, AgentAccess> { ["rw"] = AgentAccess.ReadWrite } },
                new Dictionary<string, IManagedTree> { [""] = new BridgeTree(backend, "lab", TimeProvider.System) }, TimeProvider.System)
            {
                Tamper = tamper,
            };
            Device = new(new("snmp+qbridge://127.0.0.1"), new(socket, Agent.EndPoint, new SnmpCredentials.Community("rw"), new() { FirstWait = TimeSpan.FromMilliseconds(100), Attempts = 3 }, TimeProvider.System));
        }

        public SnmpAgent Agent { get; }
        public QBridgeSwitch Device { get; }

        public async ValueTask DisposeAsync()
        {
            Device.Dispose();
            await Agent.DisposeAsync();
        }
    }

    /// <summary>A bridge that fails some of its changes, or does others than it was told.</summary>
    sealed class RefusingBridge(MemoryBridge bridge, Func<int, bool> refuses) : IBridgeBackend
    {
        int applied;

        public Func<int, BridgeModel, BridgeModel> Twist { get; init; } = static (_, model) => model;

        public TimeSpan FirstTakes { get; init; }

        public ValueTask<BridgeModel> ReadAsync(CancellationToken cancellationToken) => bridge.ReadAsync(cancellationToken);

        public async ValueTask<bool> ApplyAsync(BridgeModel model, CancellationToken cancellationToken)
        {
            applied++;
            if (applied == 1 && FirstTakes > TimeSpan.Zero) await Task.Delay(FirstTakes, cancellationToken);
            return !refuses(applied) && await bridge.ApplyAsync(Twist(applied, model), cancellationToken);
        }
    }
}
