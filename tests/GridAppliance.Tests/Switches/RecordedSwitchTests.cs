using System.Globalization;
using System.Text.Json;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Switches;
using GridAppliance.Switches.Cisco;
using GridAppliance.Switches.QBridge;
using GridAppliance.Testing;

namespace GridAppliance.Tests.Switches;

/// <summary>Real switches' answers, read over UDP by our drivers, against what an independent decoder made of the same recordings.</summary>
public sealed class RecordedSwitchTests
{
    static readonly Uri Address = new("snmp+qbridge://192.0.2.1");

    internal static string[] QBridge { get; } =
    [
        "librenms/arista_eos_vrf", "librenms/comware_a5500.repaired", "librenms/cumulus_edgecore-as4610-54p", "librenms/dell-os10", "librenms/dlink_dgs-3000-28xmp",
        "librenms/edgecos_ecs4100-28t", "librenms/ironware.repaired", "librenms/junos_qfx5100", "librenms/moxa-etherdevice_edsg516e", "librenms/procurve_2520",
        "librenms/procurve_e2910", "snmpsim-data/arista-dcs-7150s-52-cl.subset", "snmpsim-data/brocade-icx6430-24.subset", "snmpsim-data/dcrs-5980-28t-dc.subset",
        "snmpsim-data/h3c-e528-1.subset", "snmpsim-data/juniper-mx960-12-3r6-6.subset",
    ];

    public static TheoryData<string> QBridgeRecordings => new(QBridge);

    [CaseTheory]
    [MemberData(nameof(QBridgeRecordings))]
    public async Task Ports_names_and_pvids_are_those_of_the_switch(string recording)
    {
        await using var agent = RecordedAgent.Of($"{recording}.snmprec");
        var tables = await new QBridgeSwitch(Address, agent.Session).ReadTablesAsync(default);
        var facts = SharedCases.Json($"snmp/{recording}.facts.json");
        foreach (var fact in facts.GetProperty("bridge_ports").EnumerateObject())
        {
            var port = tables.Snapshot.Ports[Number(fact.Name)];
            Assert.Equal(fact.Value.GetProperty("ifIndex").GetInt32(), port.IfIndex ?? 0);
            if (fact.Value.GetProperty("ifName").GetString() is { Length: > 0 } name) Assert.Equal(name, port.Name);
        }
        Assert.Equal(facts.GetProperty("bridge_ports").EnumerateObject().Count(), tables.BasePorts.Count);
        if (!facts.TryGetProperty("dot1qPvid", out var pvids)) return;
        foreach (var fact in pvids.EnumerateObject().Where(f => f.Name != "0")) Assert.Equal(VlanId.From(fact.Value.GetInt32()), tables.Snapshot.Ports[Number(fact.Name)].Vlans.Pvid);
    }

    [CaseTheory]
    [MemberData(nameof(QBridgeRecordings))]
    public async Task Membership_is_that_of_the_switch_or_said_to_be_unknown(string recording)
    {
        await using var agent = RecordedAgent.Of($"{recording}.snmprec");
        var tables = await new QBridgeSwitch(Address, agent.Session).ReadTablesAsync(default);
        var facts = SharedCases.Json($"snmp/{recording}.facts.json");
        var compared = 0;
        foreach (var (vlan, (egress, untagged)) in ExpectedMembership(facts))
        {
            if (!VlanId.IsValid(vlan) || !tables.Vlans.TryGetValue(new(vlan), out var row) || row.Egress is not { } members) continue;
            Assert.Equal(egress, members.Ports);
            Assert.Equal(untagged, row.Untagged!.Value.Ports);
            compared++;
        }
        var isUnknown = tables.Quirks.Overlaps([SwitchQuirk.EmptyPortLists, SwitchQuirk.NonsensePortLists, SwitchQuirk.NoMembership]);
        Assert.True(compared > 0 || isUnknown, "nothing was compared");
        if (isUnknown) Assert.All(tables.Snapshot.Ports.Values, p => Assert.Equal(PortMode.Unknown, p.Vlans.Mode));
    }

