using System.Collections.Immutable;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Protocols.Snmp;
using GridAppliance.San.Mds;

namespace GridAppliance.Tests.San;

sealed record AgentZone(string Name, ImmutableSortedDictionary<uint, byte[]> Members);

sealed record AgentZoneSet(string Name, PortList Zones);

/// <summary>What a zoning switch holds for one VSAN.</summary>
sealed record ZoneModel
{
    public ImmutableSortedDictionary<uint, AgentZone> Zones { get; init; } = ImmutableSortedDictionary<uint, AgentZone>.Empty;
    public ImmutableSortedDictionary<uint, AgentZoneSet> Sets { get; init; } = ImmutableSortedDictionary<uint, AgentZoneSet>.Empty;
    public bool CanActivate { get; init; }
    public int Result { get; init; } = 6;
    public int Cause { get; init; } = 1;
    /// <summary>The clone that is in force: the set's name, and its zones as they were.</summary>
    public (string Name, ImmutableSortedDictionary<string, ImmutableSortedSet<string>> Zones)? InForce { get; init; }
    /// <summary>What the other switches of the fabric have written down: names of zones.</summary>
    public ImmutableSortedSet<string> Distributed { get; init; } = [];
    /// <summary>zoneZoneSetDistributeResult; null: a release without it.</summary>
    public int? DistributeResult { get; init; } = 1;
    public int DefaultZone { get; init; } = 2;
    /// <summary>czseOperationMode; null: an agent without that MIB.</summary>
    public int? Mode { get; init; } = 1;

    public ZoneModel Activated(uint set) => this with
    {
        Result = 1,
        Cause = 1,
        InForce = (Sets[set].Name, Sets[set].Zones.Ports.Select(i => Zones[(uint)i]).ToImmutableSortedDictionary(z => z.Name, z => z.Members.Values.Select(m => Convert.ToHexStringLower(m)).ToImmutableSortedSet())),
    };
}

/// <summary>CISCO-ZS-MIB's rules, as its text has them: names unique within the VSAN and set with the row, members whole or not at all, an activation only where a row was made for it. A PDU is done wholly or not at all.</summary>
sealed class ZoneTree(uint vsan) : IManagedTree
{
    Varbind[] rows = [];

    public ZoneModel Model { get; set; } = new();

    /// <summary>What the next activation fails of (FcChangeProtoFailCause).</summary>
    public int? FailNext { get; set; }

    /// <summary>The next distribution fails.</summary>
    public bool FailNextDistribution { get; set; }

    /// <summary>A release that has no tables of the zones in force.</summary>
    public bool TellsNoZonesInForce { get; set; }

    /// <summary>What is put in force in place of what was asked for: a switch that says yes and does something else.</summary>
    public Func<ZoneModel, ZoneModel>? Twist { get; set; }

    /// <summary>Objects that the agent refuses with genErr.</summary>
    public Func<Varbind, bool>? Refuses { get; set; }

    public ValueTask RefreshAsync(CancellationToken cancellationToken)
    {
        rows = [.. Rows().OrderBy(r => r.Name)];
        return ValueTask.CompletedTask;
    }

    IEnumerable<Varbind> Rows()
    {
        yield return new(ZoneServerMib.DefaultZoneBehaviour.Append(vsan), SnmpValue.Integer(Model.DefaultZone));
        if (Model.Mode is { } mode) yield return new(ZoneServerMib.OperationMode.Append(vsan), SnmpValue.Integer(mode));
        foreach (var (index, set) in Model.Sets)
        {
            yield return new(ZoneServerMib.ZoneSetName.Append(vsan, index), SnmpValue.Text(set.Name));
            yield return new(ZoneServerMib.ZoneSetZones.Append(vsan, index), SnmpValue.Octets(set.Zones.Octets));
            yield return new(ZoneServerMib.ZoneSetStatus.Append(vsan, index), SnmpValue.Integer(1));
        }
        if (Model.CanActivate)
        {
            yield return new(ZoneServerMib.Activate.Append(vsan), SnmpValue.Gauge(0));
            yield return new(ZoneServerMib.ActivateStatus.Append(vsan), SnmpValue.Integer(1));
            yield return new(ZoneServerMib.ActivateResult.Append(vsan), SnmpValue.Integer(Model.Result));
            yield return new(ZoneServerMib.ActivateFailure.Append(vsan), SnmpValue.Integer(Model.Cause));
        }
        foreach (var (index, zone) in Model.Zones)
        {
            yield return new(ZoneServerMib.ZoneName.Append(vsan, index), SnmpValue.Text(zone.Name));
            yield return new(ZoneServerMib.ZoneStatus.Append(vsan, index), SnmpValue.Integer(1));
            foreach (var (member, id) in zone.Members)
            {
                yield return new(ZoneServerMib.MemberFormat.Append(vsan, 1, index, member), SnmpValue.Integer(id.Length == 8 ? 1 : 3));
                yield return new(ZoneServerMib.MemberId.Append(vsan, 1, index, member), SnmpValue.Octets(id));
                yield return new(ZoneServerMib.MemberStatus.Append(vsan, 1, index, member), SnmpValue.Integer(1));
            }
        }
        foreach (var row in RowsInForce()) yield return row;
        if (Model.DistributeResult is not { } distributed) yield break;
        yield return new(ZoneServerMib.DistributeResult, SnmpValue.Integer(distributed));
        yield return new(ZoneServerMib.DistributeFailure, SnmpValue.Integer(distributed == 2 ? 9 : 1));
    }

