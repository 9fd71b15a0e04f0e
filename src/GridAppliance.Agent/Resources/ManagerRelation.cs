using System.Text.Json;
using GridAppliance.Agent.Inventory;
using GridAppliance.Agent.Modules;
using GridAppliance.Api.Agents;

namespace GridAppliance.Agent.Resources;

/// <summary>Whose manager is the master of this one, and of whom this one is. Kept over a restart of the agent; this agent passes nothing on by itself.</summary>
sealed class ManagerRelation(AgentPaths paths)
{
    public RelationOrder? Current
    {
        get
        {
            try { return DurableFile.Read(paths.Relation) is { } kept ? JsonSerializer.Deserialize(kept, ReadJson.Default.RelationOrder) : null; }
            catch (JsonException) { return null; }
        }
    }

    public ModuleOutcome Change(RelationOrder wanted)
    {
        // Orders come in order, but what one operation took back another may have given anew: the version decides.
        if (Current is { } current && current.Version > wanted.Version) return ModuleOutcome.Done("a newer relation is in force already");
        DurableFile.Write(paths.Relation, JsonSerializer.SerializeToUtf8Bytes(wanted, WrittenJson.Default.RelationOrder));
        return ModuleOutcome.Done(wanted switch
        {
            { Master: { } master } => $"its master is {master.Node}",
            { Workers.Count: > 0 } => $"master of {string.Join(", ", wanted.Workers.Take(8).Select(worker => worker.Node))}{(wanted.Workers.Count > 8 ? $" and {wanted.Workers.Count - 8} more" : "")}",
            _ => "nobody's master and nobody's worker",
        });
    }

    /// <summary>Tells one boot from another; on a machine without such a file every start counts as the same boot, and /run is what forgets.</summary>
    public static string BootId(AgentPaths paths) => SystemFiles.Text(Path.GetDirectoryName(paths.BootId)!, Path.GetFileName(paths.BootId)) ?? "";
}
