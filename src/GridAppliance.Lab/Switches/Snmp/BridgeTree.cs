using System.Collections.Immutable;
using GridAppliance.Protocols.Snmp;

namespace GridAppliance.Lab.Switches.Snmp;

/// <summary>The managed objects of a switch, with the rules that RFC 4363 and RFC 2579 have for writing them. A PDU is judged as a whole, and done wholly or not at all.</summary>
sealed class BridgeTree(IBridgeBackend backend, string name, TimeProvider clock) : IManagedTree
{
    readonly long started = clock.GetTimestamp();
    BridgeModel? model;
    VlanTimes changes = VlanTimes.None;
    Varbind[] rows = [];

    uint UpTime => (uint)(clock.GetElapsedTime(started).TotalSeconds * 100);

    public async ValueTask RefreshAsync(CancellationToken cancellationToken)
    {
        var now = await backend.ReadAsync(cancellationToken);
        if (ReferenceEquals(now, model)) return;
        changes = changes.Next(model, now, UpTime);
        model = now;
        rows = [.. BridgeRows.Of(now, name, changes, UpTime).OrderBy(r => r.Name)];
    }

    public SnmpValue Get(ObjectIdentifier name)
    {
        var at = IndexOf(Timed(name));
        if (at >= 0) return Live(rows[at]).Value;
        var column = name.Length > 1 ? new ObjectIdentifier(name.Parts[..^1]) : name;
        return ~at < rows.Length && rows[~at].Name.StartsWith(column) ? SnmpValue.NoSuchInstance : SnmpValue.NoSuchObject;
    }

    public Varbind? Next(ObjectIdentifier name)
    {
        var at = IndexOf(name);
        at = at >= 0 ? at + 1 : ~at;
        return at < rows.Length ? Live(rows[at]) : null;
    }

    // It goes on while nothing changes.
    Varbind Live(Varbind row) => row.Name == BridgeRows.UpTime ? row with { Value = SnmpValue.TimeTicks(UpTime) } : row;

    // TimeFilter (RFC 4502, section 3): a row is there for every time up to its last change. Told by name it is found by any of them; in a walk it comes once, under the last, or walks would not end.
    ObjectIdentifier Timed(ObjectIdentifier name) =>
        name.Below(BridgeRows.Current) is [var column, var since, <= int.MaxValue and var vlan] && model!.Vlans.ContainsKey((int)vlan) && changes.Since((int)vlan) is var last && since <= last ? BridgeRows.Current.Append(column, last, vlan) : name;

    public async ValueTask<SetVerdict> SetAsync(ImmutableArray<Varbind> varbinds, CancellationToken cancellationToken)
    {
        var draft = model!;
        // Rows that are made must be there before their columns are set, in whichever order the PDU has them.
        foreach (var pass in new[] { true, false })
        {
            for (var i = 0; i < varbinds.Length; i++)
            {
                if (IsCreation(varbinds[i]) != pass) continue;
                var status = Change(ref draft, varbinds[i]);
                if (status != SnmpErrorStatus.None) return new(status, i + 1);
            }
        }
        if (Culprit(draft, varbinds) is { } culprit) return new(SnmpErrorStatus.InconsistentValue, culprit);
        if (!await backend.ApplyAsync(draft, cancellationToken)) return new(SnmpErrorStatus.CommitFailed, 0);
        await RefreshAsync(cancellationToken);
        return SetVerdict.Done;
    }

    static bool IsCreation(Varbind varbind) => varbind.Name.StartsWith(BridgeRows.StaticStatus) && varbind.Value.TryGetInt32(out var value) && value == RowStatus.CreateAndGo;

    static SnmpErrorStatus Change(ref BridgeModel draft, Varbind varbind)
    {
        var (name, value) = varbind;
        if (name == BridgeRows.Contact) return SetContact(ref draft, value);
        if (name.Below(BridgeRows.Pvid) is [var port]) return SetPvid(ref draft, (int)port, value);
        if (name.Below(BridgeRows.IfAlias) is [var alias]) return SetPort(ref draft, alias, value, SnmpSyntax.OctetString, (p, v) => p with { Alias = v.AsText });
        if (name.Below(BridgeRows.IfAdminStatus) is [var admin])
        {
            if (value.TryGetInt32(out var wanted) && wanted is not (1 or 2)) return SnmpErrorStatus.WrongValue;
            return SetPort(ref draft, admin, value, SnmpSyntax.Integer32, (p, v) => p with { IsEnabled = v.TryGetInt32(out var up) && up == 1 });
        }
        if (name.Below(BridgeRows.StaticStatus) is [var row]) return SetRowStatus(ref draft, (int)row, value);
        if (name.Below(BridgeRows.StaticName) is [var named]) return SetVlan(ref draft, (int)named, value, 32, (v, text) => v with { Name = text.AsText });
        if (name.Below(BridgeRows.StaticEgress) is [var egress]) return SetList(ref draft, (int)egress, value, (v, list) => v with { Egress = list });
        if (name.Below(BridgeRows.StaticUntagged) is [var untagged]) return SetList(ref draft, (int)untagged, value, (v, list) => v with { Untagged = list });
        return SnmpErrorStatus.NotWritable;
    }

