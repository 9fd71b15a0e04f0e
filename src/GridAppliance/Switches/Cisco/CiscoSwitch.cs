using System.Collections.Immutable;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Switches.QBridge;
using GridAppliance.Switches.Snmp;

namespace GridAppliance.Switches.Cisco;

/// <summary>
/// A Cisco switch: VTP's list of VLANs, VLAN membership for access ports, trunks as bitmaps. Each VLAN's bridge is a context of its own. Access ports are written;
/// trunks and the list of VLANs are read only.
/// </summary>
sealed class CiscoSwitch(Uri address, SnmpSession session) : IVlanWriter, IPortMap, IIdentifiedSwitch, IStartUpStore, IPulsingSwitch, IDisposable
{
    readonly SnmpSystem system = new(session);

    public Uri Address => address;

    public async Task<SwitchSnapshot> ReadAsync(CancellationToken cancellationToken)
    {
        ObjectIdentifier[] columns =
        [
            CiscoMib.VlanType, CiscoMib.VlanName, CiscoMib.AccessVlan, CiscoMib.TrunkNative, CiscoMib.TrunkStatus, .. CiscoMib.TrunkVlans,
            QBridgeMib.InterfaceName, QBridgeMib.InterfaceAlias, QBridgeMib.InterfaceAdminStatus, QBridgeMib.InterfaceOperStatus,
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
        });
    }

    public async Task<IVlanState> ReadStateAsync(CancellationToken cancellationToken) => new State(await ReadAsync(cancellationToken), session.RoomForVarbinds);

    public async Task<WriteOutcome> WriteAsync(IReadOnlyList<VlanWrite> writes, CancellationToken cancellationToken)
    {
        for (var i = 0; i < writes.Count; i++)
        {
            var outcome = await session.SetAsync(writes[i].Set, cancellationToken);
            if (!outcome.IsDone) return new(i, outcome.ToString());
        }
        return new(writes.Count, null);
    }

    public async Task<SwitchAbilities> ProbeAsync(int port, CancellationToken cancellationToken)
    {
        var snapshot = await ReadAsync(cancellationToken);
        var words = new List<string> { $"It has {snapshot.Vlans.Count} VLANs and tells those of {snapshot.Ports.Values.Count(p => p.Vlans.IsKnown)} of {snapshot.Ports.Count} ports." };
        if (snapshot.Ports.GetValueOrDefault(port) is not { Vlans: { Mode: PortMode.Access, Pvid: { } vlan } } known)
        {
            words.Add($"Port {port} is no access port: whether it takes a VLAN was not tried.");
            return new(true, false, words);
        }
        var outcome = await session.SetAsync([AccessVlan(port, vlan)], cancellationToken);
        words.Add(outcome.IsDone ? $"It takes an access VLAN for {known.Name}." : $"It refuses an access VLAN for {known.Name}: {outcome}.");
        words.Add("Trunks and the list of VLANs are not written.");
        return new(true, outcome.IsDone, words);
    }

    /// <summary>The address table of each VLAN that a port is in, and the bridge's port numbers turned into interfaces by the VLAN's own table.</summary>
    public async Task<IReadOnlyList<ForwardingEntry>> ReadForwardingAsync(SwitchSnapshot ports, CancellationToken cancellationToken)
    {
        var found = await Task.WhenAll(ports.Vlans.Keys.Select(vlan => ReadForwardingAsync(vlan, cancellationToken)));
        return [.. found.SelectMany(f => f)];
    }

    async Task<IReadOnlyList<ForwardingEntry>> ReadForwardingAsync(VlanId vlan, CancellationToken cancellationToken)
    {
        var context = SnmpContext.CiscoVlan(vlan);
        var entries = QBridgeSwitch.ReadPlainForwarding(await session.ReadTreeAsync(QBridgeMib.ForwardingPort, context, cancellationToken), vlan);
        if (entries.Count == 0) return entries;
        var interfaces = new Dictionary<int, int>();
        foreach (var cell in await session.ReadTreeAsync(QBridgeMib.BasePortIfIndex, context, cancellationToken))
        {
            if (cell.Name.Below(QBridgeMib.BasePortIfIndex) is [<= int.MaxValue and var port] && cell.Value.TryGetInt32(out var index)) interfaces[(int)port] = index;
        }
        // Port 0 is the switch itself; one that no interface is known for cannot be told from another, and is left out.
        return [.. entries.Where(e => e.Port == 0 || interfaces.ContainsKey(e.Port)).Select(e => e with { Port = e.Port == 0 ? 0 : interfaces[e.Port] })];
    }

    public async Task<IReadOnlyList<SwitchNeighbour>> ReadNeighboursAsync(SwitchSnapshot ports, CancellationToken cancellationToken)
    {
        var remote = session.WalkAsync(QBridgeMib.LldpRemote, cancellationToken);
        var local = session.WalkAsync(QBridgeMib.LldpLocalPort, cancellationToken);
        await Task.WhenAll(remote, local);
        return LldpRows.Read(await remote, await local, ports);
    }

    public Task<SwitchIdentity> ReadIdentityAsync(CancellationToken cancellationToken) => system.ReadIdentityAsync(cancellationToken);

    public Task<SwitchPulse> ReadPulseAsync(CancellationToken cancellationToken) => system.ReadPulseAsync([CiscoMib.AccessVlan, CiscoMib.TrunkStatus, CiscoMib.TrunkNative, .. CiscoMib.TrunkVlans], cancellationToken);

    public Task<string?> WriteContactAsync(string contact, CancellationToken cancellationToken) => system.WriteContactAsync(contact, cancellationToken);

    public Task<SaveOutcome> SaveAsync(CancellationToken cancellationToken) => system.SaveAsync(cancellationToken);

    public void Dispose() => session.Dispose();

    static Varbind AccessVlan(int port, VlanId vlan) => new(CiscoMib.AccessVlan.Append((uint)port), SnmpValue.Integer(vlan.Value));

    sealed class State(SwitchSnapshot snapshot, int room) : IVlanState
    {
        /// <summary>As many as fit, and few enough for IOS, which sets them one by one.</summary>
        const int MostVarbinds = 32;

        public SwitchSnapshot Snapshot => snapshot;

        public VlanPlan Plan(VlanIntent intent, SwitchPolicy policy)
        {
            var reasons = new List<string>();
            var batches = new WriteBatches(room, MostVarbinds);
            if (!intent.Create.IsEmpty || !intent.Remove.IsEmpty) reasons.Add("VLANs of a Cisco switch are made and removed in VTP, not by us");
            foreach (var wish in intent.Ports) Plan(wish, policy, reasons, batches);
            if (reasons.Count > 0) return new VlanPlan.Refused([.. reasons]);
            return new VlanPlan.Ready(batches.Finish(), intent.Ports.Where(p => p.Vlans is not null).ToImmutableSortedDictionary(p => p.Port, p => p.Vlans!));
        }

        void Plan(PortIntent wish, SwitchPolicy policy, List<string> reasons, WriteBatches batches)
        {
            if (!snapshot.Ports.TryGetValue(wish.Port, out var port)) { reasons.Add($"there is no port {wish.Port}"); return; }
            if (!policy.MayWrite(wish.Port)) reasons.Add(policy.Uplinks.Contains(wish.Port) ? $"{port.Name} is an uplink" : $"{port.Name} is not ours");
            if (wish.IsEnabled is not null || wish.Description is not null) reasons.Add($"{port.Name}: only its VLAN is written");
            if (wish.Vlans is not { } vlans) return;
            if (port.Vlans is not { Mode: PortMode.Access, Pvid: { } before }) { reasons.Add($"{port.Name} is no access port"); return; }
            if (vlans is not { Mode: PortMode.Access, Pvid: { } vlan }) { reasons.Add($"{port.Name}: trunks are not written"); return; }
            if (!policy.Vlans.Contains(vlan)) reasons.Add($"VLAN {vlan} is not ours");
            if (!policy.Vlans.Contains(before)) reasons.Add($"{port.Name} is in VLAN {before}, which is not ours to take it out of");
            if (!snapshot.Vlans.ContainsKey(vlan)) reasons.Add($"the switch has no VLAN {vlan}");
            if (vlan != before) batches.Add(AccessVlan(wish.Port, vlan), AccessVlan(wish.Port, before));
        }
    }
}
