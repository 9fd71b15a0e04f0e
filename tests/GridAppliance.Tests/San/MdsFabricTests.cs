using System.Collections.Immutable;
using System.Net;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Protocols.Snmp.Usm;
using GridAppliance.San;
using GridAppliance.San.Mds;
using GridAppliance.Switches.Snmp;
using GridAppliance.Tests.Switches;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.San;

/// <summary>Zoning of a switch that keeps state and enforces CISCO-ZS-MIB's rules, over UDP, signed and encrypted.</summary>
public sealed class MdsFabricTests : IAsyncLifetime
{
    const uint Vsan = 20;
    const string Host = "10:00:00:00:c9:00:00:01", Other = "10:00:00:00:c9:00:00:02", Disk = "50:06:01:60:00:00:00:01";

    readonly SnmpSocket socket = new(NullLogger<SnmpSocket>.Instance);
    readonly ZoneTree tree = new(Vsan);
    SnmpAgent agent = null!;
    MdsFabric fabric = null!;

    public Task InitializeAsync()
    {
        agent = new(new(IPAddress.Loopback, 0), new() { EngineId = [0x80, 0, 0, 0, 5, 7, 7, 7], Users = [SwitchBench.Account] }, new Dictionary<string, IManagedTree> { [""] = tree }, TimeProvider.System);
        var session = new SnmpSession(socket, agent.EndPoint, SwitchBench.Credentials, new() { FirstWait = TimeSpan.FromMilliseconds(100), Attempts = 8 }, TimeProvider.System);
        fabric = new(new($"snmp+mds://127.0.0.1/{Vsan}"), session);
        // Somebody else's zone, in a set of theirs that is in force.
        var theirs = new ZoneModel
        {
            Zones = ImmutableSortedDictionary<uint, AgentZone>.Empty.Add(1, new("backup", ImmutableSortedDictionary<uint, byte[]>.Empty.Add(1, Wwn.Parse("21:00:00:00:00:00:00:09").ToOctets()))),
            Sets = ImmutableSortedDictionary<uint, AgentZoneSet>.Empty.Add(3, new("production", PortList.Of([1]))),
        };
        tree.Model = theirs.Activated(3);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        fabric.Dispose();
        await agent.DisposeAsync();
        await socket.DisposeAsync();
    }

    static SanZone Zone(params string[] initiators) => new("grid-n1", [.. initiators], [Disk]);

    static string Hex(string wwn) => wwn.Replace(":", "", StringComparison.Ordinal);

    [Fact]
    public async Task A_zone_is_put_in_force_beside_everybody_elses()
    {
        Assert.Equal(SanOutcome.Done, await fabric.ConnectAsync(Zone(Host), default));
        var (name, zones) = tree.Model.InForce!.Value;
        Assert.Equal("production", name);
        Assert.Equal(["backup", "grid-n1"], zones.Keys);
        Assert.Equal([Hex(Host), Hex(Disk)], zones["grid-n1"]);
        Assert.Equal(["backup", "grid-n1"], tree.Model.Distributed.AsEnumerable());
        Assert.Equal(SanOutcome.Unchanged, await fabric.ConnectAsync(Zone(Host), default));
        Assert.Contains(await fabric.ReadAsync(default), z => z.Name == "grid-n1" && z.Initiators.SetEquals([Host, Disk]));
    }

    [Fact]
    public async Task Who_is_no_longer_named_is_out_and_a_zone_that_is_taken_away_is_gone()
    {
        await fabric.ConnectAsync(Zone(Host), default);
        Assert.Equal(SanOutcome.Done, await fabric.ConnectAsync(Zone(Other), default));
        Assert.Equal([Hex(Other), Hex(Disk)], tree.Model.InForce!.Value.Zones["grid-n1"]);
        Assert.Equal(SanOutcome.Done, await fabric.DisconnectAsync("grid-n1", default));
        Assert.Equal(["backup"], tree.Model.InForce!.Value.Zones.Keys);
        Assert.Equal([1u], tree.Model.Zones.Keys);
        Assert.Equal(SanOutcome.Unchanged, await fabric.DisconnectAsync("grid-n1", default));
    }

    [Fact]
    public async Task Where_no_set_is_in_force_one_is_made()
    {
        tree.Model = new();
        Assert.Equal(SanOutcome.Done, await fabric.ConnectAsync(Zone(Host), default));
        Assert.Equal("grid-set", tree.Model.InForce!.Value.Name);
    }

