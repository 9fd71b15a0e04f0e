using System.Collections.Immutable;
using System.Globalization;
using GridAppliance.Protocols.Snmp;

namespace GridAppliance.Switches.QBridge;

/// <summary>A VLAN of the static or current table.</summary>
/// <param name="Row">Its index in the static table, which is not always its number; null when it is in the current table only.</param>
/// <param name="Name">Empty when it has none.</param>
/// <param name="Egress">Null: not known.</param>
/// <param name="Untagged">Null: not known.</param>
/// <param name="Octets">How long its port lists came.</param>
sealed record QBridgeVlan(uint? Row, string Name, PortList? Egress, PortList? Untagged, int Octets);

/// <summary>
/// What the tables of a Q-BRIDGE switch mean, with the quirks of real ones seen through (<see cref="SwitchQuirks"/>). Pure: from rows to values.
/// </summary>
sealed record QBridgeTables
{
    /// <summary>Bridge port to interface index; null where there is none.</summary>
    public required ImmutableSortedDictionary<int, int?> BasePorts { get; init; }
    public required ImmutableSortedDictionary<VlanId, QBridgeVlan> Vlans { get; init; }
    /// <summary>Bridge port to VLAN; null for a port that has none.</summary>
    public required ImmutableSortedDictionary<int, VlanId?> Pvids { get; init; }
    public required ImmutableSortedSet<SwitchQuirk> Quirks { get; init; }
    public required SwitchSnapshot Snapshot { get; init; }

    public static QBridgeTables From(QBridgeRows rows) => new QBridgeDecoder(rows).Decode();

    /// <summary>Why this switch is not written to; null when it is.</summary>
    public string? WhyNotWritable
    {
        get
        {
            foreach (var quirk in Quirks)
            {
                if (SwitchQuirks.Table[quirk] is { ForbidsWriting: true } row) return row.Symptom;
            }
            if (Vlans.Count == 0) return "it has no VLANs in Q-BRIDGE-MIB";
            // Lists are read, changed and written whole: one that is not known cannot be.
            if (Vlans.FirstOrDefault(v => v.Value.Egress is null) is { Value: not null } unknown) return $"it does not tell which ports are in VLAN {unknown.Key}";
            return Vlans.Values.All(v => v.Row is null) ? "it has no static table of VLANs" : null;
        }
    }
}

/// <summary>One decoding; see <see cref="QBridgeTables.From"/>.</summary>
sealed class QBridgeDecoder(QBridgeRows rows)
{
    readonly SortedSet<SwitchQuirk> quirks = [];

    public QBridgeTables Decode()
    {
        var basePorts = BasePorts();
        var pvids = Pvids();
        var isText = IsText();
        if (isText) quirks.Add(SwitchQuirk.TextPortLists);
        var vlans = Vlans(new(basePorts, pvids), isText);
        JudgeMembership(vlans, pvids, basePorts);
        var ports = Ports(basePorts, pvids, vlans);
        var result = ImmutableSortedSet.CreateRange(quirks);
        return new()
        {
            BasePorts = basePorts,
            Vlans = vlans.ToImmutableSortedDictionary(),
            Pvids = pvids,
            Quirks = result,
            Snapshot = new() { Ports = ports, Vlans = vlans.ToImmutableSortedDictionary(v => v.Key, v => new SwitchVlan(v.Key, v.Value.Name)), Quirks = result },
        };
    }

    ImmutableSortedDictionary<int, int?> BasePorts()
    {
        var found = ImmutableSortedDictionary.CreateBuilder<int, int?>();
        foreach (var row in rows.BasePorts)
        {
            if (row.Name.Below(QBridgeMib.BasePortIfIndex) is not [> 0 and <= PortList.MaximumPort and var port]) continue;
            found[(int)port] = row.Value.TryGetInt32(out var index) && index > 0 ? index : null;
        }
        if (found.Count > 0 && found.Values.All(i => i is null)) quirks.Add(SwitchQuirk.NoInterfaceMap);
        return found.ToImmutable();
    }

