using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using GridAppliance.Nodes;
using GridAppliance.Store;

namespace GridAppliance.Grids;

/// <summary>The one owner of grids: durable first, then visible.</summary>
sealed class GridDirectory(Database database, Timeline timeline)
{
    public static IReadOnlyList<Migration> Migrations { get; } =
    [
        new("grids-1", "CREATE TABLE grid(id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, body TEXT NOT NULL) STRICT;"),
    ];

    readonly SemaphoreSlim changing = new(1, 1);
    ImmutableDictionary<Guid, Grid> current = database.Read(static connection => connection.Query("SELECT body FROM grid", static row => JsonSerializer.Deserialize(row.GetString(0), GridJson.Default.Grid)!))
        .ToImmutableDictionary(grid => grid.Id);

    public IReadOnlyList<Grid> All => [.. Volatile.Read(ref current).Values.OrderBy(grid => grid.Name, StringComparer.Ordinal)];

    public Grid? Find(Guid id) => Volatile.Read(ref current).GetValueOrDefault(id);

    public Grid? Find(string name) => Volatile.Read(ref current).Values.FirstOrDefault(grid => grid.Name == name);

    /// <summary>The grid that a node belongs to; null for none.</summary>
    public Grid? Of(Guid nodeId) => Volatile.Read(ref current).Values.FirstOrDefault(grid => grid.Find(nodeId) is not null);

    /// <param name="id">Which, or the identity of a new one.</param>
    /// <param name="change">Sees the newest (null: there is none) and returns what it is to be: the same for nothing to do, null to delete it.</param>
    /// <param name="happened">For the timeline.</param>
    /// <param name="cancellationToken">Before it is written.</param>
    /// <returns>As it is now.</returns>
    public async Task<Grid?> ChangeAsync(Guid id, Func<Grid?, Grid?> change, NewEvent? happened, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken);
        try
        {
            var before = Find(id);
            var next = change(before);
            if (Equals(before, next)) return before;
            await database.WriteAsync(connection =>
            {
                if (next is null) connection.Run("DELETE FROM grid WHERE id = $id", ("$id", id.ToString()));
                else
                    connection.Run("INSERT INTO grid(id, name, body) VALUES ($id, $name, $body) ON CONFLICT(id) DO UPDATE SET name = excluded.name, body = excluded.body",
                        ("$id", id.ToString()), ("$name", next.Name), ("$body", JsonSerializer.Serialize(next, GridJson.Default.Grid)));
                return happened is null ? [] : timeline.Insert(connection, [happened]);
            }, events =>
            {
                Volatile.Write(ref current, next is null ? current.Remove(id) : current.SetItem(id, next));
                timeline.Publish(events);
            }, cancellationToken);
            return next;
        }
        finally
        {
            changing.Release();
        }
    }
}

[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
[JsonSerializable(typeof(Grid))]
sealed partial class GridJson : JsonSerializerContext;
