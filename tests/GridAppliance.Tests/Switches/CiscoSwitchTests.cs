using System.Collections.Immutable;
using System.Net;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Switches;
using GridAppliance.Switches.Cisco;
using GridAppliance.Switches.Snmp;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Switches;

/// <summary>Changes of a Cisco switch: an agent that keeps state and enforces the rules of its MIBs, over UDP, signed and encrypted.</summary>
public sealed class CiscoSwitchTests : IAsyncLifetime
{
    const int First = 10101, Uplink = 10164, Theirs = 10162;
    static readonly VlanId Idle = new(100), Farm = new(250);

    readonly CiscoTree tree = new()
    {
        Model = new()
        {
            Vlans = new CiscoModel().Vlans.Add(100, "idle").Add(999, "office"),
            Ports = Enumerable.Range(0, 62).ToImmutableSortedDictionary(n => (uint)(First + n), n => new CiscoPort($"Gi0/{n + 1}") { Access = n == 61 ? 999 : 100 })
                .Add(Uplink, new("Te0/1") { Mode = TrunkMode.On, Encapsulation = CiscoMib.Dot1Q }),
            Contact = "noc [gridappliance rack12 0123456789abcdef]",
        },
    };
    readonly DriverBench<CiscoSwitch> bench;

    static readonly SwitchPolicy Policy = new() { Ports = [.. Enumerable.Range(First, 61), Uplink], Vlans = [Idle, Farm, new(251), new(1500), new(2100), new(3500)], Uplinks = [Uplink] };

    public CiscoSwitchTests() => bench = new(tree, session => new(new("snmp+cisco://127.0.0.1"), session));

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => bench.DisposeAsync().AsTask();

    async Task<ChangeOutcome> ApplyAsync(VlanIntent intent, SwitchPolicy? policy = null)
    {
        await using var actor = bench.Actor(policy ?? Policy);
        var outcome = await actor.ApplyAsync(intent, default);
        Assert.Null(tree.Model.Buffer); // whatever came of it: nobody else is kept from editing
        Assert.Empty(bench.Journal.Unfinished(bench.Device.Address));
        return outcome;
    }

    static VlanIntent Move(VlanId vlan, params IEnumerable<int> ports) => new() { Ports = [.. ports.Select(p => new PortIntent(p) { Vlans = PortVlans.Access(vlan) })] };

    void AssertDone(ChangeOutcome outcome) => Assert.Equal((ChangeEnding.Done, null), (outcome.Ending, outcome.Reason));

    // All that a change may not leave behind; the serial number only ever goes up.
    void AssertSame(CiscoModel before)
    {
        Assert.Equal(before.Vlans, tree.Model.Vlans);
        Assert.Equal(before.Ports.Select(p => Text(p.Value)), tree.Model.Ports.Select(p => Text(p.Value)));
    }

    static string Text(CiscoPort port) => $"{port.Name} {port.Access} {port.Mode} {port.Encapsulation} {port.Native} {string.Join(' ', port.Vlans)} {port.IsEnabled} {port.Alias}";