    // The clone is its own: rows are numbered otherwise than those that it was made from.
    IEnumerable<Varbind> RowsInForce()
    {
        if (Model.InForce is not { } inForce) yield break;
        yield return new(ZoneServerMib.EnforcedSetName.Append(vsan), SnmpValue.Text(inForce.Name));
        if (TellsNoZonesInForce) yield break;
        foreach (var (i, (name, members)) in inForce.Zones.Index())
        {
            var zone = (uint)i + 500;
            yield return new(ZoneServerMib.EnforcedZoneName.Append(vsan, zone), SnmpValue.Text(name));
            foreach (var (member, id) in members.Index())
            {
                yield return new(ZoneServerMib.EnforcedMemberFormat.Append(vsan, 1, zone, (uint)member + 1), SnmpValue.Integer(1));
                yield return new(ZoneServerMib.EnforcedMemberId.Append(vsan, 1, zone, (uint)member + 1), SnmpValue.Octets(Convert.FromHexString(id)));
            }
        }
    }

    public SnmpValue Get(ObjectIdentifier name) => rows.FirstOrDefault(r => r.Name == name) is { Name.Length: > 0 } row ? row.Value : SnmpValue.NoSuchInstance;

    public Varbind? Next(ObjectIdentifier name) => rows.FirstOrDefault(r => r.Name > name) is { Name.Length: > 0 } row ? row : null;

    public ValueTask<SetVerdict> SetAsync(ImmutableArray<Varbind> varbinds, CancellationToken cancellationToken) => ValueTask.FromResult(Set(varbinds));

    SetVerdict Set(ImmutableArray<Varbind> varbinds)
    {
        var draft = Model;
        for (var i = 0; i < varbinds.Length; i++)
        {
            if (Refuses?.Invoke(varbinds[i]) == true) return new(SnmpErrorStatus.GeneralError, i + 1);
            var status = Change(ref draft, varbinds[i], varbinds);
            if (status != SnmpErrorStatus.None) return new(status, i + 1);
        }
        Model = draft;
        return SetVerdict.Done;
    }

    SnmpErrorStatus Change(ref ZoneModel draft, Varbind varbind, ImmutableArray<Varbind> all)
    {
        var (name, value) = varbind;
        if (name.Below(ZoneServerMib.ZoneStatus) is [_, var zone]) return ChangeZone(ref draft, zone, value, all);
        if (name.Below(ZoneServerMib.MemberStatus) is [_, 1, var parent, var member]) return ChangeMember(ref draft, parent, member, value, all);
        if (name.Below(ZoneServerMib.ZoneSetStatus) is [_, var set]) return ChangeSet(ref draft, set, value, all);
        if (name.Below(ZoneServerMib.ZoneSetZones) is [_, var listed])
        {
            var list = new PortList(value.AsOctets);
            var zones = draft.Zones;
            // With the row that is made in the same PDU it is taken there.
            if (!draft.Sets.TryGetValue(listed, out var known)) return all.Any(v => v.Name.StartsWith(ZoneServerMib.ZoneSetStatus)) ? SnmpErrorStatus.None : SnmpErrorStatus.InconsistentName;
            if (list.Ports.Any(p => !zones.ContainsKey((uint)p))) return SnmpErrorStatus.InconsistentValue;
            draft = draft with { Sets = draft.Sets.SetItem(listed, known with { Zones = list }) };
            return SnmpErrorStatus.None;
        }
        if (name == ZoneServerMib.ActivateStatus.Append(vsan))
        {
            if (draft.CanActivate) return SnmpErrorStatus.InconsistentValue;
            draft = draft with { CanActivate = true };
            return SnmpErrorStatus.None;
        }
        if (name == ZoneServerMib.Activate.Append(vsan)) return Activate(ref draft, value);
        if (name == ZoneServerMib.Deactivate.Append(vsan)) return Deactivate(ref draft);
        if (name == ZoneServerMib.Distribute) return Distribute(ref draft, value);
        // Columns that are read with the row that is made in the same PDU.
        return name.StartsWith(ZoneServerMib.ZoneName) || name.StartsWith(ZoneServerMib.ZoneSetName) || name.StartsWith(ZoneServerMib.MemberFormat) || name.StartsWith(ZoneServerMib.MemberId) ? SnmpErrorStatus.None : SnmpErrorStatus.NotWritable;
    }