    [Fact]
    public async Task What_is_written_down_and_was_cut_off_before_its_activation_is_put_in_force_by_the_next_who_asks()
    {
        var inForce = tree.Model.InForce;
        await fabric.ConnectAsync(Zone(Host), default);
        tree.Model = tree.Model with { InForce = inForce }; // written down whole, and there it was cut off
        Assert.DoesNotContain(await fabric.ReadAsync(default), z => z.Name == "grid-n1");
        Assert.Equal(SanOutcome.Done, await fabric.ConnectAsync(Zone(Host), default));
        Assert.Equal([Hex(Host), Hex(Disk)], tree.Model.InForce!.Value.Zones["grid-n1"]);

        var withZone = tree.Model.InForce;
        await fabric.DisconnectAsync("grid-n1", default);
        tree.Model = tree.Model with { InForce = withZone };
        Assert.Contains(await fabric.ReadAsync(default), z => z.Name == "grid-n1");
        Assert.Equal(SanOutcome.Done, await fabric.DisconnectAsync("grid-n1", default));
        Assert.Equal(["backup"], tree.Model.InForce!.Value.Zones.Keys);
        Assert.Equal(SanOutcome.Unchanged, await fabric.DisconnectAsync("grid-n1", default));
    }

    [Fact]
    public async Task A_member_that_is_in_force_and_not_written_down_is_put_out()
    {
        await fabric.ConnectAsync(Zone(Host), default);
        var zones = tree.Model.InForce!.Value.Zones;
        tree.Model = tree.Model with { InForce = ("production", zones.SetItem("grid-n1", zones["grid-n1"].Add(Hex(Other)))) };
        Assert.Equal(SanOutcome.Done, await fabric.ConnectAsync(Zone(Host), default));
        Assert.Equal([Hex(Host), Hex(Disk)], tree.Model.InForce!.Value.Zones["grid-n1"]);
    }

    [Fact]
    public async Task A_switch_that_says_yes_to_an_activation_and_keeps_the_old_set_is_found_out()
    {
        var before = tree.Model;
        tree.Twist = model => model with { InForce = before.InForce };
        var outcome = await fabric.ConnectAsync(Zone(Host), default);
        Assert.Equal(SanEnding.RolledBack, outcome.Ending);
        Assert.Contains("zone grid-n1 in it is not as it was written down", outcome.Reason);
        Assert.Equal(before.Zones.Keys, tree.Model.Zones.Keys);
    }

    [Fact]
    public async Task A_switch_that_does_not_tell_what_is_in_force_is_told_each_time()
    {
        tree.TellsNoZonesInForce = true;
        Assert.Equal(SanOutcome.Done, await fabric.ConnectAsync(Zone(Host), default));
        Assert.Contains(await fabric.ReadAsync(default), z => z.Name == "grid-n1");
        Assert.Equal(SanOutcome.Done, await fabric.ConnectAsync(Zone(Host), default));
        Assert.Equal(SanOutcome.Done, await fabric.DisconnectAsync("grid-n1", default));
        Assert.Equal(["backup"], tree.Model.InForce!.Value.Zones.Keys);
    }

    [Fact]
    public async Task The_last_zone_of_a_set_takes_it_out_of_force_and_what_fails_then_is_in_force_again()
    {
        tree.Model = new();
        await fabric.ConnectAsync(Zone(Host), default);
        tree.FailNextDistribution = true;
        Assert.Equal(SanEnding.RolledBack, (await fabric.DisconnectAsync("grid-n1", default)).Ending);
        Assert.Equal(["grid-n1"], tree.Model.InForce!.Value.Zones.Keys);
        Assert.Equal(SanOutcome.Done, await fabric.DisconnectAsync("grid-n1", default));
        Assert.Null(tree.Model.InForce);
        Assert.Equal(SanOutcome.Unchanged, await fabric.DisconnectAsync("grid-n1", default));
        Assert.Equal(SanOutcome.Done, await fabric.ConnectAsync(Zone(Host), default));
        Assert.Equal(["grid-n1"], tree.Model.InForce!.Value.Zones.Keys);
    }

