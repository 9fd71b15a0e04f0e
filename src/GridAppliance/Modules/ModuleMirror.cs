using System.Globalization;
using System.Text.Json;
using GridAppliance.Api;
using GridAppliance.Api.Modules;
using GridAppliance.Nodes;
using GridAppliance.Store;
using Microsoft.Data.Sqlite;

namespace GridAppliance.Modules;

/// <summary>
/// What modules have changed on nodes, as agents told last: with the result of each module order, and with a heartbeat when programs have written since. A node that runs from memory
/// forgets its journal with its power: what was known of the boot before is kept here, marked as lost, until the module is on the node again.
/// </summary>
sealed class ModuleMirror(Database database, TimeProvider time)
{
    const int MostModules = 64, MostEntries = ModuleChangesDocument.MostListed;

    /// <summary>Replaces what is known of this node as it is now. Null says nothing.</summary>
    /// <param name="node">Whose agent told.</param>
    /// <param name="changes">What.</param>
    /// <param name="tryMakeLastWord">Tried when it is this one's turn: what was said before something that is known already changes nothing.</param>
    /// <param name="cancellationToken">Gives up waiting for the store.</param>
    public async Task KeepAsync(Guid node, IReadOnlyList<ModuleChangesDocument>? changes, Func<bool> tryMakeLastWord, CancellationToken cancellationToken)
    {
        if (changes is null) return;
        // An agent is not believed to be moderate.
        var fit = changes.Where(module => module is { Changes.Count: <= MostEntries } && ModuleManifest.IsName(module.Module)).Take(MostModules).ToList();
        var now = time.GetUtcNow().ToString("O");
        await database.WriteAsync(connection =>
        {
            if (!tryMakeLastWord()) return;
            connection.Run("DELETE FROM module_changes WHERE node = $node AND lost IS NULL", ("$node", node.ToString()));
            foreach (var module in fit)
                connection.Run("INSERT OR REPLACE INTO module_changes(node, module, told, document) VALUES ($node, $module, $told, $document)",
                    ("$node", node.ToString()), ("$module", module.Module), ("$told", now), ("$document", JsonSerializer.Serialize(module, ApiJson.Default.ModuleChangesDocument)));
        }, cancellationToken);
    }

    /// <summary>A new boot of the node has begun, whose memory knows nothing of the modules of the boot before.</summary>
    public Task LoseAsync(Guid node, CancellationToken cancellationToken) => database.WriteAsync(connection =>
    {
        connection.Run("UPDATE module_changes SET lost = $now WHERE node = $node AND lost IS NULL", ("$node", node.ToString()), ("$now", time.GetUtcNow().ToString("O")));
        // A node that has had ever other modules for years.
        connection.Run("""
            DELETE FROM module_changes WHERE node = $node AND lost IS NOT NULL
            AND module NOT IN (SELECT module FROM module_changes WHERE node = $node AND lost IS NOT NULL ORDER BY lost DESC, module LIMIT $most)
            """, ("$node", node.ToString()), ("$most", MostModules));
    }, cancellationToken);

    public ModuleChangesDocument? Find(Node node, string module) => database.Read(connection =>
        connection.Query("SELECT document, told, lost FROM module_changes WHERE node = $node AND module = $module", static row => (Document: row.GetString(0), Told: TimeIn(row, 1), Lost: TimeIn(row, 2)),
            ("$node", node.Id.ToString()), ("$module", module)))
        .Select(row => JsonSerializer.Deserialize(row.Document, ApiJson.Default.ModuleChangesDocument)! with { Node = node.Name, Told = row.Told, Lost = row.Lost }).FirstOrDefault();

    static DateTimeOffset? TimeIn(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : DateTimeOffset.Parse(row.GetString(column), CultureInfo.InvariantCulture);
}
