using System.Collections.Immutable;
using System.Net;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Switches;
using GridAppliance.Switches.Cisco;
using GridAppliance.Switches.QBridge;
using GridAppliance.Switches.Snmp;
using GridAppliance.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Switches;

/// <summary>Addresses of Cisco switches that answer in no VLAN's view of its own, or not in all of them.</summary>
public sealed class CiscoAddressesTests
{
    // A switch that knows a community answers within a millisecond here; one that does not never does.
    static SnmpTimings Hasty { get; } = new() { FirstWait = TimeSpan.FromMilliseconds(300), Attempts = 8 };

    static Recording Bridge(params (uint LastOctet, int Port)[] addresses) => new(
    [
        .. Enumerable.Range(1, 4).Select(p => new Varbind(QBridgeMib.BasePortIfIndex.Append((uint)p), SnmpValue.Integer(10100 + p))),
        .. addresses.Select(a => new Varbind(QBridgeMib.ForwardingPort.Append(2, 0, 0, 0, 0, a.LastOctet), SnmpValue.Integer(a.Port))),
    ]);

    static SwitchSnapshot Vlans(params IEnumerable<int> numbers) => new()
    {
        Ports = ImmutableSortedDictionary<int, SwitchPort>.Empty, Vlans = numbers.ToImmutableSortedDictionary(n => new VlanId(n), n => new SwitchVlan(new(n), "")),
    };

    static IEnumerable<(string, int, int?)> Shown(IEnumerable<ForwardingEntry> entries) => entries.Select(e => (e.Mac.ToString(), e.Port, e.Vlan?.Value)).Order();

    [Fact]
    public async Task A_switch_without_views_is_read_from_its_one_table_and_is_not_asked_for_a_view_each_time()
    {
        await using var agent = new RecordedAgent(Bridge((1, 1), (2, 4)), timings: Hasty);
        var addresses = new CiscoAddresses(agent.Session);
        var ports = Vlans(Enumerable.Range(1, 200));
        Assert.Equal([("02:00:00:00:00:01", 10101, null), ("02:00:00:00:00:02", 10104, null)], Shown(await addresses.ReadAsync(ports, default)));
        var asked = agent.Agent.Served.Values.Sum();
        Assert.Equal(2, (await addresses.ReadAsync(ports, default)).Count);
        Assert.InRange(agent.Agent.Served.Values.Sum() - asked, 1, 4);
    }

    [Fact]
    public async Task A_vlan_whose_view_is_not_there_keeps_nobody_from_being_found_in_the_others()
    {
        await using var bench = new Views(TimeProvider.System, Bridge((1, 3), (9, 3)), new() { ["vlan-1"] = Bridge(), ["vlan-20"] = Bridge((1, 1)), ["vlan-30"] = Bridge((2, 2)) });
        var entries = await new CiscoAddresses(bench.Session).ReadAsync(Vlans(1, 20, 25, 30), default);
        // What a view has said is said once; the table without a view adds what none has.
        Assert.Equal([("02:00:00:00:00:01", 10101, 20), ("02:00:00:00:00:02", 10102, 30), ("02:00:00:00:00:09", 10103, null)], Shown(entries));
    }

    [Fact]
    public async Task A_switch_that_was_away_is_no_switch_without_views()
    {
        var clock = new ManualClock();
        await using var bench = new Views(clock, Bridge(), new() { ["vlan-1"] = Bridge(), ["vlan-20"] = Bridge((1, 1)) });
        await bench.Session.GetNextAsync(QBridgeMib.ForwardingPort, default);
        var addresses = new CiscoAddresses(bench.Session);
        bench.Agent.Tamper = (_, _) => null;
        var reading = addresses.ReadAsync(Vlans(1, 20), default);
        await Eventually.UntilAsync(() =>
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            return reading.IsCompleted;
        }, "the end of a reading of a switch that is away");
        await Assert.ThrowsAsync<GridAppliance.Hosting.DeviceException>(() => reading);
        // The clock stands still: nothing is given up any more.
        bench.Agent.Tamper = null;
        Assert.Equal([("02:00:00:00:00:01", 10101, 20)], Shown(await Eventually.ComesAsync(addresses.ReadAsync(Vlans(1, 20), default), "the addresses")));
    }

    /// <summary>A switch that tells a user of version 3 which views it does not have.</summary>
    sealed class Views : IAsyncDisposable
    {
        readonly SnmpSocket socket = new(NullLogger<SnmpSocket>.Instance);

        public Views(TimeProvider clock, IManagedTree tree, Dictionary<string, IManagedTree> views)
        {
            views[""] = tree;
            Agent = new(new(IPAddress.Loopback, 0), new() { EngineId = [0x80, 0, 0, 0, 5, 7, 7], Users = [SwitchBench.Account] }, views, clock);
            Session = new(socket, Agent.EndPoint, SwitchBench.Credentials, new(), clock);
        }

        public SnmpAgent Agent { get; }

        public SnmpSession Session { get; }

        public async ValueTask DisposeAsync()
        {
            Session.Dispose();
            await Agent.DisposeAsync();
            await socket.DisposeAsync();
        }
    }
}