    // Static where there is one; else the latest of the current table.
    static Dictionary<int, (List<int> Egress, List<int> Untagged)> ExpectedMembership(JsonElement facts)
    {
        var expected = new Dictionary<int, (List<int>, List<int>)>();
        if (facts.TryGetProperty("dot1qVlanCurrentTable", out var current))
        {
            foreach (var row in current.EnumerateObject().Select(r => r.Value).Where(r => r.TryGetProperty("egress", out _)).OrderBy(r => r.GetProperty("timeMark").GetInt64()))
            {
                expected[row.GetProperty("vid").GetInt32()] = (PortsOf(row, "egress"), PortsOf(row, "untagged"));
            }
        }
        foreach (var row in facts.GetProperty("dot1qVlanStaticTable").EnumerateObject().Where(r => r.Value.TryGetProperty("egress", out _))) expected[Number(row.Name)] = (PortsOf(row.Value, "egress"), PortsOf(row.Value, "untagged"));
        return expected;
    }

    static List<int> PortsOf(JsonElement row, string column) =>
        row.TryGetProperty(column, out var list) ? [.. list.GetProperty("ports").EnumerateArray().Select(p => p.GetInt32()).Where(p => p > 0).Order()] : [];

    [CaseTheory]
    [MemberData(nameof(QBridgeRecordings))]
    public async Task Addresses_are_found_behind_their_ports(string recording)
    {
        var facts = SharedCases.Json($"snmp/{recording}.facts.json");
        await using var agent = RecordedAgent.Of($"{recording}.snmprec");
        using var device = new QBridgeSwitch(Address, agent.Session);
        var entries = await device.ReadForwardingAsync(await device.ReadAsync(default), default);
        if (!facts.TryGetProperty("dot1qTpFdb", out var table)) return;
        Assert.Equal(table.GetProperty("rows").GetInt32(), entries.Count);
        foreach (var fact in table.GetProperty("first").EnumerateArray())
        {
            Assert.Contains(entries, e => e.Mac.ToString() == fact.GetProperty("mac").GetString() && e.Port == fact.GetProperty("bridgePort").GetInt32());
        }
    }

    [CaseTheory]
    [MemberData(nameof(QBridgeRecordings))]
    public async Task Neighbours_are_found_at_their_ports(string recording)
    {
        var facts = SharedCases.Json($"snmp/{recording}.facts.json");
        await using var agent = RecordedAgent.Of($"{recording}.snmprec");
        using var device = new QBridgeSwitch(Address, agent.Session);
        var neighbours = await device.ReadNeighboursAsync(await device.ReadAsync(default), default);
        if (!facts.TryGetProperty("lldpRemTable", out var table)) return;
        // Of a neighbour that has changed, the latest row: the table is filtered by time.
        foreach (var fact in table.EnumerateArray().GroupBy(f => (f.GetProperty("localPortNum").GetString(), f.GetProperty("remIndex").GetString())).Select(g => g.MaxBy(f => long.Parse(f.GetProperty("timeMark").GetString()!, CultureInfo.InvariantCulture))))
        {
            var local = int.Parse(fact.GetProperty("localPortNum").GetString()!, CultureInfo.InvariantCulture);
            var neighbour = Assert.Single(neighbours, n => n.LocalPort == local && n.SystemName == (fact.GetProperty("sysName").GetString() ?? "") && Loosely(n.PortId) == Loosely(fact.GetProperty("portId").GetString()!));
            Assert.Equal(Loosely(fact.GetProperty("chassisId").GetString()!), Loosely(neighbour.ChassisId));
        }

        static string Loosely(string id) => id.Replace(":", "").ToLowerInvariant();
    }

