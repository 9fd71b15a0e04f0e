using System.Collections.Immutable;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Switches.QBridge;

namespace GridAppliance.Switches.Cisco;

/// <summary>
/// Plans a change of a Cisco switch. VLANs are made one by one in VTP's edit buffer (some switches take no more than one at a time); a trunk is told what it carries before it
/// becomes one; a port that leaves being a trunk has to have left before it takes a VLAN. Pure.
/// </summary>
sealed class CiscoChangePlan(CiscoTables tables, VlanIntent intent, SwitchPolicy policy, int room)
{
    /// <summary>As many as fit, and few enough for IOS, which sets them one by one.</summary>
    const int MostVarbinds = 32;
    /// <summary>vtpVlanEditName.</summary>
    const int LongestName = 32;
    /// <summary>What Cisco counts 802.10's identifiers from.</summary>
    const uint FirstSaid = 100_000;

    readonly List<string> reasons = [];
    readonly WriteBatches trunks = new(room - CiscoSwitch.SerialRoom, MostVarbinds), modes = new(room, MostVarbinds), access = new(room, MostVarbinds), interfaces = new(room, MostVarbinds);

    SwitchSnapshot Snapshot => tables.Snapshot;

    public VlanPlan Make()
    {
        foreach (var wish in intent.Ports) Judge(wish);
        JudgeVlans();
        if (reasons.Count > 0) return new VlanPlan.Refused([.. reasons]);
        foreach (var wish in intent.Ports)
        {
            if (wish.Vlans is { Mode: PortMode.Trunk } trunk) WriteTrunk(wish.Port, trunk);
            else if (wish.Vlans is { Pvid: { } vlan }) WriteAccess(wish.Port, vlan);
            PortRules.WriteInterface(Snapshot.Ports[wish.Port], wish, interfaces);
        }
        IEnumerable<VlanWrite> writes =
        [
            .. NewVlans.Select(Making), .. trunks.Finish(), .. modes.Finish(), .. access.Finish(),
            .. intent.Remove.Where(Snapshot.Vlans.ContainsKey).Select(v => new VlanWrite(Removal(v), Creation(v, Snapshot.Vlans[v].Name))), .. interfaces.Finish(),
        ];
        return new VlanPlan.Ready([.. writes], intent.Ports.Where(p => p.Vlans is not null).ToImmutableSortedDictionary(p => p.Port, p => p.Vlans!));
    }

    IEnumerable<VlanId> NewVlans => intent.Needed.Where(v => !Snapshot.Vlans.ContainsKey(v));

    void Judge(PortIntent wish)
    {
        if (PortRules.Judge(Snapshot, wish, policy, reasons) is not { } port || wish.Vlans is not { } vlans) return;
        var row = tables.Trunk(port.Number);
        if (vlans is { Mode: PortMode.Access, Pvid: not null })
        {
            if (tables.IsTrunk(port.Number) && row?.Mode is null) reasons.Add($"{port.Name} is a trunk, and the switch does not say how it became one");
            else if (!tables.IsTrunk(port.Number) && !tables.IsStatic(port.Number)) reasons.Add($"{port.Name}'s VLAN is given by a policy server, not by hand");
            else if (!tables.IsTrunk(port.Number) && tables.AccessVlan(port.Number) is null) reasons.Add($"{port.Name} is no access port");
        }
        else if (vlans.Mode != PortMode.Trunk) reasons.Add($"{port.Name} cannot be made '{vlans}': a port is in one VLAN, or a trunk");
        else if (row is not { Mode: not null, Native: not null } || row.Vlans[0] is null) reasons.Add($"{port.Name} cannot be a trunk");
        else if (Enumerable.Range(0, VlanBits.Columns).Any(c => row.Vlans[c] is null && HasAny(Column(vlans, c)))) reasons.Add($"{port.Name} cannot carry VLANs above {VlanBits.VlansPerColumn - 1}");
        else if (NativeOf(row, vlans) is null) reasons.Add($"{port.Name} carries VLAN 1 with a tag, so that there is no VLAN for frames without one to be lost in");
    }

    void JudgeVlans()
    {
        foreach (var vlan in intent.Create.Keys.Concat(intent.Remove).Where(v => !policy.Vlans.Contains(v))) reasons.Add($"VLAN {vlan} is not ours");
        List<VlanId> made = [.. NewVlans], removed = [.. intent.Remove.Where(Snapshot.Vlans.ContainsKey)];
        foreach (var vlan in made.Concat(removed).Where(CiscoMib.IsBuiltIn)) reasons.Add($"VLAN {vlan} is the switch's own, and is neither made nor removed");
        if (made.Count + removed.Count == 0) return;
        var who = $"{(made.Count > 0 ? $"VLAN {string.Join(", ", made)} is not there" : $"VLAN {string.Join(", ", removed)} is to be removed")}, and";
        switch (tables.Domain)
        {
            case null or { Mode: null }: reasons.Add($"{who} the switch does not say how its list of VLANs is kept"); break;
            case { Mode: VtpMode.Client } domain: reasons.Add($"{who} the switch is a VTP client: its VLANs are made on a server of domain '{domain.Name}'"); break;
            // Every switch of the domain would lose it, and who is in it there is not to be seen from here.
            case { Mode: VtpMode.Server, Name.Length: > 0 } domain when removed.Count > 0: reasons.Add($"{who} VTP would take it from every switch of domain '{domain.Name}'"); break;
        }
        foreach (var vlan in made) JudgeName(vlan, NameOf(vlan));
        foreach (var vlan in removed)
        {
            var left = Snapshot.Ports.Values.Where(p => PlannedVlans(p) is var vlans && (vlans.Untagged.Contains(vlan) || vlans.Tagged.Contains(vlan) || vlans.Pvid == vlan)).ToList();
            if (left.Count > 0) reasons.Add($"VLAN {vlan} is not removed while ports are in it: {string.Join(", ", left.Select(p => p.Name))}");
        }
    }

