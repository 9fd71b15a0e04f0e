using System.Collections.Immutable;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Switches.QBridge;
using GridAppliance.Switches.Snmp;

namespace GridAppliance.Switches.Cisco;

/// <summary>
/// A Cisco switch: VTP's list of VLANs, VLAN membership for access ports, trunks as bitmaps. Each VLAN's bridge is a context of its own.
/// </summary>
sealed class CiscoSwitch(Uri address, SnmpSession session) : IVlanWriter, IPortMap, IIdentifiedSwitch, IStartUpStore, IPulsingSwitch, IDisposable
{
    /// <summary>Octets that the trunks' serial number takes in a request.</summary>
    public const int SerialRoom = 32;

    readonly SnmpSystem system = new(session);
    readonly VtpEditor editor = new(session);
    readonly CiscoAddresses addresses = new(session);

    public Uri Address => address;

    public async Task<SwitchSnapshot> ReadAsync(CancellationToken cancellationToken) => (await ReadTablesAsync(cancellationToken)).Snapshot;

    async Task<CiscoTables> ReadTablesAsync(CancellationToken cancellationToken)
    {
        ObjectIdentifier[] columns =
        [
            CiscoMib.VlanType, CiscoMib.VlanName, CiscoMib.AccessVlan, CiscoMib.TrunkNative, CiscoMib.TrunkStatus, .. CiscoMib.TrunkVlans,
            QBridgeMib.InterfaceName, QBridgeMib.InterfaceAlias, QBridgeMib.InterfaceAdminStatus, QBridgeMib.InterfaceOperStatus,
            CiscoMib.DomainName, CiscoMib.DomainMode, CiscoMib.AccessType, CiscoMib.TrunkState, CiscoMib.TrunkEncapsulation,
        ];
        var cells = await Task.WhenAll(columns.Select(c => session.WalkAsync(c, cancellationToken)));
        return CiscoTables.From(new()
        {
            VlanTypes = cells[0],
            VlanNames = cells[1],
            AccessVlans = cells[2],
            TrunkNatives = cells[3],
            TrunkStatuses = cells[4],
            TrunkVlans = cells[5..9],
            InterfaceNames = cells[9],
            InterfaceAliases = cells[10],
            InterfaceAdminStatus = cells[11],
            InterfaceOperStatus = cells[12],
            DomainNames = cells[13],
            DomainModes = cells[14],
            AccessTypes = cells[15],
            TrunkStates = cells[16],
            TrunkEncapsulations = cells[17],
        });
    }

    public async Task<IVlanState> ReadStateAsync(CancellationToken cancellationToken) => new State(await ReadTablesAsync(cancellationToken), session.RoomForVarbinds);

    public async Task<WriteOutcome> WriteAsync(IReadOnlyList<VlanWrite> writes, CancellationToken cancellationToken)
    {
        var before = session.Sets;
        for (var i = 0; i < writes.Count; i++)
        {
            if (await WriteAsync(writes[i].Set, cancellationToken) is { } refusal) return new(i, refusal) { Sets = (int)(session.Sets - before) };
        }
        return new(writes.Count, null) { Sets = (int)(session.Sets - before) };
    }

    async Task<string?> WriteAsync(ImmutableArray<Varbind> set, CancellationToken cancellationToken)
    {
        if (VtpEditor.IsEdit(set)) return await editor.ChangeAsync(set, cancellationToken);
        if (set.Any(v => CiscoMib.TrunkVlans.Any(v.Name.StartsWith))) return await WriteTrunksAsync(set, cancellationToken);
        return await session.WriteAsync(set, static _ => false, cancellationToken);
    }

    // Whoever writes a trunk's VLANs names the serial number as it is, or is refused: so two do not write over each other. It is another after our own write too, so that one whose
    // answer was lost is refused the second time although it was done.
    async Task<string?> WriteTrunksAsync(ImmutableArray<Varbind> set, CancellationToken cancellationToken)
    {
        var serial = (await session.GetAsync([CiscoMib.TrunkSerial], cancellationToken))[0];
        var outcome = await session.SetAsync(serial.Value.TryGetInt32(out _) ? [.. set, serial] : set, cancellationToken);
        if (outcome.IsDone) return null;
        if (outcome.Culprit != CiscoMib.TrunkSerial) return outcome.ToString();
        var now = await session.GetAsync([.. set.Select(v => v.Name)], cancellationToken);
        return now.SequenceEqual(set) ? null : "somebody else writes its trunks at the same time";
    }

