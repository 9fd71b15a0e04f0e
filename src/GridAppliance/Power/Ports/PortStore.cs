using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Store;
using Microsoft.Data.Sqlite;

namespace GridAppliance.Power.Ports;

/// <summary>The ports' table. Secrets are in it only sealed, and an address only once.</summary>
static class PortStore
{
    public static IReadOnlyList<Migration> Migrations { get; } =
    [
        // A port outlives its node: the BMC is still there, and whoever comes next in that slot is behind it.
        new("ports-1", """
            CREATE TABLE port(id TEXT PRIMARY KEY, node_id TEXT REFERENCES node(id) ON DELETE SET NULL, address TEXT NOT NULL UNIQUE, account TEXT NOT NULL,
                              password TEXT, device_key TEXT, location TEXT, set_by TEXT NOT NULL, set_at TEXT NOT NULL) STRICT;
            CREATE INDEX port_node ON port(node_id);
            """),
        new("ports-2", "ALTER TABLE port ADD COLUMN identity TEXT"),
        new("ports-3", "ALTER TABLE port ADD COLUMN fingerprint TEXT"),
        new("ports-4", "ALTER TABLE port ADD COLUMN refusal TEXT; ALTER TABLE port ADD COLUMN refused_at TEXT"),
    ];

    public static List<NodePort> Load(SqliteConnection connection) => connection.Query(
        "SELECT id, node_id, address, account, password, device_key, location, set_by, set_at, identity, fingerprint, refusal, refused_at FROM port", static row => new NodePort
        {
            Id = Guid.Parse(row.GetString(0)),
            NodeId = row.IsDBNull(1) ? null : Guid.Parse(row.GetString(1)),
            Address = new(row.GetString(2)),
            User = row.GetString(3),
            Password = row.IsDBNull(4) ? null : new SealedSecret(row.GetString(4)),
            DeviceKey = row.IsDBNull(5) ? null : new SealedSecret(row.GetString(5)),
            Location = row.IsDBNull(6) ? null : row.GetString(6),
            SetBy = row.GetString(7),
            SetAt = DateTimeOffset.Parse(row.GetString(8), CultureInfo.InvariantCulture),
            Identity = row.IsDBNull(9) ? null : JsonSerializer.Deserialize(row.GetString(9), PortJson.Default.PortIdentity),
            Fingerprint = row.IsDBNull(10) ? null : row.GetString(10),
            Refusal = row.IsDBNull(11) ? null : new(row.GetString(11), DateTimeOffset.Parse(row.GetString(12), CultureInfo.InvariantCulture)),
        });

    public static void Save(SqliteConnection connection, NodePort port) => connection.Run("""
        INSERT INTO port(id, node_id, address, account, password, device_key, location, set_by, set_at, identity, fingerprint, refusal, refused_at)
        VALUES ($id, $node, $address, $account, $password, $key, $location, $by, $at, $identity, $fingerprint, $refusal, $refused_at)
        ON CONFLICT(id) DO UPDATE SET node_id = excluded.node_id, address = excluded.address, account = excluded.account, password = excluded.password,
            device_key = excluded.device_key, location = excluded.location, set_by = excluded.set_by, set_at = excluded.set_at, identity = excluded.identity, fingerprint = excluded.fingerprint,
            refusal = excluded.refusal, refused_at = excluded.refused_at
        """,
        ("$id", port.Id.ToString()), ("$node", port.NodeId?.ToString()), ("$address", port.Address.OriginalString), ("$account", port.User), ("$password", port.Password?.Text),
        ("$key", port.DeviceKey?.Text), ("$location", port.Location), ("$by", port.SetBy), ("$at", port.SetAt.ToString("O")),
        ("$identity", port.Identity is null ? null : JsonSerializer.Serialize(port.Identity, PortJson.Default.PortIdentity)), ("$fingerprint", port.Fingerprint),
        ("$refusal", port.Refusal?.Reason), ("$refused_at", port.Refusal?.At.ToString("O")));

    public static void Delete(SqliteConnection connection, Guid id) => connection.Run("DELETE FROM port WHERE id = $id", ("$id", id.ToString()));
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Converters = [typeof(MacConverter)])]
[JsonSerializable(typeof(PortIdentity))]
sealed partial class PortJson : JsonSerializerContext;
