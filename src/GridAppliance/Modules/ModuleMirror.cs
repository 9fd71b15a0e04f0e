using System.Text.Json;
using GridAppliance.Api;
using GridAppliance.Api.Modules;
using GridAppliance.Store;

namespace GridAppliance.Modules;

/// <summary>
/// What modules have changed on nodes, as agents told last: with the result of each module order, and with a heartbeat when programs have written since. A node that runs from memory
/// forgets its journal with its power; this stays until it is back and tells anew, which after a boot is that nothing is there.
/// </summary>
sealed class ModuleMirror(Database database, TimeProvider time)
{
    const int MostModules = 64, MostEntries = 1000;

    /// <summary>Replaces what is known of this node. Null says nothing.</summary>
    public async Task KeepAsync(Guid node, IReadOnlyList<ModuleChangesDocument>? changes, CancellationToken cancellationToken)
    {
        if (changes is null) return;
        // An agent is not believed to be moderate.
        var fit = changes.Where(module => module is { Changes.Count: <= MostEntries } && ModuleManifest.IsName(module.Module)).Take(MostModules).ToList();
        var now = time.GetUtcNow().ToString("O");
        await database.WriteAsync(connection =>
        {
            connection.Run("DELETE FROM module_changes WHERE node = $node", ("$node", node.ToString()));
            foreach (var module in fit)
                connection.Run("INSERT OR REPLACE INTO module_changes(node, module, told, document) VALUES ($node, $module, $told, $document)",
                    ("$node", node.ToString()), ("$module", module.Module), ("$told", now), ("$document", JsonSerializer.Serialize(module, ApiJson.Default.ModuleChangesDocument)));
        }, cancellationToken);
    }

    public ModuleChangesDocument? Find(Guid node, string module) => database.Read(connection =>
        connection.Query("SELECT document FROM module_changes WHERE node = $node AND module = $module", static row => row.GetString(0), ("$node", node.ToString()), ("$module", module)))
        .Select(document => JsonSerializer.Deserialize(document, ApiJson.Default.ModuleChangesDocument)).FirstOrDefault();
}