    ImmutableSortedDictionary<int, VlanId?> Pvids()
    {
        var found = ImmutableSortedDictionary.CreateBuilder<int, VlanId?>();
        foreach (var row in rows.Pvids)
        {
            if (row.Name.Below(QBridgeMib.Pvid) is not [<= PortList.MaximumPort and var port] || !row.Value.TryGetUInt32(out var vlan)) continue;
            if (port == 0) continue;
            found[(int)port] = VlanId.From(vlan);
            if (vlan == 0) quirks.Add(SwitchQuirk.PvidZero);
            if (vlan > VlanId.Largest) quirks.Add(SwitchQuirk.ReservedVlans);
        }
        return found.ToImmutable();
    }

    // A bitmap may look like text by chance, but not all of a switch's bitmaps, and not with a comma between two numbers.
    bool IsText()
    {
        var lists = Lists().Where(v => !v.AsOctets.IsEmpty).ToList();
        return lists.Count > 0 && lists.All(v => PortList.TryReadText(v.AsOctets, out _))
            && (rows.SysObjectId.StartsWith(QBridgeMib.Juniper) || lists.Any(v => v.AsOctets.Contains((byte)',')));
    }

    IEnumerable<SnmpValue> Lists() =>
        rows.Static.Where(v => v.Name.StartsWith(QBridgeMib.StaticEgress) || v.Name.StartsWith(QBridgeMib.StaticUntagged))
            .Concat(rows.Current.Where(v => v.Name.StartsWith(QBridgeMib.CurrentEgress) || v.Name.StartsWith(QBridgeMib.CurrentUntagged)))
            .Select(v => v.Value);

    SortedDictionary<VlanId, QBridgeVlan> Vlans(KnownPorts known, bool isText)
    {
        var names = StaticColumn(QBridgeMib.StaticName);
        var egress = StaticColumn(QBridgeMib.StaticEgress);
        var untagged = StaticColumn(QBridgeMib.StaticUntagged);
        var numbers = RowNumbers(names);
        var found = new SortedDictionary<VlanId, QBridgeVlan>();
        foreach (var row in names.Keys.Union(egress.Keys).Union(untagged.Keys))
        {
            // Where VLANs are in the names, a row without one is no VLAN's.
            var number = row;
            if (numbers is not null && !numbers.TryGetValue(row, out number)) continue;
            if (VlanId.From(number) is not { } vlan) { quirks.Add(SwitchQuirk.ReservedVlans); continue; }
            var (members, bare, octets) = Membership(egress.GetValueOrDefault(row), untagged.GetValueOrDefault(row), known, isText);
            found[vlan] = new(row, names.GetValueOrDefault(row).AsText, members, bare, octets);
        }
        AddCurrent(found, known, isText);
        return found;
    }

    Dictionary<uint, SnmpValue> StaticColumn(ObjectIdentifier column)
    {
        var found = new Dictionary<uint, SnmpValue>();
        foreach (var row in rows.Static)
        {
            if (row.Name.Below(column) is [var index]) found[index] = row.Value;
        }
        return found;
    }

    // Rows 1, 2, 3 … with names VLAN-5, VLAN-50 …: the numbers in the names are the VLANs. A VLAN that is called VLAN-2 by chance is no such case.
    Dictionary<uint, uint>? RowNumbers(Dictionary<uint, SnmpValue> names)
    {
        const string Prefix = "VLAN-";
        var numbers = new Dictionary<uint, uint>();
        foreach (var (row, name) in names)
        {
            var text = name.AsText;
            if (text.StartsWith(Prefix, StringComparison.Ordinal) && uint.TryParse(text.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var vlan)) numbers[row] = vlan;
            else if (text == "default" && row == 1) numbers[row] = 1;
            else return null;
        }
        var areRows = numbers.Count > 1 && numbers.Keys.Max() == numbers.Count && numbers.Any(n => n.Key != n.Value) && numbers.Values.Distinct().Count() == numbers.Count;
        if (!areRows) return null;
        quirks.Add(SwitchQuirk.RowNumbersForVlans);
        return numbers;
    }

