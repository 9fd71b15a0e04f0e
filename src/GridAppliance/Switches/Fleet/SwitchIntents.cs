using System.Collections.Immutable;
using System.Globalization;
using GridAppliance.Store;

namespace GridAppliance.Switches.Fleet;

/// <summary>How a port was left.</summary>
/// <param name="By">Who left it so.</param>
sealed record LeftPort(PortVlans Vlans, string By, DateTimeOffset At);

/// <summary>How the ports that are ours were left, by switch and port name: what drift is measured against. Durable first, then visible.</summary>
sealed class SwitchIntents(Database database, TimeProvider clock)
{
    public static IReadOnlyList<Migration> Migrations { get; } =
    [
        new("switch-intent-1", "CREATE TABLE switch_intent(switch TEXT NOT NULL, port TEXT NOT NULL, vlans TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (switch, port)) STRICT;"),
    ];

    ImmutableDictionary<string, ImmutableSortedDictionary<string, LeftPort>> current = Load(database);

    /// <summary>By port name; empty for a switch that nothing is known of.</summary>
    public ImmutableSortedDictionary<string, LeftPort> Of(string name) => Volatile.Read(ref current).GetValueOrDefault(name, None);

    public Task RecordAsync(string name, IEnumerable<KeyValuePair<string, PortVlans>> ports, string by, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var left = ports.Where(p => p.Value.IsKnown).Select(p => KeyValuePair.Create(p.Key, new LeftPort(p.Value, by, now))).ToList();
        if (left.Count == 0) return Task.CompletedTask;
        return database.WriteAsync(connection =>
        {
            foreach (var (port, how) in left)
            {
                connection.Run("INSERT INTO switch_intent(switch, port, vlans, by, at) VALUES ($switch, $port, $vlans, $by, $at) ON CONFLICT(switch, port) DO UPDATE SET vlans = excluded.vlans, by = excluded.by, at = excluded.at",
                    ("$switch", name), ("$port", port), ("$vlans", Text(how.Vlans)), ("$by", by), ("$at", now.ToString("O")));
            }
            return true;
        }, _ => ImmutableInterlocked.AddOrUpdate(ref current, name, _ => None.SetItems(left), (_, before) => before.SetItems(left)), cancellationToken);
    }

    public Task ForgetAsync(string name, CancellationToken cancellationToken) => database.WriteAsync(
        connection => connection.Run("DELETE FROM switch_intent WHERE switch = $switch", ("$switch", name)), _ => ImmutableInterlocked.TryRemove(ref current, name, out ImmutableSortedDictionary<string, LeftPort>? _), cancellationToken);

    static ImmutableSortedDictionary<string, LeftPort> None { get; } = ImmutableSortedDictionary.Create<string, LeftPort>(StringComparer.OrdinalIgnoreCase);

    static ImmutableDictionary<string, ImmutableSortedDictionary<string, LeftPort>> Load(Database database) => database.Read(connection =>
            connection.Query("SELECT switch, port, vlans, by, at FROM switch_intent", static row => (Switch: row.GetString(0), Port: row.GetString(1), Left: new LeftPort(Read(row.GetString(2)), row.GetString(3), DateTimeOffset.Parse(row.GetString(4), CultureInfo.InvariantCulture)))))
        .GroupBy(row => row.Switch).ToImmutableDictionary(of => of.Key, of => None.SetItems(of.Select(row => KeyValuePair.Create(row.Port, row.Left))), StringComparer.OrdinalIgnoreCase);

    /// <summary><c>PVID untagged tagged</c>, lists with commas, a dash for nothing.</summary>
    internal static string Text(PortVlans vlans) => $"{(vlans.Pvid is { } pvid ? pvid.ToString() : "-")} {List(vlans.Untagged)} {List(vlans.Tagged)}";

    internal static PortVlans Read(string text) => text.Split(' ') is [var pvid, var untagged, var tagged]
        ? new() { Pvid = pvid == "-" ? null : VlanId.Parse(pvid), Untagged = List(untagged), Tagged = List(tagged) }
        : throw new FormatException($"'{text}' is not how a port was left");

    static string List(ImmutableSortedSet<VlanId> vlans) => vlans.IsEmpty ? "-" : string.Join(',', vlans);

    static ImmutableSortedSet<VlanId> List(string text) => text == "-" ? [] : [.. text.Split(',').Select(v => VlanId.Parse(v))];
}