    SnmpErrorStatus ChangeZone(ref ZoneModel draft, uint zone, SnmpValue value, ImmutableArray<Varbind> all)
    {
        if (value.TryGetInt32(out var status) && status == RowStatus.Destroy)
        {
            draft = draft with { Zones = draft.Zones.Remove(zone), Sets = draft.Sets.ToImmutableSortedDictionary(s => s.Key, s => s.Value with { Zones = s.Value.Zones.Without((int)zone) }) };
            return SnmpErrorStatus.None;
        }
        var name = Find(all, ZoneServerMib.ZoneName.Append(vsan, zone))?.AsText;
        if (status != RowStatus.CreateAndGo || draft.Zones.ContainsKey(zone) || name is null || draft.Zones.Values.Any(z => z.Name == name)) return SnmpErrorStatus.InconsistentValue;
        draft = draft with { Zones = draft.Zones.Add(zone, new(name, ImmutableSortedDictionary<uint, byte[]>.Empty)) };
        return SnmpErrorStatus.None;
    }

    SnmpErrorStatus ChangeMember(ref ZoneModel draft, uint parent, uint member, SnmpValue value, ImmutableArray<Varbind> all)
    {
        if (!draft.Zones.TryGetValue(parent, out var zone)) return SnmpErrorStatus.InconsistentName;
        if (value.TryGetInt32(out var status) && status == RowStatus.Destroy)
        {
            draft = draft with { Zones = draft.Zones.SetItem(parent, zone with { Members = zone.Members.Remove(member) }) };
            return SnmpErrorStatus.None;
        }
        var id = Find(all, ZoneServerMib.MemberId.Append(vsan, 1, parent, member)) is { } octets ? octets.AsOctets.ToArray() : null;
        var hasFormat = Find(all, ZoneServerMib.MemberFormat.Append(vsan, 1, parent, member)) is { } format && format.TryGetInt32(out var kind) && kind == 1;
        if (status != RowStatus.CreateAndGo || zone.Members.ContainsKey(member) || !hasFormat || id is not { Length: 8 }) return SnmpErrorStatus.InconsistentValue;
        draft = draft with { Zones = draft.Zones.SetItem(parent, zone with { Members = zone.Members.Add(member, id) }) };
        return SnmpErrorStatus.None;
    }

    SnmpErrorStatus ChangeSet(ref ZoneModel draft, uint set, SnmpValue value, ImmutableArray<Varbind> all)
    {
        if (value.TryGetInt32(out var status) && status == RowStatus.Destroy)
        {
            draft = draft with { Sets = draft.Sets.Remove(set) };
            return SnmpErrorStatus.None;
        }
        var name = Find(all, ZoneServerMib.ZoneSetName.Append(vsan, set))?.AsText;
        if (status != RowStatus.CreateAndGo || draft.Sets.ContainsKey(set) || name is null || draft.Sets.Values.Any(s => s.Name == name)) return SnmpErrorStatus.InconsistentValue;
        draft = draft with { Sets = draft.Sets.Add(set, new(name, new((Find(all, ZoneServerMib.ZoneSetZones.Append(vsan, set)) ?? SnmpValue.Null).AsOctets))) };
        return SnmpErrorStatus.None;
    }

    SnmpErrorStatus Activate(ref ZoneModel draft, SnmpValue value)
    {
        if (!draft.CanActivate) return SnmpErrorStatus.InconsistentName;
        if (!value.TryGetUInt32(out var set) || !draft.Sets.TryGetValue(set, out var asked)) return SnmpErrorStatus.WrongValue;
        // A set without zones cannot be in force.
        if (asked.Zones.IsEmpty) FailNext ??= 11;
        draft = FailNext is { } cause ? draft with { Result = 2, Cause = cause } : draft.Activated(set);
        if (Twist is { } twist) draft = twist(draft);
        (FailNext, Twist) = (null, null);
        return SnmpErrorStatus.None;
    }

    SnmpErrorStatus Deactivate(ref ZoneModel draft)
    {
        if (!draft.CanActivate) return SnmpErrorStatus.InconsistentName;
        var cause = FailNext ?? (draft.InForce is null ? 17 : null);
        draft = cause is { } known ? draft with { Result = 4, Cause = known } : draft with { Result = 3, Cause = 1, InForce = null };
        FailNext = null;
        return SnmpErrorStatus.None;
    }

    SnmpErrorStatus Distribute(ref ZoneModel draft, SnmpValue value)
    {
        if (draft.DistributeResult is null) return SnmpErrorStatus.NoCreation;
        if (!value.TryGetInt32(out var which) || which != vsan) return SnmpErrorStatus.WrongValue;
        draft = FailNextDistribution ? draft with { DistributeResult = 2 } : draft with { DistributeResult = 1, Distributed = [.. draft.Zones.Values.Select(z => z.Name)] };
        FailNextDistribution = false;
        return SnmpErrorStatus.None;
    }

    static SnmpValue? Find(ImmutableArray<Varbind> all, ObjectIdentifier name)
    {
        foreach (var varbind in all)
        {
            if (varbind.Name == name) return varbind.Value;
        }
        return null;
    }
}
