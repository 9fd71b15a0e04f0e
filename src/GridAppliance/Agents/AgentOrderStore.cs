using System.Globalization;
using System.Text.Json;
using GridAppliance.Api;
using GridAppliance.Store;
using Microsoft.Data.Sqlite;

namespace GridAppliance.Agents;

/// <summary>The orders' table.</summary>
static class AgentOrderStore
{
    /// <summary>Ended orders kept: an operation that died between result and journal asks for its order's end again.</summary>
    const int Retained = 20_000;

    const string Columns = "id, node_id, node, operation_id, body, expires, delivered, state, message";

    public static IReadOnlyList<Migration> Migrations { get; } =
    [
        new("agent-orders-1", """
            CREATE TABLE agent_order(seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, node_id TEXT NOT NULL, node TEXT NOT NULL, operation_id TEXT, body TEXT NOT NULL,
                                     placed TEXT NOT NULL, expires TEXT NOT NULL, delivered INTEGER NOT NULL, state TEXT NOT NULL, message TEXT, ended TEXT) STRICT;
            CREATE INDEX agent_order_open ON agent_order(seq) WHERE state = 'Open';
            """),
    ];

    public static List<AgentOrder> LoadOpen(SqliteConnection connection) => connection.Query($"SELECT {Columns} FROM agent_order WHERE state = 'Open' ORDER BY seq", Map);

    public static AgentOrder? Find(SqliteConnection connection, string id) =>
        connection.Query($"SELECT {Columns} FROM agent_order WHERE id = $id", Map, ("$id", id)).SingleOrDefault();

    public static void Insert(SqliteConnection connection, AgentOrder order, DateTimeOffset now)
    {
        connection.Run("""
            INSERT INTO agent_order(id, node_id, node, operation_id, body, placed, expires, delivered, state)
            VALUES ($id, $node_id, $node, $operation, $body, $placed, $expires, $delivered, $state)
            """,
            ("$id", order.Id), ("$node_id", order.NodeId.ToString()), ("$node", order.Node), ("$operation", order.OperationId?.ToString()),
            ("$body", JsonSerializer.Serialize(order.Document, ApiJson.Default.OrderDocument)), ("$placed", now.ToString("O")), ("$expires", order.Expires.ToString("O")),
            ("$delivered", order.Delivered ? 1 : 0), ("$state", order.State.ToString()));
        var seq = connection.Scalar<long>("SELECT last_insert_rowid()");
        if (seq % 100 == 0) connection.Run("DELETE FROM agent_order WHERE state <> 'Open' AND seq <= $oldest", ("$oldest", seq - Retained));
    }

    public static void MarkDelivered(SqliteConnection connection, string id) => connection.Run("UPDATE agent_order SET delivered = 1 WHERE id = $id", ("$id", id));

    public static void End(SqliteConnection connection, AgentOrder order, DateTimeOffset now) => connection.Run(
        "UPDATE agent_order SET state = $state, message = $message, ended = $now WHERE id = $id AND state = 'Open'",
        ("$id", order.Id), ("$state", order.State.ToString()), ("$message", order.Message), ("$now", now.ToString("O")));

    static AgentOrder Map(SqliteDataReader row) => new()
    {
        Id = row.GetString(0),
        NodeId = Guid.Parse(row.GetString(1)),
        Node = row.GetString(2),
        OperationId = row.IsDBNull(3) ? null : Guid.Parse(row.GetString(3)),
        Document = JsonSerializer.Deserialize(row.GetString(4), ApiJson.Default.OrderDocument)!,
        Expires = DateTimeOffset.Parse(row.GetString(5), CultureInfo.InvariantCulture),
        Delivered = row.GetInt64(6) != 0,
        State = Enum.Parse<OrderState>(row.GetString(7)),
        Message = row.IsDBNull(8) ? null : row.GetString(8),
    };
}
