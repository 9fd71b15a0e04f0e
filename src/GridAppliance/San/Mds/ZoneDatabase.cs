using System.Collections.Immutable;
using GridAppliance.Protocols.Snmp;

namespace GridAppliance.San.Mds;

/// <summary>A zone as it is written down on the switch.</summary>
/// <param name="Members">By index; null for one that is not named by its port.</param>
sealed record MdsZone(uint Index, string Name, ImmutableSortedDictionary<uint, Wwn?> Members);

sealed record MdsZoneSet(uint Index, string Name, PortList Zones);

/// <summary>The zoning of one VSAN as a Cisco MDS has it. Pure: from rows to values.</summary>
sealed record ZoneDatabase
{
    public required ImmutableSortedDictionary<uint, MdsZone> Zones { get; init; }
    public required ImmutableSortedDictionary<uint, MdsZoneSet> Sets { get; init; }
    /// <summary>The name of the zone set in force; null when none is.</summary>
    public string? Enforced { get; init; }
    /// <summary>Whoever is in no zone can reach everybody else who is in none.</summary>
    public bool DefaultPermits { get; init; }

    public MdsZone? Zone(string name) => Zones.Values.FirstOrDefault(z => z.Name == name);

    public MdsZoneSet? Set(string name) => Sets.Values.FirstOrDefault(s => s.Name == name);

    public static ZoneDatabase Read(uint vsan, IReadOnlyList<Varbind> zoneNames, IReadOnlyList<Varbind> memberFormats, IReadOnlyList<Varbind> memberIds, IReadOnlyList<Varbind> setNames, IReadOnlyList<Varbind> setZones, SnmpValue enforced, SnmpValue defaultZone)
    {
        var formats = Members(vsan, ZoneServerMib.MemberFormat, memberFormats);
        var ids = Members(vsan, ZoneServerMib.MemberId, memberIds);
        var zones = ImmutableSortedDictionary.CreateBuilder<uint, MdsZone>();
        foreach (var (index, name) in Rows(vsan, ZoneServerMib.ZoneName, zoneNames))
        {
            var members = ids.Where(m => m.Key.Zone == index).ToImmutableSortedDictionary(m => m.Key.Member, m =>
                formats.GetValueOrDefault(m.Key).TryGetInt32(out var format) && format == ZoneServerMib.PortName && m.Value.AsOctets.Length == Wwn.Length ? Wwn.Read(m.Value.AsOctets) : (Wwn?)null);
            zones[index] = new(index, name.AsText, members);
        }
        var lists = Rows(vsan, ZoneServerMib.ZoneSetZones, setZones).ToDictionary(r => r.Index, r => new PortList(r.Value.AsOctets));
        return new()
        {
            Zones = zones.ToImmutable(),
            Sets = Rows(vsan, ZoneServerMib.ZoneSetName, setNames).ToImmutableSortedDictionary(r => r.Index, r => new MdsZoneSet(r.Index, r.Value.AsText, lists.GetValueOrDefault(r.Index))),
            Enforced = enforced.IsException || enforced.AsOctets.IsEmpty ? null : enforced.AsText,
            DefaultPermits = defaultZone.TryGetInt32(out var behaviour) && behaviour == 1,
        };
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
