using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Switches;
using GridAppliance.Switches.Cisco;
using GridAppliance.Switches.QBridge;
using GridAppliance.Testing;

namespace GridAppliance.Tests.Switches;

/// <summary>
/// Tables of switches that nobody has recorded: those of recorded ones and of our own, with rows missing, indexes that mean nothing, values of another kind and lists of another length, the same ones in every run. Nothing
/// throws; what is made of it is within bounds; and whatever is asked of such a switch, a plan is refused with reasons or names ports and VLANs that it may.
/// </summary>
public sealed class DamagedTablesTests
{
    const int Rounds = 40;

    static readonly SwitchPolicy Everything = new() { Ports = [.. Enumerable.Range(1, 128)], Vlans = [.. Enumerable.Range(1, VlanId.Largest).Select(v => new VlanId(v))] };

    [Fact]
    public void Damaged_tables_of_a_sound_switch_throw_nothing() => Damage(new([.. Rows(BridgeModel.Factory(24).WithAccess(100, 1, 2, 3).WithAccess(250, 7))]), 17);

    [CaseTheory]
    [MemberData(nameof(RecordedSwitchTests.QBridgeRecordings), MemberType = typeof(RecordedSwitchTests))]
    public void Damaged_tables_of_a_recorded_switch_throw_nothing(string recording) => Damage(Recording.Load(SharedCases.PathOf($"snmp/{recording}.snmprec")), recording.Length);

    [CaseTheory]
    [InlineData("librenms/ios_c3560")]
    [InlineData("librenms/nxos_n3k-3064pq")]
    [InlineData("snmpsim-data/cisco-c3560.subset")]
    [InlineData("snmpsim-data/cisco-n5000.subset")]
    public void Damaged_tables_of_a_cisco_switch_throw_nothing(string recording)
    {
        var random = new Random(recording.Length);
        var tree = Recording.Load(SharedCases.PathOf($"snmp/{recording}.snmprec"));
        for (var round = 0; round < Rounds; round++)
        {
            IReadOnlyList<Varbind> Read(ObjectIdentifier column) => [.. tree.Below(column).SelectMany(row => Damaged(row, random))];
            var tables = CiscoTables.From(new()
            {
                VlanTypes = Read(CiscoMib.VlanType), VlanNames = Read(CiscoMib.VlanName), AccessVlans = Read(CiscoMib.AccessVlan), AccessTypes = Read(CiscoMib.AccessType),
                TrunkNatives = Read(CiscoMib.TrunkNative), TrunkStatuses = Read(CiscoMib.TrunkStatus), TrunkStates = Read(CiscoMib.TrunkState), TrunkEncapsulations = Read(CiscoMib.TrunkEncapsulation),
                TrunkVlans = [.. CiscoMib.TrunkVlans.Select(Read)], InterfaceNames = Read(QBridgeMib.InterfaceName), InterfaceAliases = Read(QBridgeMib.InterfaceAlias),
                InterfaceAdminStatus = Read(QBridgeMib.InterfaceAdminStatus), InterfaceOperStatus = Read(QBridgeMib.InterfaceOperStatus), DomainNames = Read(CiscoMib.DomainName), DomainModes = Read(CiscoMib.DomainMode),
            });
            var ours = Everything with { Ports = [.. tables.Snapshot.Ports.Keys] };
            foreach (var intent in Intents(tables.Snapshot, random)) Judge(new CiscoChangePlan(tables, intent, ours, 1200).Make());
        }
    }

