using System.Text;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Switches;
using GridAppliance.Switches.QBridge;
using GridAppliance.Testing;

namespace GridAppliance.Tests.Switches;

/// <summary>Every row of the quirk table on a switch that has it.</summary>
public sealed class SwitchQuirkTests
{
    internal static readonly (SwitchQuirk Quirk, string Recording)[] Cases =
    [
        (SwitchQuirk.TextPortLists, "librenms/junos_qfx5100"),
        (SwitchQuirk.NoStaticMembership, "librenms/procurve_2520"),
        (SwitchQuirk.NoCurrentTable, "snmpsim-data/h3c-e528-1.subset"),
        (SwitchQuirk.CurrentTableIsHistory, "librenms/moxa-etherdevice_edsg516e"),
        (SwitchQuirk.NoTimeMarks, "snmpsim-data/arista-dcs-7150s-52-cl.subset"),
        (SwitchQuirk.ShortPortLists, "snmpsim-data/dcrs-5980-28t-dc.subset"),
        (SwitchQuirk.PvidZero, "librenms/junos_qfx5100"),
        (SwitchQuirk.RowNumbersForVlans, "librenms/cumulus_edgecore-as4610-54p"),
        (SwitchQuirk.EmptyPortLists, "librenms/procurve_e2910"),
        (SwitchQuirk.NoMembership, "librenms/cumulus_edgecore-as4610-54p"),
        (SwitchQuirk.NoInterfaceMap, "snmpsim-data/juniper-mx960-12-3r6-6.subset"),
        (SwitchQuirk.NonsensePortLists, "snmpsim-data/brocade-icx6430-24.subset"),
        (SwitchQuirk.ReservedVlans, "librenms/ironware.repaired"),
        (SwitchQuirk.PortsBeyondTheBridge, "librenms/junos_qfx5100"),
    ];