    static SnmpErrorStatus SetContact(ref BridgeModel draft, SnmpValue value)
    {
        if (value.Syntax != SnmpSyntax.OctetString) return SnmpErrorStatus.WrongType;
        if (value.AsOctets.Length > 255) return SnmpErrorStatus.WrongLength;
        draft = draft with { Contact = value.AsText };
        return SnmpErrorStatus.None;
    }

    static SnmpErrorStatus SetPvid(ref BridgeModel draft, int number, SnmpValue value)
    {
        if (!draft.Ports.TryGetValue(number, out var port)) return SnmpErrorStatus.NoCreation;
        if (value.Syntax is not (SnmpSyntax.Gauge32 or SnmpSyntax.Integer32) || !value.TryGetInt32(out var vlan)) return SnmpErrorStatus.WrongType;
        if (vlan is < 1 or > 4094) return SnmpErrorStatus.WrongValue;
        draft = draft with { Ports = draft.Ports.SetItem(number, port with { Pvid = vlan }) };
        return SnmpErrorStatus.None;
    }

    static SnmpErrorStatus SetPort(ref BridgeModel draft, uint index, SnmpValue value, SnmpSyntax syntax, Func<BridgePort, SnmpValue, BridgePort> change)
    {
        if (draft.Ports.Values.FirstOrDefault(p => p.IfIndex == index) is not { } port) return SnmpErrorStatus.NoCreation;
        if (value.Syntax != syntax) return SnmpErrorStatus.WrongType;
        if (value.AsOctets.Length > 64) return SnmpErrorStatus.WrongLength;
        draft = draft with { Ports = draft.Ports.SetItem(port.Number, change(port, value)) };
        return SnmpErrorStatus.None;
    }

    static SnmpErrorStatus SetRowStatus(ref BridgeModel draft, int vlan, SnmpValue value)
    {
        if (value.Syntax != SnmpSyntax.Integer32 || !value.TryGetInt32(out var status)) return SnmpErrorStatus.WrongType;
        if (vlan is < 1 or > 4094) return SnmpErrorStatus.NoCreation;
        var isThere = draft.Vlans.ContainsKey(vlan);
        switch (status)
        {
            case RowStatus.CreateAndGo when !isThere:
                draft = draft with { Vlans = draft.Vlans.Add(vlan, BridgeVlan.Empty) };
                return SnmpErrorStatus.None;
            case RowStatus.Destroy:
                draft = draft with { Vlans = draft.Vlans.Remove(vlan) };
                return SnmpErrorStatus.None;
            case RowStatus.Active when isThere: return SnmpErrorStatus.None;
            case RowStatus.CreateAndGo or RowStatus.Active: return SnmpErrorStatus.InconsistentValue;
            default: return SnmpErrorStatus.WrongValue;
        }
    }

    static SnmpErrorStatus SetVlan(ref BridgeModel draft, int vlan, SnmpValue value, int longest, Func<BridgeVlan, SnmpValue, BridgeVlan> change)
    {
        if (!draft.Vlans.TryGetValue(vlan, out var row)) return SnmpErrorStatus.InconsistentName;
        if (value.Syntax != SnmpSyntax.OctetString) return SnmpErrorStatus.WrongType;
        if (value.AsOctets.Length > longest) return SnmpErrorStatus.WrongLength;
        draft = draft with { Vlans = draft.Vlans.SetItem(vlan, change(row, value)) };
        return SnmpErrorStatus.None;
    }

    static SnmpErrorStatus SetList(ref BridgeModel draft, int vlan, SnmpValue value, Func<BridgeVlan, PortList, BridgeVlan> change)
    {
        var ports = draft.Ports;
        if (value.Syntax == SnmpSyntax.OctetString && new PortList(value.AsOctets).Ports.Any(p => !ports.ContainsKey(p))) return SnmpErrorStatus.WrongValue;
        return SetVlan(ref draft, vlan, value, 512, (row, list) => change(row, new(list.AsOctets)));
    }

    // What must hold when all of the PDU is done. Gives the variable to blame, from 1.
    static int? Culprit(BridgeModel draft, ImmutableArray<Varbind> varbinds)
    {
        foreach (var (vlan, row) in draft.Vlans)
        {
            if (row.Untagged.Ports.All(row.Egress.Contains)) continue;
            return First(varbinds, v => v.Name.Below(BridgeRows.StaticUntagged) is [var id] && id == vlan) ?? First(varbinds, v => v.Name.Below(BridgeRows.StaticEgress) is [var id] && id == vlan) ?? 1;
        }
        foreach (var port in draft.Ports.Values)
        {
            if (draft.Vlans.ContainsKey(port.Pvid)) continue;
            return First(varbinds, v => v.Name.Below(BridgeRows.Pvid) is [var id] && id == port.Number) ?? First(varbinds, v => v.Name.Below(BridgeRows.StaticStatus) is [var id] && id == port.Pvid) ?? 1;
        }
        return null;
    }

    static int? First(ImmutableArray<Varbind> varbinds, Func<Varbind, bool> isIt)
    {
        for (var i = 0; i < varbinds.Length; i++)
        {
            if (isIt(varbinds[i])) return i + 1;
        }
        return null;
    }

    int IndexOf(ObjectIdentifier name) => Array.BinarySearch(rows, new Varbind(name), RowOrder.Instance);

    sealed class RowOrder : IComparer<Varbind>
    {
        public static RowOrder Instance { get; } = new();

        public int Compare(Varbind x, Varbind y) => x.Name.CompareTo(y.Name);
    }
}
