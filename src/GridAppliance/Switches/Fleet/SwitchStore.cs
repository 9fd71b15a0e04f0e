using System.Text.Json;
using System.Text.Json.Serialization;
using GridAppliance.Hosting;
using GridAppliance.Store;

namespace GridAppliance.Switches.Fleet;

/// <summary>A switch as it is stored.</summary>
/// <param name="Secrets">Sealed for <see cref="SwitchStore.Purpose"/>.</param>
/// <param name="HasUnsaved">It was written to, and not saved since.</param>
sealed record StoredSwitch(SwitchRecord Record, SealedSecret Secrets, bool HasUnsaved);

/// <summary>The enrolled switches' table.</summary>
sealed class SwitchStore(Database database)
{
    public static IReadOnlyList<Migration> Migrations { get; } =
    [
        new("switches-1", "CREATE TABLE switch(name TEXT PRIMARY KEY, body TEXT NOT NULL, secrets TEXT NOT NULL, unsaved INTEGER NOT NULL DEFAULT 0) STRICT;"),
    ];

    /// <summary>Bound into the seal, so that one switch's secret cannot be put in another's place.</summary>
    public static string Purpose(string name) => $"switch/{name}";

    public IReadOnlyList<StoredSwitch> Load() => database.Read(connection => connection.Query("SELECT body, secrets, unsaved FROM switch ORDER BY name",
        static row => new StoredSwitch(JsonSerializer.Deserialize(row.GetString(0), SwitchJson.Default.SwitchRecord)!, new(row.GetString(1)), row.GetInt64(2) != 0)));

    /// <summary>Takes the place of one with its name.</summary>
    public Task SaveAsync(SwitchRecord record, SealedSecret secrets, CancellationToken cancellationToken) => database.WriteAsync(connection =>
        connection.Run("INSERT INTO switch(name, body, secrets) VALUES ($name, $body, $secrets) ON CONFLICT(name) DO UPDATE SET body = excluded.body, secrets = excluded.secrets",
            ("$name", record.Name), ("$body", Body(record)), ("$secrets", secrets.Text)), cancellationToken);

    /// <summary>Its secrets stay; one that is not enrolled (yet) is not written down.</summary>
    public Task UpdateAsync(SwitchRecord record, CancellationToken cancellationToken) =>
        database.WriteAsync(connection => connection.Run("UPDATE switch SET body = $body WHERE name = $name", ("$name", record.Name), ("$body", Body(record))), cancellationToken);

    public Task MarkUnsavedAsync(string name, bool isUnsaved, CancellationToken cancellationToken) =>
        database.WriteAsync(connection => connection.Run("UPDATE switch SET unsaved = $unsaved WHERE name = $name", ("$unsaved", isUnsaved ? 1 : 0), ("$name", name)), cancellationToken);

    public Task RemoveAsync(string name, CancellationToken cancellationToken) =>
        database.WriteAsync(connection => connection.Run("DELETE FROM switch WHERE name = $name", ("$name", name)), cancellationToken);

    static string Body(SwitchRecord record) => JsonSerializer.Serialize(record, SwitchJson.Default.SwitchRecord);
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(SwitchRecord))]
sealed partial class SwitchJson : JsonSerializerContext;