    [Fact]
    public async Task Sixty_ports_are_moved_into_a_vlan_that_is_made_in_the_edit_buffer()
    {
        var outcome = await ApplyAsync(Move(Farm, Enumerable.Range(First, 60)));
        AssertDone(outcome);
        Assert.InRange(outcome.Pdus, 1, 10);
        Assert.Equal(outcome.Pdus, bench.Agent.Served[SnmpPduType.Set]);
        Assert.Equal("VLAN0250", tree.Model.Vlans[250]);
        Assert.All(Enumerable.Range(First, 60), p => Assert.Equal(250, tree.Model.Ports[(uint)p].Access));
        // The uplink carries all that there is: that it carries one more is nobody's change of it.
        Assert.Contains(Farm, (await bench.Device.ReadAsync(default)).Ports[Uplink].Vlans.Tagged);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_trunk_is_made_and_unmade_also_while_it_has_no_link(bool hasLink)
    {
        tree.Model = tree.Model with { Ports = tree.Model.Ports.SetItem(First, tree.Model.Ports[First] with { HasLink = hasLink }) };
        var before = tree.Model;
        var trunk = PortVlans.Trunk(Idle, [Farm, new(1500), new(2100), new(3500)]);
        AssertDone(await ApplyAsync(new() { Ports = [new(First) { Vlans = trunk, IsEnabled = false, Description = "to rack 2" }], Create = ImmutableSortedDictionary<VlanId, string>.Empty.Add(Farm, "farm-7") }));
        var port = tree.Model.Ports[First];
        Assert.Equal((TrunkMode.On, CiscoMib.Dot1Q, 100), (port.Mode, port.Encapsulation, port.Native));
        Assert.Equal([100, 250, 1500, 2100, 3500], port.Vlans.SelectMany((v, c) => VlanBits.Read(v.AsOctets.ToArray(), c)));
        Assert.Equal("farm-7", tree.Model.Vlans[250]);
        var read = (await bench.Device.ReadAsync(default)).Ports[First];
        Assert.Equal((trunk, false, "to rack 2"), (read.Vlans, read.IsEnabled, read.Description));

        // No VLAN for frames without a tag: the native one is one that the trunk does not carry.
        AssertDone(await ApplyAsync(new() { Ports = [new(First) { Vlans = PortVlans.Trunk(null, [Idle, Farm]) }] }));
        Assert.Equal(1, tree.Model.Ports[First].Native);
        Assert.Equal(PortVlans.Trunk(null, [Idle, Farm]), (await bench.Device.ReadAsync(default)).Ports[First].Vlans);

        AssertDone(await ApplyAsync(new() { Ports = [new(First) { Vlans = PortVlans.Access(Idle), IsEnabled = true, Description = "" }] }));
        Assert.Equal(PortVlans.Access(Idle), (await bench.Device.ReadAsync(default)).Ports[First].Vlans);
        Assert.Equal(TrunkMode.Off, tree.Model.Ports[First].Mode);
        tree.Model = tree.Model with { Ports = tree.Model.Ports.SetItem(Uplink, tree.Model.Ports[Uplink] with { Vlans = [.. Enumerable.Range(0, 4).Select(c => SnmpValue.Octets(VlanBits.Write([1, 100, 999], c)))] }) };
        AssertDone(await ApplyAsync(new() { Remove = [Farm, new(1500), new(2100), new(3500)] }));
        Assert.Equal(before.Vlans, tree.Model.Vlans);
    }

    [Fact]
    public async Task A_port_that_could_be_talked_into_being_a_trunk_is_told_not_to_when_it_gets_its_vlan()
    {
        tree.Model = tree.Model with { Ports = tree.Model.Ports.SetItem(First, tree.Model.Ports[First] with { Mode = TrunkMode.Auto }) };
        AssertDone(await ApplyAsync(Move(Idle, First)));
        Assert.Equal((TrunkMode.Off, 100), (tree.Model.Ports[First].Mode, tree.Model.Ports[First].Access));
    }

    [Fact]
    public async Task An_edit_buffer_that_somebody_else_holds_is_left_to_him()
    {
        var before = tree.Model = tree.Model with { Buffer = tree.Model.Vlans.Add(700, "half done"), Owner = "nms-1" };
        await using var actor = bench.Actor(Policy);
        var outcome = await actor.ApplyAsync(Move(Farm, First), default);
        Assert.Equal(ChangeEnding.RolledBack, outcome.Ending);
        Assert.Contains("being edited by 'nms-1'", outcome.Reason);
        Assert.Equal((before.Buffer, before.Owner), (tree.Model.Buffer, tree.Model.Owner));
        AssertSame(before);

        tree.Model = tree.Model with { Buffer = null, Owner = "" };
        AssertDone(await actor.ApplyAsync(Move(Farm, First), default));
    }

    [Fact]
    public async Task An_edit_buffer_that_we_left_behind_is_taken_again()
    {
        tree.Model = tree.Model with { Buffer = tree.Model.Vlans.Add(700, "half done"), Owner = "gridappliance 0123456789abcdef" };
        AssertDone(await ApplyAsync(Move(Farm, First)));
        Assert.False(tree.Model.Vlans.ContainsKey(700));
    }

    [Fact]
    public async Task An_apply_that_takes_its_time_is_waited_for()
    {
        tree.ApplyTakes = 3;
        AssertDone(await ApplyAsync(Move(Farm, First)));
        Assert.Equal(1, tree.Applied);
    }

    [Theory]
    [InlineData((int)VtpApplyStatus.InconsistentEdit, "would not fit together")]
    [InlineData((int)VtpApplyStatus.TooBig, "no room")]
    [InlineData((int)VtpApplyStatus.NotPrimaryServer, "primary server")]
    [InlineData((int)VtpApplyStatus.LocalStoreFailed, "could not store")]
    public async Task An_apply_that_fails_is_told_in_words_and_nobody_is_moved(int status, string words)
    {
        var before = tree.Model;
        var fails = 2; // it is tried once more, in case that an answer was lost
        tree.Refuses = varbind =>
        {
            if (varbind == new Varbind(CiscoMib.EditOperation.Append(1), SnmpValue.Integer((int)VtpEditOperation.Apply)) && fails-- > 0) tree.ApplyEnds = (VtpApplyStatus)status;
            return false;
        };
        var outcome = await ApplyAsync(Move(Farm, First));
        Assert.Equal(ChangeEnding.RolledBack, outcome.Ending);
        Assert.Contains(words, outcome.Reason);
        AssertSame(before);
    }

    [Fact]
    public async Task A_vtp_client_makes_no_vlans_and_moves_ports_into_those_that_are_there()
    {
        tree.Model = tree.Model with { Mode = VtpMode.Client, Domain = "campus", Vlans = tree.Model.Vlans.Add(251, "there") };
        var outcome = await ApplyAsync(Move(Farm, First));
        Assert.Equal(ChangeEnding.Refused, outcome.Ending);
        Assert.Contains("VTP client: its VLANs are made on a server of domain 'campus'", outcome.Reason);
        Assert.False(bench.Agent.Served.ContainsKey(SnmpPduType.Set));
        AssertDone(await ApplyAsync(Move(new(251), First)));
    }

    [Fact]
    public async Task A_vlan_of_a_whole_vtp_domain_is_made_and_not_removed()
    {
        tree.Model = tree.Model with { Mode = VtpMode.Server, Domain = "campus" };
        AssertDone(await ApplyAsync(new() { Create = ImmutableSortedDictionary<VlanId, string>.Empty.Add(Farm, "farm") }));
        var outcome = await ApplyAsync(new() { Remove = [Farm] });
        Assert.Equal(ChangeEnding.Refused, outcome.Ending);
        Assert.Contains("from every switch of domain 'campus'", outcome.Reason);
    }

    [Theory]
    [InlineData(First, 100, "Gi0/1")]
    [InlineData(Theirs, 999, "Gi0/62")]
    public async Task A_vlan_is_not_removed_while_somebody_is_in_it(int port, int vlan, string named)
    {
        tree.Model = tree.Model with { Ports = tree.Model.Ports.SetItem((uint)port, tree.Model.Ports[(uint)port] with { HasLink = false }) };
        var outcome = await ApplyAsync(new() { Remove = [new(vlan)] }, Policy with { Vlans = Policy.Vlans.Add(new(999)) });
        Assert.Equal(ChangeEnding.Refused, outcome.Ending);
        Assert.Contains(named, outcome.Reason);
        Assert.Contains("Te0/1", outcome.Reason); // what passes through from switch to switch is not to be seen from here
    }

    [Theory]
    [InlineData(Uplink, 250, "uplink")]
    [InlineData(Theirs, 250, "not ours")]
    [InlineData(First, 999, "VLAN 999 is not ours")]
    [InlineData(77, 250, "no port 77")]
    public async Task What_is_not_ours_is_never_written_whatever_is_asked(int port, int vlan, string reason)
    {
        var outcome = await ApplyAsync(Move(new(vlan), port, First + 1));
        Assert.Equal(ChangeEnding.Refused, outcome.Ending);
        Assert.Contains(reason, outcome.Reason);
        Assert.False(bench.Agent.Served.ContainsKey(SnmpPduType.Set));
    }

    [Fact]
    public async Task What_the_switchs_text_forbids_is_refused_before_anything_is_written()
    {
        tree.Model = tree.Model with { Ports = tree.Model.Ports.SetItem(First, tree.Model.Ports[First] with { AccessType = 2 }) };
        Assert.Contains("policy server", (await ApplyAsync(Move(Idle, First))).Reason);
        Assert.Contains("called 'office' already", (await ApplyAsync(new() { Create = ImmutableSortedDictionary<VlanId, string>.Empty.Add(Farm, "office") })).Reason);
        Assert.Contains("at most 32 characters", (await ApplyAsync(new() { Create = ImmutableSortedDictionary<VlanId, string>.Empty.Add(Farm, new string('x', 33)) })).Reason);
        Assert.Contains("switch's own", (await ApplyAsync(new() { Create = ImmutableSortedDictionary<VlanId, string>.Empty.Add(new(1003), "x") }, Policy with { Vlans = Policy.Vlans.Add(new(1003)) })).Reason);
        Assert.Contains("one VLAN, or a trunk", (await ApplyAsync(new() { Ports = [new(First + 1) { Vlans = new() { Untagged = [Idle, Farm], Pvid = Idle } }] })).Reason);
        Assert.False(bench.Agent.Served.ContainsKey(SnmpPduType.Set));
    }

    [Fact]
    public async Task One_port_of_sixty_that_cannot_be_moved_is_named_and_the_new_vlan_goes_again()
    {
        var before = tree.Model;
        var stubborn = new Varbind(CiscoMib.AccessVlan.Append(First + 36), SnmpValue.Integer(250));
        tree.Refuses = v => v == stubborn;
        var outcome = await ApplyAsync(Move(Farm, Enumerable.Range(First, 60)));
        Assert.Equal(ChangeEnding.RolledBack, outcome.Ending);
        Assert.Contains($"CommitFailed at {stubborn.Name}", outcome.Reason);
        AssertSame(before);
    }

    [Fact]
    public async Task A_trunk_that_cannot_be_made_is_an_access_port_again()
    {
        var before = tree.Model;
        tree.Refuses = v => v == new Varbind(CiscoMib.TrunkState.Append(First), SnmpValue.Integer((int)TrunkMode.On));
        var outcome = await ApplyAsync(new() { Ports = [new(First) { Vlans = PortVlans.Trunk(Idle, [Farm]) }] });
        Assert.Equal(ChangeEnding.RolledBack, outcome.Ending);
        AssertSame(before);
    }

    [Fact]
    public async Task A_switch_that_says_yes_to_shutting_a_port_and_does_not_is_found_out()
    {
        var before = tree.Model;
        bench.Agent.Tamper = (request, response) =>
        {
            // It is open again as soon as it has said yes.
            if (request.Type == SnmpPduType.Set) tree.Model = tree.Model with { Ports = tree.Model.Ports.SetItem(First, tree.Model.Ports[First] with { IsEnabled = true }) };
            return response;
        };
        var outcome = await ApplyAsync(new() { Ports = [new(First) { IsEnabled = false }] });
        Assert.Equal((ChangeEnding.RolledBack, "Gi0/1 was to be shut and is not"), (outcome.Ending, outcome.Reason));
        AssertSame(before);
    }

    [Fact]
    public async Task Two_who_write_trunks_at_once_do_not_write_over_each_other()
    {
        var before = tree.Model;
        // Between our look at the serial number and our write somebody else's write is done, once.
        bench.Agent.Tamper = (request, response) =>
        {
            if (request.Type == SnmpPduType.Get && request.Varbinds.Any(v => v.Name == CiscoMib.TrunkSerial) && tree.Model.Serial == 0) tree.Model = tree.Model with { Serial = 1 };
            return response;
        };
        var outcome = await ApplyAsync(new() { Ports = [new(First) { Vlans = PortVlans.Trunk(Idle, [Farm]) }] });
        Assert.Equal(ChangeEnding.RolledBack, outcome.Ending);
        Assert.Contains("somebody else writes its trunks", outcome.Reason);
        AssertSame(before);
    }

    [Fact]
    public async Task Answers_that_are_lost_do_no_harm()
    {
        var seen = new HashSet<string>();
        // The first answer to each different SET is lost, after it was done.
        bench.Agent.Tamper = (request, response) => request.Type == SnmpPduType.Set && seen.Add(string.Join(';', request.Varbinds)) ? null : response;
        AssertDone(await ApplyAsync(new() { Ports = [new(First) { Vlans = PortVlans.Trunk(Idle, [Farm]) }, new(First + 1) { Vlans = PortVlans.Access(Farm) }] }));
        Assert.Equal(250, tree.Model.Ports[First + 1].Access);
        Assert.Equal(PortVlans.Trunk(Idle, [Farm]), (await bench.Device.ReadAsync(default)).Ports[First].Vlans);
    }

    [Fact]
    public async Task The_probe_says_in_words_what_the_switch_takes()
    {
        var abilities = await bench.Device.ProbeAsync(First, default);
        Assert.True(abilities is { CanReadMembership: true, CanWrite: true }, string.Join(' ', abilities.Words));
        Assert.Contains("VLANs are made and removed in VTP's edit buffer.", abilities.Words);
        Assert.Contains("It takes an access VLAN for Gi0/1.", abilities.Words);
        Assert.Null(tree.Model.Buffer);
        tree.Model = tree.Model with { Buffer = tree.Model.Vlans, Owner = "nms-1" };
        Assert.Contains((await bench.Device.ProbeAsync(First, default)).Words, w => w.Contains("being edited by 'nms-1'", StringComparison.Ordinal));
        tree.Model = tree.Model with { Buffer = null, Owner = "", Mode = VtpMode.Client, Domain = "campus" };
        tree.Refuses = v => v.Name.StartsWith(CiscoMib.AccessVlan);
        abilities = await bench.Device.ProbeAsync(First, default);
        Assert.False(abilities.CanWrite);
        Assert.Contains(abilities.Words, w => w.Contains("VTP client of domain 'campus'", StringComparison.Ordinal));
    }
}
