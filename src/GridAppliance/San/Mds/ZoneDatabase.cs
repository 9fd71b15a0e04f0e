using System.Collections.Immutable;
using GridAppliance.Protocols.Snmp;

namespace GridAppliance.San.Mds;

/// <summary>A zone as it is written down on the switch.</summary>
/// <param name="Members">By index; null for one that is not named by its port.</param>
sealed record MdsZone(uint Index, string Name, ImmutableSortedDictionary<uint, Wwn?> Members);

/// <summary>The columns of a zone table and of its members: of what is written down, or of what is in force.</summary>
sealed record ZoneRows(IReadOnlyList<Varbind> Names, IReadOnlyList<Varbind> MemberFormats, IReadOnlyList<Varbind> MemberIds);

sealed record MdsZoneSet(uint Index, string Name, PortList Zones);

/// <summary>The zoning of one VSAN as a Cisco MDS has it. Pure: from rows to values.</summary>
sealed record ZoneDatabase
{
    public required ImmutableSortedDictionary<uint, MdsZone> Zones { get; init; }
    public required ImmutableSortedDictionary<uint, MdsZoneSet> Sets { get; init; }
    /// <summary>The name of the zone set in force; null when none is.</summary>
    public string? Enforced { get; init; }
    /// <summary>The zones in force, which are those of the set as it was when it was activated; empty where a switch does not tell them.</summary>
    public required ImmutableSortedDictionary<uint, MdsZone> EnforcedZones { get; init; }
    /// <summary>Whoever is in no zone can reach everybody else who is in none.</summary>
    public bool DefaultPermits { get; init; }

    public MdsZone? Zone(string name) => Zones.Values.FirstOrDefault(z => z.Name == name);

    public MdsZoneSet? Set(string name) => Sets.Values.FirstOrDefault(s => s.Name == name);

    /// <summary>Whether a zone is in force with just these members, or with none, which is not at all. Not so where a set is in force and the switch does not tell its zones.</summary>
    public bool IsInForce(string name, IReadOnlySet<Wwn> members)
    {
        if (Enforced is not null && EnforcedZones.IsEmpty) return false;
        var zone = EnforcedZones.Values.FirstOrDefault(z => z.Name == name);
        return zone is null ? members.Count == 0 : members.Count > 0 && zone.Members.Values.All(m => m is { } wwn && members.Contains(wwn)) && members.All(m => zone.Members.ContainsValue(m));
    }

    public static ZoneDatabase Read(uint vsan, ZoneRows written, ZoneRows inForce, IReadOnlyList<Varbind> setNames, IReadOnlyList<Varbind> setZones, SnmpValue enforced, SnmpValue defaultZone)
    {
        var lists = Rows(vsan, ZoneServerMib.ZoneSetZones, setZones).ToDictionary(r => r.Index, r => new PortList(r.Value.AsOctets));
        return new()
        {
            Zones = ReadZones(vsan, written, ZoneServerMib.ZoneName, ZoneServerMib.MemberFormat, ZoneServerMib.MemberId),
            EnforcedZones = ReadZones(vsan, inForce, ZoneServerMib.EnforcedZoneName, ZoneServerMib.EnforcedMemberFormat, ZoneServerMib.EnforcedMemberId),
            Sets = Rows(vsan, ZoneServerMib.ZoneSetName, setNames).ToImmutableSortedDictionary(r => r.Index, r => new MdsZoneSet(r.Index, r.Value.AsText, lists.GetValueOrDefault(r.Index))),
            Enforced = enforced.IsException || enforced.AsOctets.IsEmpty ? null : enforced.AsText,
            DefaultPermits = defaultZone.TryGetInt32(out var behaviour) && behaviour == 1,
        };
    }

    static ImmutableSortedDictionary<uint, MdsZone> ReadZones(uint vsan, ZoneRows rows, ObjectIdentifier names, ObjectIdentifier formatColumn, ObjectIdentifier idColumn)
    {
        var formats = Members(vsan, formatColumn, rows.MemberFormats);
        var ids = Members(vsan, idColumn, rows.MemberIds);
        return Rows(vsan, names, rows.Names).ToImmutableSortedDictionary(r => r.Index, r => new MdsZone(r.Index, r.Value.AsText, ids.Where(m => m.Key.Zone == r.Index).ToImmutableSortedDictionary(m => m.Key.Member, m =>
            formats.GetValueOrDefault(m.Key).TryGetInt32(out var format) && format == ZoneServerMib.PortName && m.Value.AsOctets.Length == Wwn.Length ? Wwn.Read(m.Value.AsOctets) : (Wwn?)null)));
    }

    static IEnumerable<(uint Index, SnmpValue Value)> Rows(uint vsan, ObjectIdentifier column, IReadOnlyList<Varbind> cells)
    {
        foreach (var cell in cells)
        {
            if (cell.Name.Below(column) is [var v, var index] && v == vsan) yield return (index, cell.Value);
        }
    }

    static Dictionary<(uint Zone, uint Member), SnmpValue> Members(uint vsan, ObjectIdentifier column, IReadOnlyList<Varbind> cells)
    {
        var found = new Dictionary<(uint, uint), SnmpValue>();
        foreach (var cell in cells)
        {
            if (cell.Name.Below(column) is [var v, ZoneServerMib.OfZone, var zone, var member] && v == vsan) found[(zone, member)] = cell.Value;
        }
        return found;
    }

    /// <summary>The first number that no row has.</summary>
    public static uint? Free(IEnumerable<uint> taken, int largest)
    {
        var known = taken.ToHashSet();
        for (uint i = 1; i <= largest; i++)
        {
            if (!known.Contains(i)) return i;
        }
        return null;
    }
}
