using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using GridAppliance.Store;

namespace GridAppliance.San;

/// <summary>How a zone is to be.</summary>
/// <param name="Name">The zone's.</param>
/// <param name="Zone">As it was left; null: it is to be gone.</param>
/// <param name="IsSettled">No change is under way: false from before the first order of a change to after its last.</param>
sealed record KeptZone(string Name, SanZone? Zone, bool IsSettled);

/// <summary>The zones of this machine's targets as they were left, in the appliance's store.</summary>
sealed class ZoneStore(Database database)
{
    public static IReadOnlyList<Migration> Migrations { get; } =
        [new("san-zone-1", "CREATE TABLE san_zone(fabric TEXT NOT NULL, zone TEXT NOT NULL, body TEXT, settled INTEGER NOT NULL, PRIMARY KEY (fabric, zone)) STRICT;")];

    public IReadOnlyList<KeptZone> Load(string fabric) => database.Read(connection => connection.Query("SELECT zone, body, settled FROM san_zone WHERE fabric = $fabric",
        static row => new KeptZone(row.GetString(0), row.IsDBNull(1) ? null : Zone(row.GetString(0), row.GetString(1)), row.GetInt64(2) == 1), ("$fabric", fabric)));

    /// <exception cref="StoreException">It was not written.</exception>
    public Task SaveAsync(string fabric, KeptZone kept) => database.WriteAsync(
        connection => connection.Run("INSERT OR REPLACE INTO san_zone(fabric, zone, body, settled) VALUES ($fabric, $zone, $body, $settled)", ("$fabric", fabric), ("$zone", kept.Name),
            ("$body", kept.Zone is { } zone ? JsonSerializer.Serialize(new Members([.. zone.Initiators], [.. zone.Storage]), ZoneJson.Default.Members) : null), ("$settled", kept.IsSettled ? 1 : 0)),
        CancellationToken.None);

    public Task ForgetAsync(string fabric, string zone) =>
        database.WriteAsync(connection => connection.Run("DELETE FROM san_zone WHERE fabric = $fabric AND zone = $zone", ("$fabric", fabric), ("$zone", zone)), CancellationToken.None);

    public Task ForgetAllAsync(string fabric) => database.WriteAsync(connection => connection.Run("DELETE FROM san_zone WHERE fabric = $fabric", ("$fabric", fabric)), CancellationToken.None);

    static SanZone Zone(string name, string body) => JsonSerializer.Deserialize(body, ZoneJson.Default.Members) is { } members ? new(name, [.. members.Initiators], [.. members.Storage]) : new(name, [], []);

    internal sealed record Members(ImmutableArray<string> Initiators, ImmutableArray<string> Storage);
}

[JsonSourceGenerationOptions]
[JsonSerializable(typeof(ZoneStore.Members))]
sealed partial class ZoneJson : JsonSerializerContext;