    (PortList? Egress, PortList? Untagged, int Octets) Membership(SnmpValue egress, SnmpValue untagged, KnownPorts known, bool isText)
    {
        // A column that is not there, and not a list that is empty. Without the other one nobody knows who is in the VLAN with a tag.
        if (egress.Syntax != SnmpSyntax.OctetString || untagged.Syntax != SnmpSyntax.OctetString) return (null, null, 0);
        var octets = Math.Max(egress.AsOctets.Length, untagged.AsOctets.Length);
        if (isText)
        {
            _ = PortList.TryReadText(egress.AsOctets, out var all) & PortList.TryReadText(untagged.AsOctets, out var bare);
            if (all.Ports.Any(known.IsBeyondTheBridge)) quirks.Add(SwitchQuirk.PortsBeyondTheBridge);
            return (all, bare, octets);
        }
        var members = new PortList(egress.AsOctets);
        var without = new PortList(untagged.AsOctets);
        if (members.Ports.Concat(without.Ports).Any(known.IsUnheardOf))
        {
            quirks.Add(SwitchQuirk.NonsensePortLists);
            return (null, null, octets);
        }
        if (members.Ports.Any(known.IsBeyondTheBridge)) quirks.Add(SwitchQuirk.PortsBeyondTheBridge);
        if (octets * 8 < known.Last) quirks.Add(SwitchQuirk.ShortPortLists);
        return (members, without, octets);
    }

    /// <summary>The ports that the switch speaks of elsewhere: a list that names others is none.</summary>
    readonly record struct KnownPorts(ImmutableSortedDictionary<int, int?> Bridge, ImmutableSortedDictionary<int, VlanId?> Pvids)
    {
        public int Last => Bridge.IsEmpty ? 0 : Bridge.Keys.Last();

        public bool IsBeyondTheBridge(int port) => !Bridge.IsEmpty && !Bridge.ContainsKey(port);

        public bool IsUnheardOf(int port) => IsBeyondTheBridge(port) && !Pvids.ContainsKey(port);
    }

    void AddCurrent(SortedDictionary<VlanId, QBridgeVlan> found, KnownPorts ports, bool isText)
    {
        var latest = LatestRows();
        if (latest.Count == 0 && found.Count > 0) quirks.Add(SwitchQuirk.NoCurrentTable);
        var hasStaticLists = found.Values.Any(v => v.Octets > 0 || v.Egress is not null);
        foreach (var (number, (egress, untagged)) in latest)
        {
            if (VlanId.From(number) is not { } vlan) { quirks.Add(SwitchQuirk.ReservedVlans); continue; }
            var known = found.GetValueOrDefault(vlan);
            // What is configured counts; what is up just now only where there is nothing else. A static list that is nonsense is not made good by it.
            if (known is { Egress: not null } || (known is { Octets: > 0 })) continue;
            var (members, bare, octets) = Membership(egress, untagged, ports, isText);
            if (known is not null && !hasStaticLists) quirks.Add(SwitchQuirk.NoStaticMembership);
            found[vlan] = new(known?.Row, known?.Name ?? "", members, bare, octets);
        }
    }

    // TimeFilter (RFC 2021): a VLAN has a row for every time since which it has changed.
    Dictionary<uint, (SnmpValue Egress, SnmpValue Untagged)> LatestRows()
    {
        var latest = new Dictionary<uint, (uint Mark, SnmpValue Egress, SnmpValue Untagged)>();
        var hasTimeMarks = false;
        foreach (var row in rows.Current)
        {
            var isEgress = row.Name.StartsWith(QBridgeMib.CurrentEgress);
            if (!TryReadTimed(row.Name.Below(isEgress ? QBridgeMib.CurrentEgress : QBridgeMib.CurrentUntagged), out var mark, out var vlan)) continue;
            var has = latest.TryGetValue(vlan, out var known);
            hasTimeMarks |= mark > 0;
            if (has && mark != known.Mark) quirks.Add(SwitchQuirk.CurrentTableIsHistory);
            if (has && mark < known.Mark) continue;
            if (!has || mark > known.Mark) known = (mark, default, default);
            latest[vlan] = isEgress ? known with { Egress = row.Value } : known with { Untagged = row.Value };
        }
        if (latest.Count > 0 && !hasTimeMarks) quirks.Add(SwitchQuirk.NoTimeMarks);
        return latest.ToDictionary(v => v.Key, v => (v.Value.Egress, v.Value.Untagged));
    }

    /// <summary>Index of a row of the current table; agents that do not know of time marks leave them out.</summary>
    public static bool TryReadTimed(ReadOnlySpan<uint> index, out uint mark, out uint vlan)
    {
        mark = index.Length == 2 ? index[0] : 0;
        vlan = index.Length is 1 or 2 ? index[^1] : 0;
        return index.Length is 1 or 2;
    }