    [CaseTheory]
    [InlineData("librenms/ios_c3560")]
    [InlineData("librenms/nxos_n3k-3064pq")]
    [InlineData("snmpsim-data/cisco-c3560.subset")]
    [InlineData("snmpsim-data/cisco-n5000.subset")]
    public async Task A_cisco_switchs_access_ports_and_vlans_are_read(string recording)
    {
        var facts = SharedCases.Json($"snmp/{recording}.facts.json");
        await using var agent = RecordedAgent.Of($"{recording}.snmprec");
        using var device = new CiscoSwitch(new("snmp+cisco://192.0.2.1"), agent.Session);
        var snapshot = await device.ReadAsync(default);
        foreach (var fact in facts.GetProperty("vtpVlanName").EnumerateObject())
        {
            if (Number(fact.Name) is >= 1002 and <= 1005 && fact.Value.GetString()!.EndsWith("-default", StringComparison.Ordinal)) continue;
            Assert.Equal(fact.Value.GetString(), snapshot.Vlans[new(Number(fact.Name))].Name);
        }
        var trunks = Trunking(facts).ToHashSet();
        var access = facts.GetProperty("vmVlan (access VLAN by ifIndex)").EnumerateObject().ToList();
        Assert.NotEmpty(access);
        foreach (var fact in access)
        {
            var parts = fact.Name.Split(' ', 2);
            var port = snapshot.Ports[Number(parts[0])];
            if (parts.Length > 1 && parts[1] != "None") Assert.Equal(parts[1], port.Name);
            if (!trunks.Contains(fact.Name)) Assert.Equal(PortVlans.Access(new(fact.Value.GetInt32())), port.Vlans);
        }
    }

    static IEnumerable<string> Trunking(JsonElement facts) =>
        facts.GetProperty("vlanTrunkPortTable").EnumerateObject().Where(r => r.Value.TryGetProperty("dynamicStatus", out var status) && status.GetString() == "1").Select(r => r.Name);

    [CaseFact]
    public async Task A_cisco_trunk_carries_what_its_bitmap_allows()
    {
        await using var agent = RecordedAgent.Of("snmpsim-data/cisco-c3560.subset.snmprec");
        using var device = new CiscoSwitch(new("snmp+cisco://192.0.2.1"), agent.Session);
        var trunk = (await device.ReadAsync(default)).Port("Gi0/49")!;
        Assert.Equal(10149, trunk.Number);
        Assert.Equal(PortVlans.Trunk(null, [new(2)]), trunk.Vlans); // native 1 is not among the allowed ones
    }

    [CaseFact]
    public async Task A_cisco_switchs_addresses_are_read_from_a_context_for_each_vlan()
    {
        // The recording of one VLAN's view has no interfaces: two are typed in, and a port that no interface is known for is left out.
        var inVlan = Recording.Load(SharedCases.PathOf("snmp/niac/cisco-10.250.0.1-v500.walk"));
        var withInterface = new Recording([.. Rows(inVlan), new(new(1, 3, 6, 1, 2, 1, 17, 1, 4, 1, 2, 100), Protocols.Snmp.SnmpValue.Integer(10100))]);
        var root = new Recording([new(CiscoMib.VlanName.Append(1, 500), Protocols.Snmp.SnmpValue.Text("servers")), new(CiscoMib.AccessVlan.Append(10100), Protocols.Snmp.SnmpValue.Integer(500))]);
        await using var agent = new RecordedAgent(root, new Dictionary<string, IManagedTree> { ["vlan-500"] = withInterface });
        using var device = new CiscoSwitch(new("snmp+cisco://192.0.2.1"), agent.Session);
        var entries = await device.ReadForwardingAsync(await device.ReadAsync(default), default);
        var expected = SharedCases.Json("snmp/niac/cisco-10.250.0.1-v500.facts.json").GetProperty("fdb_rows").GetInt32();
        Assert.Equal(95, expected);
        Assert.NotEmpty(entries);
        Assert.All(entries, e => Assert.True(e.Port is 0 or 10100 && e.Vlan == new VlanId(500)));
        Assert.Contains(entries, e => e is { Port: 10100 } && e.Mac.ToString() == "00:00:5e:00:01:2a");
    }

    static IEnumerable<Protocols.Snmp.Varbind> Rows(Recording recording)
    {
        for (var next = recording.Next(default); next is { } row; next = recording.Next(row.Name)) yield return row;
    }

    static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
