using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Switches.Snmp;

namespace GridAppliance.Switches.QBridge;

/// <summary>A switch that speaks Q-BRIDGE-MIB, which is most of them.</summary>
sealed class QBridgeSwitch(Uri address, SnmpSession session) : IVlanWriter, IPortMap, IIdentifiedSwitch, IStartUpStore, IPulsingSwitch, IDisposable
{
    readonly SnmpSystem system = new(session);
    readonly PortListPulse lists = new(session);

    public Uri Address => address;

    public async Task<SwitchSnapshot> ReadAsync(CancellationToken cancellationToken) => (await ReadTablesAsync(cancellationToken)).Snapshot;

    public async Task<IVlanState> ReadStateAsync(CancellationToken cancellationToken) => new State(await ReadTablesAsync(cancellationToken), session.RoomForVarbinds);

    /// <summary>All tables at once: they are independent, and the session holds back what would be too much for the device.</summary>
    public async Task<QBridgeTables> ReadTablesAsync(CancellationToken cancellationToken)
    {
        var vlans = session.WalkAsync(QBridgeMib.StaticEntry, cancellationToken);
        var current = session.WalkAsync(QBridgeMib.CurrentEntry, cancellationToken);
        var pvids = session.WalkAsync(QBridgeMib.Pvid, cancellationToken);
        var ports = session.WalkAsync(QBridgeMib.BasePortIfIndex, cancellationToken);
        var names = session.WalkAsync(QBridgeMib.InterfaceName, cancellationToken);
        var descriptions = session.WalkAsync(QBridgeMib.InterfaceDescription, cancellationToken);
        var aliases = session.WalkAsync(QBridgeMib.InterfaceAlias, cancellationToken);
        var admin = session.WalkAsync(QBridgeMib.InterfaceAdminStatus, cancellationToken);
        var oper = session.WalkAsync(QBridgeMib.InterfaceOperStatus, cancellationToken);
        var maker = session.GetAsync([QBridgeMib.SysObjectId], cancellationToken);
        await Task.WhenAll(vlans, current, pvids, ports, names, descriptions, aliases, admin, oper, maker);
        var tables = QBridgeTables.From(new()
        {
            SysObjectId = (await maker)[0].Value.AsIdentifier,
            BasePorts = await ports,
            Pvids = await pvids,
            Static = await vlans,
            Current = await current,
            InterfaceNames = await names,
            InterfaceDescriptions = await descriptions,
            InterfaceAliases = await aliases,
            InterfaceAdminStatus = await admin,
            InterfaceOperStatus = await oper,
        });
        lists.HasTimeMarks = (await current).Count > 0 && !tables.Quirks.Contains(SwitchQuirk.NoTimeMarks);
        return tables;
    }

    public async Task<WriteOutcome> WriteAsync(IReadOnlyList<VlanWrite> writes, CancellationToken cancellationToken)
    {
        var before = session.Sets;
        for (var i = 0; i < writes.Count; i++)
        {
            if (await session.WriteAsync(writes[i].Set, static name => name.StartsWith(QBridgeMib.StaticRowStatus), cancellationToken) is { } refusal) return new(i, refusal) { Sets = (int)(session.Sets - before) };
        }
        return new(writes.Count, null) { Sets = (int)(session.Sets - before) };
    }

    public async Task<SwitchAbilities> ProbeAsync(int port, CancellationToken cancellationToken)
    {
        var tables = await ReadTablesAsync(cancellationToken);
        var words = new List<string>();
        var readsMembership = tables.Vlans.Count > 0 && tables.Vlans.Values.All(v => v.Egress is not null);
        words.Add(tables.Vlans.Count == 0 ? "It has no VLANs in Q-BRIDGE-MIB." : readsMembership ? $"It tells which ports are in its {tables.Vlans.Count} VLANs." : "It does not tell which ports are in all of its VLANs.");
        if (lists.HasTimeMarks) words.Add("It says which VLANs have changed since a moment: the minute's look asks for those.");
        words.AddRange(tables.Quirks.Select(q => $"{SwitchQuirks.Table[q].Symptom}: {SwitchQuirks.Table[q].Treatment}."));
        if (tables.WhyNotWritable is { } why)
        {
            words.Add($"It is not written to: {why}.");
            return new(readsMembership, false, words);
        }
        var canWrite = true;
        foreach (var (what, varbind) in Probes(tables, port))
        {
            var outcome = await session.SetAsync([varbind], cancellationToken);
            words.Add(outcome.IsDone ? $"It takes {what}." : $"It refuses {what}: {outcome}.");
            canWrite &= outcome.IsDone;
        }
        return new(readsMembership, canWrite, words);
    }

    // Each is a SET of what is there already.
    static IEnumerable<(string What, Varbind Set)> Probes(QBridgeTables tables, int port)
    {
        if (tables.Pvids.GetValueOrDefault(port) is { } pvid) yield return ($"a PVID for port {port}", new(QBridgeMib.Pvid.Append((uint)port), SnmpValue.Gauge((uint)pvid.Value)));
        var (vlan, row) = tables.Vlans.First(v => v.Value.Row is not null);
        yield return ("a VLAN's egress ports", new(QBridgeMib.StaticEgress.Append((uint)vlan.Value), SnmpValue.Octets(row.Egress!.Value.Octets)));
        yield return ("a VLAN's untagged ports", new(QBridgeMib.StaticUntagged.Append((uint)vlan.Value), SnmpValue.Octets(row.Untagged!.Value.Octets)));
    }

