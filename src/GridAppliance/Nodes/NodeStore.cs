using System.Text.Json;
using System.Text.Json.Serialization;
using GridAppliance.Power.Nodes;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Store;
using Microsoft.Data.Sqlite;

namespace GridAppliance.Nodes;

/// <summary>The nodes' tables. Names and MAC addresses are unique there, whatever the code above believes.</summary>
static class NodeStore
{
    public static IReadOnlyList<Migration> Migrations { get; } =
    [
        new("nodes-1", """
            CREATE TABLE node(id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, state TEXT NOT NULL, body TEXT NOT NULL) STRICT;
            CREATE TABLE node_mac(mac TEXT PRIMARY KEY, node_id TEXT NOT NULL REFERENCES node(id) ON DELETE CASCADE) STRICT;
            CREATE INDEX node_mac_node ON node_mac(node_id);
            """),
    ];

    public static List<Node> Load(SqliteConnection connection) =>
        connection.Query("SELECT body FROM node", static row => JsonSerializer.Deserialize(row.GetString(0), NodeJson.Default.Node)! with { Reach = NodeReach.Nothing });

    public static void Save(SqliteConnection connection, Node node)
    {
        var durable = node with { AgentLastSeen = null, Doing = null, Boot = null, Reach = NodeReach.Nothing };
        connection.Run("""
            INSERT INTO node(id, name, state, body) VALUES ($id, $name, $state, $body)
            ON CONFLICT(id) DO UPDATE SET name = excluded.name, state = excluded.state, body = excluded.body
            """,
            ("$id", node.Id.ToString()), ("$name", node.Name), ("$state", node.State.ToString()), ("$body", JsonSerializer.Serialize(durable, NodeJson.Default.Node)));
        connection.Run("DELETE FROM node_mac WHERE node_id = $id", ("$id", node.Id.ToString()));
        foreach (var mac in node.Macs)
            connection.Run("INSERT INTO node_mac(mac, node_id) VALUES ($mac, $id)", ("$mac", mac.ToString()), ("$id", node.Id.ToString()));
    }

    public static void Delete(SqliteConnection connection, Guid id) => connection.Run("DELETE FROM node WHERE id = $id", ("$id", id.ToString()));
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true, Converters = [typeof(MacConverter), typeof(Ipv4Converter), typeof(Ipv4NetworkConverter)])]
[JsonSerializable(typeof(Node))]
sealed partial class NodeJson : JsonSerializerContext;

sealed class MacConverter : JsonConverter<MacAddress>
{
    public override MacAddress Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => MacAddress.Parse(reader.GetString()!);

    public override void Write(Utf8JsonWriter writer, MacAddress value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

sealed class Ipv4NetworkConverter : JsonConverter<Ipv4Network>
{
    public override Ipv4Network Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Ipv4Network.Parse(reader.GetString()!);

    public override void Write(Utf8JsonWriter writer, Ipv4Network value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

sealed class Ipv4Converter : JsonConverter<Ipv4Address>
{
    public override Ipv4Address Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Ipv4Address.Parse(reader.GetString()!);

    public override void Write(Utf8JsonWriter writer, Ipv4Address value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