    static void Damage(Recording tree, int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < Rounds; round++)
        {
            IReadOnlyList<Varbind> Read(ObjectIdentifier column) => random.Next(12) == 0 ? [] : [.. tree.Below(column).SelectMany(row => Damaged(row, random))];
            var tables = QBridgeTables.From(new()
            {
                SysObjectId = tree.Get(QBridgeMib.SysObjectId).AsIdentifier, BasePorts = Read(QBridgeMib.BasePortIfIndex), Pvids = Read(QBridgeMib.Pvid), Static = Read(QBridgeMib.StaticEntry), Current = Read(QBridgeMib.CurrentEntry),
                InterfaceNames = Read(QBridgeMib.InterfaceName), InterfaceDescriptions = Read(QBridgeMib.InterfaceDescription), InterfaceAliases = Read(QBridgeMib.InterfaceAlias),
                InterfaceAdminStatus = Read(QBridgeMib.InterfaceAdminStatus), InterfaceOperStatus = Read(QBridgeMib.InterfaceOperStatus),
            });
            Assert.All(tables.Snapshot.Ports, p => Assert.InRange(p.Key, 1, PortList.MaximumPort));
            QBridgeSwitch.DatabaseVlans(Read(QBridgeMib.CurrentFdb));
            QBridgeSwitch.ReadPlainForwarding(Read(QBridgeMib.ForwardingPort));
            foreach (var neighbour in LldpRows.Read(Read(QBridgeMib.LldpRemote), Read(QBridgeMib.LldpLocalPort), tables.Snapshot)) Assert.True(neighbour.Port is null || tables.Snapshot.Ports.ContainsKey(neighbour.Port.Value));
            foreach (var intent in Intents(tables.Snapshot, random)) Judge(new VlanChangePlan(tables, intent, Everything, 1200).Make());
        }
    }

    static void Judge(VlanPlan plan)
    {
        if (plan is VlanPlan.Refused refused) Assert.NotEmpty(refused.Reasons);
        if (plan is VlanPlan.Ready ready) Assert.All(ready.Writes, w => Assert.NotEmpty(w.Set));
    }

    static IEnumerable<VlanIntent> Intents(SwitchSnapshot snapshot, Random random)
    {
        VlanId some = new(random.Next(1, 4094));
        yield return new() { Create = System.Collections.Immutable.ImmutableSortedDictionary<VlanId, string>.Empty.Add(some, "new") };
        yield return new() { Remove = [some, .. snapshot.Vlans.Keys.Take(1)] };
        if (snapshot.Ports.IsEmpty) yield break;
        var port = snapshot.Ports.Keys.ElementAt(random.Next(snapshot.Ports.Count));
        yield return new() { Ports = [new(port) { Vlans = PortVlans.Access(some) }] };
        yield return new() { Ports = [new(port) { Vlans = PortVlans.Trunk(some, snapshot.Vlans.Keys) }] };
        yield return new() { Ports = [new(port) { IsEnabled = false, Description = "shut" }] };
    }

    // Most rows stay: a table of which nothing is right is left out as a whole, and shows little.
    static IEnumerable<Varbind> Damaged(Varbind row, Random random)
    {
        switch (random.Next(40))
        {
            case 0: yield break;
            case 1: yield return row with { Value = SnmpValue.Octets(row.Value.AsOctets[..(row.Value.AsOctets.Length / 2)]) }; break;
            case 2: yield return row with { Value = SnmpValue.Octets([.. row.Value.AsOctets, 0x80, 0x2C]) }; break;
            case 3: yield return row with { Value = SnmpValue.Gauge(uint.MaxValue) }; break;
            case 4: yield return row with { Value = SnmpValue.Integer(-random.Next()) }; break;
            case 5: yield return row with { Value = SnmpValue.NoSuchInstance }; break;
            case 6: yield return row with { Value = SnmpValue.Text("VLAN-5") }; break;
            case 7: yield return row with { Name = new(row.Name.Parts[..^1]) }; break;
            case 8: yield return row with { Name = row.Name.Append((uint)random.Next(5)) }; break;
            case 9: yield return row with { Name = new ObjectIdentifier(row.Name.Parts[..^1]).Append(uint.MaxValue - (uint)random.Next(2)) }; break;
            case 10: yield return row with { Name = new ObjectIdentifier(row.Name.Parts[..^1]).Append((uint)random.Next(4200)) }; break;
            case 11: yield return row; yield return row with { Value = SnmpValue.Octets([0xFF]) }; break;
            case 12: yield return row with { Value = SnmpValue.Text("1,2,0") }; break;
            default: yield return row; break;
        }
    }

    static IEnumerable<Varbind> Rows(BridgeModel model) => BridgeRows.Of(model, "sound", VlanTimes.None.Next(null, model, 4700), 4711);
}