    public async Task<IReadOnlyList<ForwardingEntry>> ReadForwardingAsync(SwitchSnapshot ports, CancellationToken cancellationToken)
    {
        var reading = session.WalkAsync(QBridgeMib.VlanForwardingPort, cancellationToken);
        var databases = session.WalkAsync(QBridgeMib.CurrentFdb, cancellationToken);
        await Task.WhenAll(reading, databases);
        var vlanOf = DatabaseVlans(await databases);
        var found = new List<ForwardingEntry>();
        foreach (var row in await reading)
        {
            if (row.Name.Below(QBridgeMib.VlanForwardingPort) is not [var database, .. { Length: 6 } mac] || !row.Value.TryGetInt32(out var port)) continue;
            if (TryReadMac(mac, out var address)) found.Add(new(VlanOf(database), address, port));
        }
        return found.Count > 0 ? found : ReadPlainForwarding(await session.WalkAsync(QBridgeMib.ForwardingPort, cancellationToken));

        // A filtering database that no VLAN claims is numbered like its VLAN on most switches: but not like one that has another.
        VlanId? VlanOf(uint database) => vlanOf.TryGetValue(database, out var claimed) ? claimed : VlanId.From(database) is { } guess && !vlanOf.ContainsValue(guess) ? guess : null;
    }

    /// <summary>The VLAN that each filtering database is of; null for one that several share, whose addresses are in any of them.</summary>
    internal static Dictionary<uint, VlanId?> DatabaseVlans(IReadOnlyList<Varbind> cells)
    {
        var vlanOf = new Dictionary<uint, VlanId?>();
        foreach (var cell in cells)
        {
            if (!QBridgeDecoder.TryReadTimed(cell.Name.Below(QBridgeMib.CurrentFdb), out _, out var number) || VlanId.From(number) is not { } vlan || !cell.Value.TryGetUInt32(out var database)) continue;
            vlanOf[database] = vlanOf.TryGetValue(database, out var known) && known != vlan ? null : vlan;
        }
        return vlanOf;
    }

    public static IReadOnlyList<ForwardingEntry> ReadPlainForwarding(IReadOnlyList<Varbind> cells, VlanId? vlan = null)
    {
        var found = new List<ForwardingEntry>();
        foreach (var cell in cells)
        {
            if (TryReadMac(cell.Name.Below(QBridgeMib.ForwardingPort), out var mac) && cell.Value.TryGetInt32(out var port)) found.Add(new(vlan, mac, port));
        }
        return found;
    }

    static bool TryReadMac(ReadOnlySpan<uint> parts, out MacAddress mac)
    {
        ulong bits = 0;
        foreach (var part in parts)
        {
            if (part > byte.MaxValue) { mac = default; return false; }
            bits = bits << 8 | part;
        }
        mac = MacAddress.FromUInt64(bits);
        return parts.Length == MacAddress.Length;
    }

    public async Task<IReadOnlyList<SwitchNeighbour>> ReadNeighboursAsync(SwitchSnapshot ports, CancellationToken cancellationToken)
    {
        var remote = session.WalkAsync(QBridgeMib.LldpRemote, cancellationToken);
        var local = session.WalkAsync(QBridgeMib.LldpLocalPort, cancellationToken);
        await Task.WhenAll(remote, local);
        return LldpRows.Read(await remote, await local, ports);
    }

    public Task<SwitchIdentity> ReadIdentityAsync(CancellationToken cancellationToken) => system.ReadIdentityAsync(cancellationToken);

    public async Task<SwitchPulse> ReadPulseAsync(CancellationToken cancellationToken)
    {
        var (lists, columns) = (this.lists.ReadAsync(cancellationToken), system.ReadPulseAsync([QBridgeMib.Pvid, QBridgeMib.InterfaceAdminStatus], cancellationToken));
        // Both to their end, whichever fails: a failure that nobody awaits is told nobody.
        await Task.WhenAll(lists, columns);
        var pulse = await columns;
        return pulse with { Rows = [.. pulse.Rows, .. await lists] };
    }

    public Task<string?> WriteContactAsync(string contact, CancellationToken cancellationToken) => system.WriteContactAsync(contact, cancellationToken);

    public Task<SaveOutcome> SaveAsync(CancellationToken cancellationToken) => system.SaveAsync(cancellationToken);

    public void Dispose() => session.Dispose();

    sealed class State(QBridgeTables tables, int room) : IVlanState
    {
        public SwitchSnapshot Snapshot => tables.Snapshot;

        public VlanPlan Plan(VlanIntent intent, SwitchPolicy policy) => new VlanChangePlan(tables, intent, policy, room).Make();

        public TakeBackPlan TakeBack(UnfinishedChange change, SwitchPolicy policy) => new QBridgeTakeBack(tables, change, policy).Make();
    }
}