    void JudgeMembership(SortedDictionary<VlanId, QBridgeVlan> vlans, ImmutableSortedDictionary<int, VlanId?> pvids, ImmutableSortedDictionary<int, int?> basePorts)
    {
        if (vlans.Count == 0 || basePorts.Count == 0) return;
        var known = vlans.Values.Where(v => v.Egress is not null).ToList();
        if (known.Count == 0 && !quirks.Contains(SwitchQuirk.NonsensePortLists)) quirks.Add(SwitchQuirk.NoMembership);
        if (known.Count == 0 || known.Any(v => !v.Egress!.Value.IsEmpty) || !pvids.Values.Any(v => v is not null)) return;
        quirks.Add(SwitchQuirk.EmptyPortLists);
        foreach (var vlan in vlans.Keys.ToList()) vlans[vlan] = vlans[vlan] with { Egress = null, Untagged = null };
    }

    ImmutableSortedDictionary<int, SwitchPort> Ports(ImmutableSortedDictionary<int, int?> basePorts, ImmutableSortedDictionary<int, VlanId?> pvids, SortedDictionary<VlanId, QBridgeVlan> vlans)
    {
        var names = ByInterface(QBridgeMib.InterfaceName, rows.InterfaceNames);
        var descriptions = ByInterface(QBridgeMib.InterfaceDescription, rows.InterfaceDescriptions);
        var aliases = ByInterface(QBridgeMib.InterfaceAlias, rows.InterfaceAliases);
        var admin = ByInterface(QBridgeMib.InterfaceAdminStatus, rows.InterfaceAdminStatus);
        var oper = ByInterface(QBridgeMib.InterfaceOperStatus, rows.InterfaceOperStatus);
        // Ports that only a PVID speaks of are not in the bridge's own table.
        if (basePorts.Count > 0 && pvids.Keys.Any(p => !basePorts.ContainsKey(p))) quirks.Add(SwitchQuirk.PortsBeyondTheBridge);
        return basePorts.Keys.Union(pvids.Keys).ToImmutableSortedDictionary(port => port, port =>
        {
            var index = basePorts.GetValueOrDefault(port);
            return new SwitchPort
            {
                Number = port,
                IfIndex = index,
                Name = Text(names, index) ?? Text(descriptions, index) ?? $"port {port}",
                Description = Text(aliases, index) ?? "",
                IsEnabled = Status(admin, index),
                HasLink = Status(oper, index),
                Vlans = VlansOf(port, pvids.GetValueOrDefault(port), vlans),
            };
        });
    }

    static PortVlans VlansOf(int port, VlanId? pvid, SortedDictionary<VlanId, QBridgeVlan> vlans)
    {
        // One list that is not known may hold the port as well.
        if (vlans.Count == 0 || vlans.Values.Any(v => v.Egress is null)) return PortVlans.Unknown with { Pvid = pvid };
        var member = vlans.Where(v => v.Value.Egress!.Value.Contains(port)).ToList();
        return new()
        {
            Untagged = [.. member.Where(v => v.Value.Untagged!.Value.Contains(port)).Select(v => v.Key)],
            Tagged = [.. member.Where(v => !v.Value.Untagged!.Value.Contains(port)).Select(v => v.Key)],
            Pvid = pvid,
        };
    }

    static Dictionary<int, SnmpValue> ByInterface(ObjectIdentifier column, IReadOnlyList<Varbind> cells)
    {
        var found = new Dictionary<int, SnmpValue>();
        foreach (var cell in cells)
        {
            if (cell.Name.Below(column) is [<= int.MaxValue and var index]) found[(int)index] = cell.Value;
        }
        return found;
    }

    static string? Text(Dictionary<int, SnmpValue> cells, int? index) =>
        index is { } i && cells.TryGetValue(i, out var value) && value.AsText.Trim('\0', ' ') is { Length: > 0 } text ? text : null;

    // up(1), everything else is not.
    static bool? Status(Dictionary<int, SnmpValue> cells, int? index) =>
        index is { } i && cells.TryGetValue(i, out var value) && value.TryGetInt32(out var status) ? status == 1 : null;
}
