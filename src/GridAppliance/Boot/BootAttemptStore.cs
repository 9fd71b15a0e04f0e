using GridAppliance.Protocols.Addresses;
using GridAppliance.Store;
using Microsoft.Data.Sqlite;

namespace GridAppliance.Boot;

/// <summary>The attempts' table. A token's SHA-256 is its key; the token itself is nowhere.</summary>
static class BootAttemptStore
{
    public static IReadOnlyList<Migration> Migrations { get; } =
    [
        new("boot-attempts-1", """
            CREATE TABLE boot_attempt(
                token_hash TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, mac TEXT NOT NULL, ip TEXT NOT NULL, network TEXT NOT NULL, uuid TEXT,
                issued INTEGER NOT NULL, spent INTEGER, spent_by TEXT) STRICT;
            """),
    ];

    public static List<(string TokenHash, BootAttempt Attempt)> Load(SqliteConnection connection) => connection.Query(
        "SELECT token_hash, id, mac, ip, network, uuid, issued, spent, spent_by FROM boot_attempt",
        static row => (row.GetString(0), new BootAttempt
        {
            Id = row.GetString(1),
            Mac = MacAddress.Parse(row.GetString(2)),
            Ip = Ipv4Address.Parse(row.GetString(3)),
            Network = row.GetString(4),
            Uuid = row.IsDBNull(5) ? null : Guid.Parse(row.GetString(5)),
            Issued = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(6)),
            Spent = row.IsDBNull(7) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(7)),
            SpentBy = row.IsDBNull(8) ? null : row.GetString(8),
        }));

    public static void Insert(SqliteConnection connection, string tokenHash, BootAttempt attempt) => connection.Run(
        "INSERT INTO boot_attempt(token_hash, id, mac, ip, network, uuid, issued) VALUES ($hash, $id, $mac, $ip, $network, $uuid, $issued)",
        ("$hash", tokenHash), ("$id", attempt.Id), ("$mac", attempt.Mac.ToString()), ("$ip", attempt.Ip.ToString()), ("$network", attempt.Network),
        ("$uuid", attempt.Uuid?.ToString()), ("$issued", attempt.Issued.ToUnixTimeMilliseconds()));

    public static void Spend(SqliteConnection connection, string tokenHash, BootAttempt attempt) => connection.Run(
        "UPDATE boot_attempt SET spent = $spent, spent_by = $by WHERE token_hash = $hash",
        ("$hash", tokenHash), ("$spent", attempt.Spent?.ToUnixTimeMilliseconds()), ("$by", attempt.SpentBy));

    public static void Delete(SqliteConnection connection, IEnumerable<string> tokenHashes)
    {
        foreach (var hash in tokenHashes) connection.Run("DELETE FROM boot_attempt WHERE token_hash = $hash", ("$hash", hash));
    }
}
