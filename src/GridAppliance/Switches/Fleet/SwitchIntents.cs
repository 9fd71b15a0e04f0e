using System.Collections.Immutable;
using System.Globalization;
using GridAppliance.Store;

namespace GridAppliance.Switches.Fleet;

/// <summary>How a port was left.</summary>
/// <param name="By">Who left it so.</param>
sealed record LeftPort(PortVlans Vlans, string By, DateTimeOffset At)
{
    /// <summary>Null: nobody has said, which is so of ports that were left by earlier versions.</summary>
    public bool? IsEnabled { get; init; }
    /// <summary>Null: nobody has said.</summary>
    public string? Description { get; init; }

    /// <summary>The same with what has been said now; null where neither says which VLANs.</summary>
    public static LeftPort? Merge(LeftPort? before, PortIntent said, string by, DateTimeOffset at) => (Known(said.Vlans) ?? before?.Vlans) is { } vlans
        ? new(vlans, by, at) { IsEnabled = said.IsEnabled ?? before?.IsEnabled, Description = said.Description ?? before?.Description }
        : null;

    public static PortVlans? Known(PortVlans? vlans) => vlans is { IsKnown: true } ? vlans : null;
}

/// <summary>How the ports that are ours were left, by switch and port name: what drift is measured against. Durable first, then visible.</summary>
sealed class SwitchIntents(Database database, TimeProvider clock)
{
    public static IReadOnlyList<Migration> Migrations { get; } =
    [
        new("switch-intent-1", "CREATE TABLE switch_intent(switch TEXT NOT NULL, port TEXT NOT NULL, vlans TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (switch, port)) STRICT;"),
        new("switch-intent-2", "ALTER TABLE switch_intent ADD COLUMN enabled INTEGER; ALTER TABLE switch_intent ADD COLUMN description TEXT;"),
    ];

    ImmutableDictionary<string, ImmutableSortedDictionary<string, LeftPort>> current = Load(database);

    /// <summary>By port name; empty for a switch that nothing is known of.</summary>
    public ImmutableSortedDictionary<string, LeftPort> Of(string name) => Volatile.Read(ref current).GetValueOrDefault(name, None);

    /// <param name="name">The switch.</param>
    /// <param name="ports">What was said of each port, by its name; what is not said stays as it was.</param>
    /// <param name="by">Who says so.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public Task RecordAsync(string name, IEnumerable<KeyValuePair<string, PortIntent>> ports, string by, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        List<KeyValuePair<string, PortIntent>> said = [.. ports];
        if (said.Count == 0) return Task.CompletedTask;
        return database.WriteAsync(connection =>
        {
            foreach (var (port, how) in said) Write(connection, name, port, how, by, now);
            return true;
        }, _ => ImmutableInterlocked.AddOrUpdate(ref current, name, _ => Merge(None, said, by, now), (_, before) => Merge(before, said, by, now)), cancellationToken);
    }

    static void Write(Microsoft.Data.Sqlite.SqliteConnection connection, string name, string port, PortIntent said, string by, DateTimeOffset at)
    {
        (string, object?)[] values = [("$switch", name), ("$port", port), ("$vlans", LeftPort.Known(said.Vlans) is { } vlans ? Text(vlans) : null), ("$enabled", said.IsEnabled), ("$description", said.Description), ("$by", by), ("$at", at.ToString("O"))];
        var changed = connection.Run("UPDATE switch_intent SET vlans = coalesce($vlans, vlans), enabled = coalesce($enabled, enabled), description = coalesce($description, description), by = $by, at = $at WHERE switch = $switch AND port = $port", values);
        if (changed == 0) connection.Run("INSERT INTO switch_intent(switch, port, vlans, enabled, description, by, at) SELECT $switch, $port, $vlans, $enabled, $description, $by, $at WHERE $vlans IS NOT NULL", values);
    }

    static ImmutableSortedDictionary<string, LeftPort> Merge(ImmutableSortedDictionary<string, LeftPort> before, IEnumerable<KeyValuePair<string, PortIntent>> said, string by, DateTimeOffset at) =>
        before.SetItems(said.Select(s => KeyValuePair.Create(s.Key, LeftPort.Merge(before.GetValueOrDefault(s.Key), s.Value, by, at)!)).Where(s => s.Value is not null));

    public Task ForgetAsync(string name, CancellationToken cancellationToken) => database.WriteAsync(
        connection => connection.Run("DELETE FROM switch_intent WHERE switch = $switch", ("$switch", name)), _ => ImmutableInterlocked.TryRemove(ref current, name, out ImmutableSortedDictionary<string, LeftPort>? _), cancellationToken);

    static ImmutableSortedDictionary<string, LeftPort> None { get; } = ImmutableSortedDictionary.Create<string, LeftPort>(StringComparer.OrdinalIgnoreCase);

    static ImmutableDictionary<string, ImmutableSortedDictionary<string, LeftPort>> Load(Database database) => database.Read(connection =>
            connection.Query("SELECT switch, port, vlans, by, at, enabled, description FROM switch_intent", static row => (Switch: row.GetString(0), Port: row.GetString(1),
                Left: new LeftPort(Read(row.GetString(2)), row.GetString(3), DateTimeOffset.Parse(row.GetString(4), CultureInfo.InvariantCulture))
                {
                    IsEnabled = row.IsDBNull(5) ? null : row.GetInt64(5) != 0, Description = row.IsDBNull(6) ? null : row.GetString(6),
                })))
        .GroupBy(row => row.Switch).ToImmutableDictionary(of => of.Key, of => None.SetItems(of.Select(row => KeyValuePair.Create(row.Port, row.Left))), StringComparer.OrdinalIgnoreCase);

    /// <summary><c>PVID untagged tagged</c>, lists with commas, a dash for nothing.</summary>
    internal static string Text(PortVlans vlans) => $"{(vlans.Pvid is { } pvid ? pvid.ToString() : "-")} {List(vlans.Untagged)} {List(vlans.Tagged)}";

    internal static PortVlans Read(string text) => text.Split(' ') is [var pvid, var untagged, var tagged]
        ? new() { Pvid = pvid == "-" ? null : VlanId.Parse(pvid), Untagged = List(untagged), Tagged = List(tagged) }
        : throw new FormatException($"'{text}' is not how a port was left");

    static string List(ImmutableSortedSet<VlanId> vlans) => vlans.IsEmpty ? "-" : string.Join(',', vlans);

    static ImmutableSortedSet<VlanId> List(string text) => text == "-" ? [] : [.. text.Split(',').Select(v => VlanId.Parse(v))];
}