    [Fact]
    public async Task Answers_that_are_lost_do_no_harm()
    {
        var seen = new HashSet<string>();
        // The first answer to each different SET is lost, after it was done.
        agent.Tamper = (request, response) => request.Type == SnmpPduType.Set && seen.Add(string.Join(';', request.Varbinds)) ? null : response;
        Assert.Equal(SanOutcome.Done, await fabric.ConnectAsync(Zone(Host), default));
        Assert.Equal([Hex(Host), Hex(Disk)], tree.Model.InForce!.Value.Zones["grid-n1"]);
        seen.Clear();
        Assert.Equal(SanOutcome.Done, await fabric.DisconnectAsync("grid-n1", default));
        Assert.Equal(["backup"], tree.Model.InForce!.Value.Zones.Keys);
    }

    [Fact]
    public async Task An_activation_that_fails_leaves_everything_as_it_was()
    {
        var before = tree.Model;
        tree.FailNext = 9;
        var outcome = await fabric.ConnectAsync(Zone(Host), default);
        Assert.Equal(SanEnding.RolledBack, outcome.Ending);
        Assert.Contains("cause 9", outcome.Reason);
        Assert.Equal(["backup"], tree.Model.InForce!.Value.Zones.Keys);
        Assert.Equal(before.Zones.Keys, tree.Model.Zones.Keys);
        Assert.Equal(before.Sets[3], tree.Model.Sets[3]);
    }

    [Fact]
    public async Task A_distribution_that_fails_leaves_everything_as_it_was_and_a_release_without_it_is_written_all_the_same()
    {
        var before = tree.Model;
        tree.FailNextDistribution = true;
        var outcome = await fabric.ConnectAsync(Zone(Host), default);
        Assert.Equal(SanEnding.RolledBack, outcome.Ending);
        Assert.Contains("did not take the zone database over (cause 9", outcome.Reason);
        Assert.Equal(["backup"], tree.Model.InForce!.Value.Zones.Keys);
        Assert.Equal(before.Zones.Keys, tree.Model.Zones.Keys);
        Assert.Equal(["backup"], tree.Model.Distributed.AsEnumerable());
        tree.Model = before with { DistributeResult = null };
        Assert.Equal(SanOutcome.Done, await fabric.ConnectAsync(Zone(Host), default));
        Assert.Empty(tree.Model.Distributed);
    }

    [Fact]
    public async Task A_member_that_the_switch_refuses_takes_the_whole_zone_back()
    {
        tree.Refuses = v => v.Name.Below(ZoneServerMib.MemberId) is [_, _, _, 2];
        var outcome = await fabric.ConnectAsync(Zone(Host), default);
        Assert.Equal(SanEnding.RolledBack, outcome.Ending);
        Assert.Contains("GeneralError", outcome.Reason);
        Assert.Equal([1u], tree.Model.Zones.Keys);
    }

    [Theory]
    [InlineData("backup", Host, "is not ours")]
    [InlineData("grid-n 1", Host, "no name of a zone")]
    [InlineData("grid-n1", "10:00:00", "no world-wide name")]
    public async Task What_is_not_ours_or_makes_no_sense_is_refused(string zone, string initiator, string reason)
    {
        var outcome = await fabric.ConnectAsync(new(zone, [initiator], [Disk]), default);
        Assert.Equal(SanEnding.Refused, outcome.Ending);
        Assert.Contains(reason, outcome.Reason);
        Assert.False(agent.Served.ContainsKey(SnmpPduType.Set));
    }

    [Fact]
    public async Task A_fabric_whose_default_zone_permits_is_not_trusted_with_zones()
    {
        tree.Model = tree.Model with { DefaultZone = 1 };
        Assert.Contains("default zone of VSAN 20 permits", (await fabric.ConnectAsync(Zone(Host), default)).Reason);
    }

    [Fact]
    public async Task Enhanced_zoning_is_refused_in_words_and_a_switch_that_knows_none_is_written()
    {
        tree.Model = tree.Model with { Mode = 2 };
        var outcome = await fabric.ConnectAsync(Zone(Host), default);
        Assert.Equal(SanEnding.Refused, outcome.Ending);
        Assert.Contains("VSAN 20 zones in enhanced mode", outcome.Reason);
        Assert.False(agent.Served.ContainsKey(SnmpPduType.Set));
        tree.Model = tree.Model with { Mode = null };
        Assert.Equal(SanEnding.Done, (await fabric.ConnectAsync(Zone(Host), default)).Ending);
    }
}