    void JudgeName(VlanId vlan, string name)
    {
        if (name.Length > LongestName || !name.All(c => c is >= ' ' and <= '~')) reasons.Add($"VLAN {vlan} cannot be called '{name}': at most {LongestName} characters of ASCII");
        if (Snapshot.Vlans.Values.FirstOrDefault(v => v.Name == name) is { } other) reasons.Add($"VLAN {other.Id} is called '{name}' already");
    }

    PortVlans PlannedVlans(SwitchPort port) => intent.Ports.LastOrDefault(p => p.Port == port.Number)?.Vlans ?? port.Vlans;

    string NameOf(VlanId vlan) => intent.Create.GetValueOrDefault(vlan) is { Length: > 0 } name ? name : $"VLAN{vlan.Value:D4}";

    VlanWrite Making(VlanId vlan) => new(Creation(vlan, NameOf(vlan)), Removal(vlan));

    // What a row needs before it counts: the type, the name, the identifier of 802.10.
    ImmutableArray<Varbind> Creation(VlanId vlan, string name)
    {
        var said = FirstSaid + (uint)vlan.Value;
        return
        [
            Edit(CiscoMib.EditRowStatus, vlan, SnmpValue.Integer(RowStatus.CreateAndGo)), Edit(CiscoMib.EditType, vlan, SnmpValue.Integer(CiscoMib.Ethernet)), Edit(CiscoMib.EditName, vlan, SnmpValue.Text(name)),
            Edit(CiscoMib.EditSaid, vlan, SnmpValue.Octets([(byte)(said >> 24), (byte)(said >> 16), (byte)(said >> 8), (byte)said])),
        ];
    }

    ImmutableArray<Varbind> Removal(VlanId vlan) => [Edit(CiscoMib.EditRowStatus, vlan, SnmpValue.Integer(RowStatus.Destroy))];

    Varbind Edit(ObjectIdentifier column, VlanId vlan, SnmpValue value) => new(column.Append(tables.Domain!.Index, (uint)vlan.Value), value);

    void WriteAccess(int port, VlanId vlan)
    {
        // Also of a port that would only become one if asked: whoever is on it could ask, and be in every VLAN.
        if (tables.Trunk(port)?.Mode is { } mode and not TrunkMode.Off) modes.Add(Cell(CiscoMib.TrunkState, port, (int)TrunkMode.Off), Cell(CiscoMib.TrunkState, port, (int)mode));
        var before = tables.AccessVlan(port);
        if (before == vlan && !tables.IsTrunk(port)) return;
        access.Add(Cell(CiscoMib.AccessVlan, port, vlan.Value), before is { } known && tables.IsStatic(port) ? Cell(CiscoMib.AccessVlan, port, known.Value) : null);
    }

    void WriteTrunk(int port, PortVlans vlans)
    {
        var row = tables.Trunk(port)!;
        for (var c = 0; c < VlanBits.Columns; c++)
        {
            if (row.Vlans[c] is not { } before) continue;
            var wanted = Column(vlans, c);
            var name = CiscoMib.TrunkVlans[c].Append((uint)port);
            if (!VlanBits.Read(wanted, c).SequenceEqual(VlanBits.Read(before.AsOctets.ToArray(), c))) trunks.Add(new(name, SnmpValue.Octets(wanted)), new(name, before));
        }
        if (NativeOf(row, vlans) is { } native && native != row.Native) trunks.Add(Cell(CiscoMib.TrunkNative, port, native), Cell(CiscoMib.TrunkNative, port, row.Native!.Value));
        if (row.Encapsulation is { } encapsulation and not CiscoMib.Dot1Q) trunks.Add(Cell(CiscoMib.TrunkEncapsulation, port, CiscoMib.Dot1Q), Cell(CiscoMib.TrunkEncapsulation, port, encapsulation));
        if (row.Mode is { } mode and not (TrunkMode.On or TrunkMode.OnWithoutAsking)) modes.Add(Cell(CiscoMib.TrunkState, port, (int)TrunkMode.On), Cell(CiscoMib.TrunkState, port, (int)mode));
    }

    // Frames without a tag go nowhere when their VLAN is not among those that the trunk carries.
    static int? NativeOf(TrunkRow row, PortVlans vlans) =>
        vlans.Pvid is { } pvid ? pvid.Value : !vlans.Tagged.Any(v => v.Value == row.Native) ? row.Native : vlans.Tagged.Any(v => v.Value == 1) ? null : 1;

    static byte[] Column(PortVlans vlans, int column) => VlanBits.Write(vlans.Untagged.Union(vlans.Tagged).Select(v => v.Value), column);

    static bool HasAny(byte[] octets) => octets.AsSpan().ContainsAnyExcept((byte)0);

    static Varbind Cell(ObjectIdentifier column, int port, int value) => new(column.Append((uint)port), SnmpValue.Integer(value));
}
