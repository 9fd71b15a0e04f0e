using System.Collections.Immutable;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Switches;
using GridAppliance.Switches.QBridge;
using GridAppliance.Testing;

namespace GridAppliance.Tests.Switches;

/// <summary>The look of every minute at a switch that says which VLANs have changed since a moment, at ones that say it wrongly, and at ones that do not say it.</summary>
public sealed class TimeFilterTests
{
    readonly MemoryBridge bridge = new(BridgeModel.Factory(8).WithAccess(100, 1, 2, 3, 4).WithAccess(250).WithAccess(666));

    // The switch's own: what happens at one tick of it cannot be told apart.
    readonly ManualClock clock = new();

    BridgeTree Tree() => new(bridge, "lab", clock);

    DriverBench<QBridgeSwitch> Bench(IManagedTree? tree = null) => new(tree ?? Tree(), session => new(new("snmp+qbridge://127.0.0.1"), session));

    /// <summary>Counts the answers with rows of the static lists.</summary>
    static Func<int> CountLists(SnmpAgent agent)
    {
        var lists = 0;
        agent.Tamper = (_, response) =>
        {
            if (response.Varbinds.Any(v => v.Name.StartsWith(QBridgeMib.StaticEgress) || v.Name.StartsWith(QBridgeMib.StaticUntagged))) lists++;
            return response;
        };
        return () => lists;
    }

    async Task<SwitchPulse> LookAsync(DriverBench<QBridgeSwitch> bench)
    {
        clock.Advance(TimeSpan.FromSeconds(1));
        var pulse = await Eventually.ComesAsync(bench.Device.ReadPulseAsync(default), "a look");
        clock.Advance(TimeSpan.FromSeconds(1));
        return pulse;
    }

    [Fact]
    public async Task Lists_are_read_when_a_vlan_has_changed_or_gone_and_now_and_then_and_not_otherwise()
    {
        await using var bench = Bench();
        await bench.Device.ReadAsync(default);
        var lists = CountLists(bench.Agent);
        var first = await LookAsync(bench);
        Assert.True(lists() > 0);

        var before = lists();
        for (var look = 1; look < PortListPulse.WholeEvery; look++) Assert.Equal(first, await LookAsync(bench));
        Assert.Equal(before, lists());
        Assert.Equal(first, await LookAsync(bench));
        Assert.True(lists() > before, "the lists were not read at all");

        bridge.Model = bridge.Model.WithAccess(250, 3);
        var moved = await LookAsync(bench);
        Assert.NotEqual(first, moved);
        Assert.Equal(moved, await LookAsync(bench));

        bridge.Model = bridge.Model with { Vlans = bridge.Model.Vlans.Remove(666) };
        Assert.NotEqual(moved, await LookAsync(bench));
    }

    [Fact]
    public async Task A_switch_that_says_nothing_of_what_has_changed_is_found_out_and_not_asked_that_way_again()
    {
        // A port without a link is moved in the static table, and the current one does not notice.
        var tree = new SilentTree(Tree());
        await using var bench = Bench(tree);
        await bench.Device.ReadAsync(default);
        var lists = CountLists(bench.Agent);
        var first = await LookAsync(bench);
        bridge.Model = bridge.Model with { Vlans = bridge.Model.Vlans.SetItem(250, bridge.Model.Vlans[250] with { Egress = PortList.Of([7]) }) };
        for (var look = 1; look < PortListPulse.WholeEvery; look++) Assert.Equal(first, await LookAsync(bench));
        var found = await LookAsync(bench);
        Assert.NotEqual(first, found);

        var before = lists();
        Assert.Equal(found, await LookAsync(bench));
        Assert.True(lists() > before, "it was believed again");
        await bench.Device.ReadAsync(default);
        before = lists();
        await LookAsync(bench);
        Assert.True(lists() > before, "it was believed again after it had been read whole");
    }

    [Fact]
    public async Task A_switch_whose_clock_went_back_is_read_whole()
    {
        await using var bench = Bench();
        await bench.Device.ReadAsync(default);
        bench.Agent.Tamper = static (_, response) => At(response, 90_000);
        await LookAsync(bench);
        var lists = 0;
        bench.Agent.Tamper = (_, response) =>
        {
            if (response.Varbinds.Any(v => v.Name.StartsWith(QBridgeMib.StaticEgress))) lists++;
            return At(response, 10);
        };
        await LookAsync(bench);
        Assert.True(lists > 0);

        static SnmpPdu At(SnmpPdu response, uint ticks) => response with { Varbinds = [.. response.Varbinds.Select(v => v.Name == QBridgeMib.SysUpTime ? v with { Value = SnmpValue.TimeTicks(ticks) } : v)] };
    }

    [CaseTheory]
    [InlineData("librenms/dlink_dgs-3000-28xmp", true)]
    [InlineData("librenms/moxa-etherdevice_edsg516e", true)]
    [InlineData("snmpsim-data/dcrs-5980-28t-dc.subset", false)]
    [InlineData("snmpsim-data/h3c-e528-1.subset", false)]
    public async Task Recorded_switches_are_asked_for_changes_where_their_tables_have_marks(string recording, bool hasMarks)
    {
        await using var agent = RecordedAgent.Of($"{recording}.snmprec");
        using var device = new QBridgeSwitch(new("snmp+qbridge://192.0.2.1"), agent.Session);
        await device.ReadAsync(default);
        var first = await device.ReadPulseAsync(default);
        var asked = Bulks();
        Assert.Equal(first.Rows, (await device.ReadPulseAsync(default)).Rows);
        var secondLook = Bulks() - asked;
        // Two columns, PVIDs and whether ports are open, or four.
        Assert.True(hasMarks ? secondLook <= 4 : secondLook >= 4, $"{secondLook} requests for rows");

        int Bulks() => agent.Agent.Served.GetValueOrDefault(SnmpPduType.GetBulk);
    }

    /// <summary>A switch whose current table stays as it was in the beginning.</summary>
    sealed class SilentTree(IManagedTree tree) : IManagedTree
    {
        Dictionary<ObjectIdentifier, SnmpValue>? current;

        public async ValueTask RefreshAsync(CancellationToken cancellationToken)
        {
            await tree.RefreshAsync(cancellationToken);
            if (current is not null) return;
            current = [];
            for (var row = tree.Next(QBridgeMib.CurrentEntry); row is { } next && next.Name.StartsWith(QBridgeMib.CurrentEntry); row = tree.Next(next.Name)) current[next.Name] = next.Value;
        }

        public SnmpValue Get(ObjectIdentifier name) => tree.Get(name);

        public Varbind? Next(ObjectIdentifier name)
        {
            // What has come to the table since is passed over.
            var next = tree.Next(name);
            while (next is { } row && row.Name.StartsWith(QBridgeMib.CurrentEntry) && !current!.ContainsKey(row.Name)) next = tree.Next(row.Name);
            return next;
        }

        public ValueTask<SetVerdict> SetAsync(ImmutableArray<Varbind> varbinds, CancellationToken cancellationToken) => tree.SetAsync(varbinds, cancellationToken);
    }
}