    public async Task<SwitchAbilities> ProbeAsync(int port, CancellationToken cancellationToken)
    {
        var tables = await ReadTablesAsync(cancellationToken);
        var snapshot = tables.Snapshot;
        var words = new List<string> { $"It has {snapshot.Vlans.Count} VLANs and tells those of {snapshot.Ports.Values.Count(p => p.Vlans.IsKnown)} of {snapshot.Ports.Count} ports." };
        // The last one decides: a port whose VLAN is taken can be moved, whatever else is not.
        var canWrite = false;
        foreach (var (what, varbind) in Probes(tables, port))
        {
            var outcome = await session.SetAsync([varbind], cancellationToken);
            words.Add(outcome.IsDone ? $"It takes {what}." : $"It refuses {what}: {outcome}.");
            canWrite = outcome.IsDone;
        }
        words.Insert(1, tables.Domain switch
        {
            null or { Mode: null } => "VLANs are neither made nor removed: it does not say how its list of VLANs is kept.",
            { Mode: VtpMode.Client } domain => $"VLANs are neither made nor removed: it is a VTP client of domain '{domain.Name}'.",
            var domain => await editor.ProbeAsync(domain.Index, cancellationToken) is { } refusal ? $"VLANs are neither made nor removed as it is now: {refusal}." : "VLANs are made and removed in VTP's edit buffer.",
        });
        return new(true, canWrite, words);
    }

    // Each is a SET of what is there already.
    static IEnumerable<(string What, Varbind Set)> Probes(CiscoTables tables, int port)
    {
        var name = tables.Snapshot.Ports[port].Name;
        if (tables.Trunk(port) is { Mode: { } mode }) yield return ($"whether {name} is a trunk", new(CiscoMib.TrunkState.Append((uint)port), SnmpValue.Integer((int)mode)));
        if (!tables.IsTrunk(port) && tables.AccessVlan(port) is { } vlan) yield return ($"an access VLAN for {name}", new(CiscoMib.AccessVlan.Append((uint)port), SnmpValue.Integer(vlan.Value)));
        else if (tables.Trunk(port) is { Native: { } native }) yield return ($"a native VLAN for {name}", new(CiscoMib.TrunkNative.Append((uint)port), SnmpValue.Integer(native)));
    }

    /// <summary>The address table of each VLAN, and the bridge's port numbers turned into interfaces by the VLAN's own table; from a switch without such views, the one table that it has.</summary>
    public Task<IReadOnlyList<ForwardingEntry>> ReadForwardingAsync(SwitchSnapshot ports, CancellationToken cancellationToken) => addresses.ReadAsync(ports, cancellationToken);

    public async Task<IReadOnlyList<SwitchNeighbour>> ReadNeighboursAsync(SwitchSnapshot ports, CancellationToken cancellationToken)
    {
        var remote = session.WalkAsync(QBridgeMib.LldpRemote, cancellationToken);
        var local = session.WalkAsync(QBridgeMib.LldpLocalPort, cancellationToken);
        await Task.WhenAll(remote, local);
        return LldpRows.Read(await remote, await local, ports);
    }

    public Task<SwitchIdentity> ReadIdentityAsync(CancellationToken cancellationToken) => system.ReadIdentityAsync(cancellationToken);

    public Task<SwitchPulse> ReadPulseAsync(CancellationToken cancellationToken) => system.ReadPulseAsync([QBridgeMib.InterfaceAdminStatus, CiscoMib.AccessVlan, CiscoMib.TrunkState, CiscoMib.TrunkStatus, CiscoMib.TrunkNative, .. CiscoMib.TrunkVlans], cancellationToken);

    public Task<string?> WriteContactAsync(string contact, CancellationToken cancellationToken) => system.WriteContactAsync(contact, cancellationToken);

    public Task<SaveOutcome> SaveAsync(CancellationToken cancellationToken) => system.SaveAsync(cancellationToken);

    public void Dispose() => session.Dispose();

    sealed class State(CiscoTables tables, int room) : IVlanState
    {
        public SwitchSnapshot Snapshot => tables.Snapshot;

        public VlanPlan Plan(VlanIntent intent, SwitchPolicy policy) => new CiscoChangePlan(tables, intent, policy, room).Make();

        public TakeBackPlan TakeBack(UnfinishedChange change, SwitchPolicy policy) => new CiscoTakeBack(tables, change, policy).Make();
    }
}
