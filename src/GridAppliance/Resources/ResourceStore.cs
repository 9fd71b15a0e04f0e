using System.Globalization;
using System.Text.Json;
using GridAppliance.Store;
using Microsoft.Data.Sqlite;

namespace GridAppliance.Resources;

/// <summary>The tables of holdings, of what modules were last asked for, and of how long they stay.</summary>
static class ResourceStore
{
    public static IReadOnlyList<Migration> Migrations { get; } =
    [
        new("resources-1", """
            CREATE TABLE holding(id TEXT PRIMARY KEY, node_id TEXT NOT NULL, body TEXT NOT NULL) STRICT;
            CREATE TABLE module_use(node_id TEXT NOT NULL REFERENCES node(id) ON DELETE CASCADE, module TEXT NOT NULL, asked TEXT NOT NULL, requested INTEGER NOT NULL,
                                    PRIMARY KEY(node_id, module)) STRICT, WITHOUT ROWID;
            CREATE TABLE idle_policy(module TEXT PRIMARY KEY, seconds INTEGER NOT NULL) STRICT, WITHOUT ROWID;
            """),
    ];

    public static List<Holding> LoadHoldings(SqliteConnection connection) =>
        connection.Query("SELECT body FROM holding", static row => JsonSerializer.Deserialize(row.GetString(0), HoldingJson.Default.Holding)!);

    public static void Save(SqliteConnection connection, Holding holding) => connection.Run(
        "INSERT INTO holding(id, node_id, body) VALUES ($id, $node, $body) ON CONFLICT(id) DO UPDATE SET body = excluded.body",
        ("$id", holding.Id.ToString()), ("$node", holding.NodeId.ToString()), ("$body", JsonSerializer.Serialize(holding, HoldingJson.Default.Holding)));

    public static void Delete(SqliteConnection connection, Guid id) => connection.Run("DELETE FROM holding WHERE id = $id", ("$id", id.ToString()));

    public static List<KeyValuePair<(Guid, string), ModuleUse>> LoadUses(SqliteConnection connection) => connection.Query(
        "SELECT node_id, module, asked, requested FROM module_use", static row => KeyValuePair.Create(
            (Guid.Parse(row.GetString(0)), row.GetString(1)), new ModuleUse(DateTimeOffset.Parse(row.GetString(2), CultureInfo.InvariantCulture), row.GetInt64(3) != 0)));

    public static void Save(SqliteConnection connection, Guid nodeId, string module, ModuleUse use) => connection.Run("""
        INSERT INTO module_use(node_id, module, asked, requested) SELECT $node, $module, $asked, $requested WHERE EXISTS (SELECT 1 FROM node WHERE id = $node)
        ON CONFLICT(node_id, module) DO UPDATE SET asked = excluded.asked, requested = excluded.requested
        """, ("$node", nodeId.ToString()), ("$module", module), ("$asked", use.Asked.ToString("O")), ("$requested", use.Requested ? 1 : 0));

    public static void DeleteUse(SqliteConnection connection, Guid nodeId, string module) =>
        connection.Run("DELETE FROM module_use WHERE node_id = $node AND module = $module", ("$node", nodeId.ToString()), ("$module", module));

    public static List<KeyValuePair<string, TimeSpan>> LoadPolicies(SqliteConnection connection) => connection.Query(
        "SELECT module, seconds FROM idle_policy", static row => KeyValuePair.Create(row.GetString(0), TimeSpan.FromSeconds(row.GetInt64(1))));

    public static void SavePolicy(SqliteConnection connection, string module, TimeSpan? timeout)
    {
        if (timeout is { } after)
            connection.Run("INSERT INTO idle_policy(module, seconds) VALUES ($module, $seconds) ON CONFLICT(module) DO UPDATE SET seconds = excluded.seconds",
                ("$module", module), ("$seconds", (long)after.TotalSeconds));
        else connection.Run("DELETE FROM idle_policy WHERE module = $module", ("$module", module));
    }
}

/// <param name="Asked">When somebody last asked for it.</param>
/// <param name="Requested">It came with a request for resources, not because a person installed it: it goes when the last request does.</param>
readonly record struct ModuleUse(DateTimeOffset Asked, bool Requested);