    public static TheoryData<string, string> Recordings
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var (quirk, recording) in Cases) data.Add(quirk.ToString(), recording);
            return data;
        }
    }

    [Fact]
    public void Every_quirk_has_its_row_and_its_switch()
    {
        foreach (var quirk in Enum.GetValues<SwitchQuirk>())
        {
            Assert.True(SwitchQuirks.Table.ContainsKey(quirk), quirk.ToString());
            Assert.Contains(Cases, c => c.Quirk == quirk);
        }
    }

    [CaseTheory]
    [MemberData(nameof(Recordings))]
    public async Task A_switch_that_has_it_is_recognised(string quirk, string recording)
    {
        await using var agent = RecordedAgent.Of($"{recording}.snmprec");
        var tables = await new QBridgeSwitch(new("snmp+qbridge://192.0.2.1"), agent.Session).ReadTablesAsync(default);
        var expected = Enum.Parse<SwitchQuirk>(quirk);
        Assert.Contains(expected, tables.Quirks);
        if (SwitchQuirks.Table[expected].ForbidsWriting) Assert.NotNull(tables.WhyNotWritable);
    }

    [CaseTheory]
    [InlineData("librenms/comware_a5500.repaired")]
    [InlineData("snmpsim-data/arista-dcs-7150s-52-cl.subset")]
    [InlineData("snmpsim-data/dcrs-5980-28t-dc.subset")]
    [InlineData("snmpsim-data/h3c-e528-1.subset")]
    public async Task A_switch_whose_tables_are_sound_may_be_written(string recording)
    {
        await using var agent = RecordedAgent.Of($"{recording}.snmprec");
        Assert.Null((await new QBridgeSwitch(new("snmp+qbridge://192.0.2.1"), agent.Session).ReadTablesAsync(default)).WhyNotWritable);
    }

    [CaseFact]
    public async Task Cumulus_vlans_are_those_of_the_names()
    {
        await using var agent = RecordedAgent.Of("librenms/cumulus_edgecore-as4610-54p.snmprec");
        var snapshot = await new QBridgeSwitch(new("snmp+qbridge://192.0.2.1"), agent.Session).ReadAsync(default);
        Assert.Equal([1, 5, 50, 100, 141, 681, 682, 683], snapshot.Vlans.Keys.Select(v => v.Value));
    }

    // The rest is typed by hand, so that it is tried everywhere.

    [Fact]
    public void The_latest_row_of_a_vlans_history_counts()
    {
        var tables = QBridgeTables.From(Rows(ports: 4, current: [(900, 7, [0x80], [0x80]), (905, 7, [0xC0], [0xC0]), (903, 7, [0xF0], [0xF0])]));
        Assert.Equal([1, 2], tables.Vlans[new(7)].Egress!.Value.Ports);
        Assert.Contains(SwitchQuirk.CurrentTableIsHistory, tables.Quirks);
    }

    [Fact]
    public void What_is_configured_counts_before_what_is_up()
    {
        var tables = QBridgeTables.From(Rows(ports: 8, statics: [(7, "seven", [0xF0], [0x80])], current: [(0, 7, [0x80], [0x80])]));
        Assert.Equal([1, 2, 3, 4], tables.Vlans[new(7)].Egress!.Value.Ports);
        Assert.Equal(PortMode.Access, tables.Snapshot.Ports[1].Vlans.Mode);
        Assert.Equal(PortVlans.Trunk(null, [new(7)]) with { Pvid = new VlanId(7) }, tables.Snapshot.Ports[2].Vlans);
        Assert.Equal(PortMode.Isolated, (tables.Snapshot.Ports[5].Vlans with { Pvid = null }).Mode);
    }

    [Fact]
    public void A_bitmap_that_looks_like_a_digit_stays_a_bitmap()
    {
        // 0x30 is '0', and ports 3 and 4.
        var tables = QBridgeTables.From(Rows(ports: 8, statics: [(7, "seven", [0x30], [0x30])]));
        Assert.Equal([3, 4], tables.Vlans[new(7)].Egress!.Value.Ports);
        Assert.DoesNotContain(SwitchQuirk.TextPortLists, tables.Quirks);
    }

    [Fact]
    public void Text_is_text_when_it_has_a_comma()
    {
        var tables = QBridgeTables.From(Rows(ports: 8, statics: [(7, "seven", Encoding.ASCII.GetBytes("3,0,5"), Encoding.ASCII.GetBytes("5"))]));
        Assert.Equal([3, 5], tables.Vlans[new(7)].Egress!.Value.Ports);
        Assert.Equal([5], tables.Vlans[new(7)].Untagged!.Value.Ports);
    }

    [Fact]
    public void A_list_of_ports_that_are_not_there_makes_the_membership_unknown_and_the_switch_read_only()
    {
        var tables = QBridgeTables.From(Rows(ports: 8, statics: [(1, "DEFAULT-VLAN", [0, 0, 0, 1, 0, 0x18], []), (7, "seven", [0x80], [0x80])]));
        Assert.Null(tables.Vlans[new(1)].Egress);
        Assert.Equal(PortMode.Unknown, tables.Snapshot.Ports[1].Vlans.Mode);
        Assert.NotNull(tables.WhyNotWritable);
    }

    [Fact]
    public void Port_lists_that_are_all_zero_are_not_the_truth_when_ports_have_pvids()
    {
        var tables = QBridgeTables.From(Rows(ports: 8, statics: [(7, "seven", [0], [0])]));
        Assert.Contains(SwitchQuirk.EmptyPortLists, tables.Quirks);
        Assert.Equal(PortVlans.Unknown with { Pvid = new VlanId(7) }, tables.Snapshot.Ports[1].Vlans);
    }

    [Fact]
    public void A_vlan_of_which_no_list_is_told_makes_the_switch_read_only_and_is_named()
    {
        var rows = Rows(ports: 8, statics: [(7, "seven", [0x80], [0x80]), (8, "eight", [0x40], [0x40])]);
        var tables = QBridgeTables.From(rows with { Static = [.. rows.Static.Where(v => v.Name != QBridgeMib.StaticUntagged.Append(8))] });
        Assert.Equal(PortMode.Unknown, tables.Snapshot.Ports[2].Vlans.Mode);
        Assert.Equal("it does not tell which ports are in VLAN 8", tables.WhyNotWritable);
        // Shutting a port has nothing to do with lists, and is refused all the same: what is read back could not be trusted.
        var plan = new VlanChangePlan(tables, new() { Ports = [new(1) { IsEnabled = false }] }, new() { Ports = [1], Vlans = [new(7)] }, 1000).Make();
        Assert.Contains("this switch is not written to: it does not tell which ports are in VLAN 8", Assert.IsType<VlanPlan.Refused>(plan).Reasons);
    }

    [Fact]
    public void A_switch_without_a_static_table_is_read_from_the_current_one_and_not_written()
    {
        var tables = QBridgeTables.From(Rows(ports: 8, current: [(0, 7, [0xC0], [0x80])]));
        Assert.Equal(PortVlans.Access(new(7)), tables.Snapshot.Ports[1].Vlans);
        Assert.Equal("it has no static table of VLANs", tables.WhyNotWritable);
    }

    [Fact]
    public void A_vlan_that_the_switch_has_from_another_is_shown_and_nobody_is_taken_out_of_it()
    {
        var tables = QBridgeTables.From(Rows(ports: 8, statics: [(7, "seven", [0xFF], [0xFF])], current: [(0, 7, [0xFF], [0xFF]), (0, 9, [0x01], [])]));
        Assert.Equal([new VlanId(9)], tables.Snapshot.Ports[8].Vlans.Tagged);
        Assert.Null(tables.WhyNotWritable);
        SwitchPolicy ours = new() { Ports = [1, 8], Vlans = [new(7), new(9)] };
        VlanPlan Put(int port) => new VlanChangePlan(tables, new() { Ports = [new(port) { Vlans = PortVlans.Access(new(7)) }] }, ours, 1000).Make();
        Assert.IsType<VlanPlan.Ready>(Put(1));
        Assert.Contains("VLAN 9 is not one that was configured on this switch", Assert.Single(Assert.IsType<VlanPlan.Refused>(Put(8)).Reasons));
    }

    [Fact]
    public void Rows_of_the_current_table_without_a_time_mark_are_read()
    {
        var rows = Rows(ports: 8);
        var tables = QBridgeTables.From(rows with { Current = [new(QBridgeMib.CurrentEgress.Append(7), SnmpValue.Octets([0xC0])), new(QBridgeMib.CurrentUntagged.Append(7), SnmpValue.Octets([0x80]))] });
        Assert.Equal([1, 2], tables.Vlans[new(7)].Egress!.Value.Ports);
    }

    [Fact]
    public void A_port_with_a_pvid_that_the_bridges_table_leaves_out_is_a_port_that_is_not_written()
    {
        var rows = Rows(ports: 8, statics: [(7, "seven", [0xFF], [0xFF])]);
        var tables = QBridgeTables.From(rows with { BasePorts = [.. rows.BasePorts.Take(7)] });
        Assert.Contains(SwitchQuirk.PortsBeyondTheBridge, tables.Quirks);
        Assert.DoesNotContain(SwitchQuirk.NonsensePortLists, tables.Quirks);
        Assert.Equal(("port 8", PortVlans.Access(new(7))), (tables.Snapshot.Ports[8].Name, tables.Snapshot.Ports[8].Vlans));
        Assert.IsType<VlanPlan.Refused>(new VlanChangePlan(tables, new() { Ports = [new(8) { IsEnabled = false }] }, new() { Ports = [8], Vlans = [] }, 1000).Make());
    }

    [Fact]
    public void Where_vlans_are_in_the_names_a_row_without_a_name_is_no_vlans()
    {
        var tables = QBridgeTables.From(Rows(ports: 8, statics: [(1, "VLAN-5", [0x80], [0x80]), (2, "VLAN-50", [0x40], [0x40])]) is var rows
            ? rows with { Static = [.. rows.Static, new(QBridgeMib.StaticEgress.Append(3), SnmpValue.Octets([0x20])), new(QBridgeMib.StaticUntagged.Append(3), SnmpValue.Octets([0x20]))] } : rows);
        Assert.Equal([5, 50], tables.Vlans.Keys.Select(v => v.Value));
    }

    [Fact]
    public void A_filtering_database_that_several_vlans_share_is_no_vlans()
    {
        static Varbind Row(uint vlan, uint database) => new(QBridgeMib.CurrentFdb.Append(0, vlan), SnmpValue.Gauge(database));
        var vlans = QBridgeSwitch.DatabaseVlans([Row(10, 1), Row(20, 1), Row(30, 3), new(QBridgeMib.CurrentFdb.Append(40), SnmpValue.Gauge(4))]);
        Assert.Equal((null, new VlanId(30), new VlanId(40)), (vlans[1], vlans[3], vlans[4]));
    }

    [Fact]
    public void Neighbours_are_read_without_time_marks_and_with_addresses_that_are_written_out_or_look_like_words()
    {
        static Varbind Cell(SnmpValue value, params uint[] index) => new(QBridgeMib.LldpRemote.Append(index), value);
        var neighbours = LldpRows.Read(
        [
            Cell(SnmpValue.Integer(4), 4, 3, 1), Cell(SnmpValue.Text("00:1B:21:0A:0B:0C"), 5, 3, 1), Cell(SnmpValue.Integer(3), 6, 3, 1), Cell(SnmpValue.Text("RTABCD"), 7, 3, 1), Cell(SnmpValue.Text("server"), 9, 3, 1),
        ], [], QBridgeTables.From(Rows(ports: 8)).Snapshot);
        var neighbour = Assert.Single(neighbours);
        Assert.Equal((3, "server", "00:1b:21:0a:0b:0c", "52:54:41:42:43:44"), (neighbour.Port, neighbour.SystemName, neighbour.ChassisMac.ToString(), neighbour.PortMac.ToString()));
        Assert.Equal("525441424344", neighbour.PortId);
    }

    [Fact]
    public void Garbage_in_every_cell_is_left_out_and_nothing_throws()
    {
        var random = new Random(4363);
        for (var round = 0; round < 300; round++)
        {
            SnmpValue Value() => random.Next(6) switch
            {
                0 => SnmpValue.Integer(random.Next(int.MinValue, int.MaxValue)),
                1 => SnmpValue.Gauge((uint)random.NextInt64(uint.MaxValue)),
                2 => SnmpValue.Octets(Bytes(random.Next(0, 40))),
                3 => SnmpValue.Identifier(new(1, 3)),
                4 => SnmpValue.Null,
                _ => SnmpValue.Text("4106,0,70000"),
            };
            byte[] Bytes(int length) { var octets = new byte[length]; random.NextBytes(octets); return octets; }
            Varbind Cell(ObjectIdentifier column) => new(column.Append([.. Enumerable.Range(0, random.Next(0, 4)).Select(_ => random.Next(4) == 0 ? (uint)random.NextInt64(uint.MaxValue) : (uint)random.Next(0, 5000))]), Value());
            var columns = new[] { QBridgeMib.StaticName, QBridgeMib.StaticEgress, QBridgeMib.StaticUntagged, QBridgeMib.CurrentEgress, QBridgeMib.CurrentUntagged, QBridgeMib.CurrentFdb, QBridgeMib.Pvid, QBridgeMib.BasePortIfIndex };
            List<Varbind> cells = [.. Enumerable.Range(0, 60).Select(_ => Cell(columns[random.Next(columns.Length)]))];
            var tables = QBridgeTables.From(new() { SysObjectId = default, BasePorts = cells, Pvids = cells, Static = cells, Current = cells, InterfaceNames = cells });
            Assert.All(tables.Snapshot.Ports.Keys, p => Assert.InRange(p, 1, PortList.MaximumPort));
        }
    }

    static QBridgeRows Rows(int ports, (uint Vlan, string Name, byte[] Egress, byte[] Untagged)[]? statics = null, (uint Mark, uint Vlan, byte[] Egress, byte[] Untagged)[]? current = null) => new()
    {
        SysObjectId = default,
        BasePorts = [.. Enumerable.Range(1, ports).Select(p => new Varbind(QBridgeMib.BasePortIfIndex.Append((uint)p), SnmpValue.Integer(100 + p)))],
        Pvids = [.. Enumerable.Range(1, ports).Select(p => new Varbind(QBridgeMib.Pvid.Append((uint)p), SnmpValue.Gauge(7)))],
        Static = [.. (statics ?? []).SelectMany(s => new Varbind[]
        {
            new(QBridgeMib.StaticName.Append(s.Vlan), SnmpValue.Text(s.Name)), new(QBridgeMib.StaticEgress.Append(s.Vlan), SnmpValue.Octets(s.Egress)), new(QBridgeMib.StaticUntagged.Append(s.Vlan), SnmpValue.Octets(s.Untagged)),
        })],
        Current = [.. (current ?? []).SelectMany(c => new Varbind[]
        {
            new(QBridgeMib.CurrentEgress.Append(c.Mark, c.Vlan), SnmpValue.Octets(c.Egress)), new(QBridgeMib.CurrentUntagged.Append(c.Mark, c.Vlan), SnmpValue.Octets(c.Untagged)),
        })],
    };
}
