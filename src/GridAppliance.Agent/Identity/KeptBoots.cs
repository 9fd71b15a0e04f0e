using System.Globalization;
using System.Text;
using GridAppliance.Agent.Resources;

namespace GridAppliance.Agent.Identity;

/// <summary>Counts the boots of a machine whose key outlives them, so that the counter under which calls are signed never goes back though each boot's clock begins at nothing.</summary>
static class KeptBoots
{
    /// <returns>0 where the key is gone with the boot; otherwise 1 for the first.</returns>
    public static int Count(AgentPaths paths)
    {
        if (paths.Boots is not { } file) return 0;
        var kept = DurableFile.Read(file) is { } content ? Encoding.ASCII.GetString(content).Split(' ') : [];
        var count = kept.Length == 2 && int.TryParse(kept[0], NumberStyles.None, CultureInfo.InvariantCulture, out var counted) ? counted : 0;
        var boot = ManagerRelation.BootId(paths);
        if (count > 0 && kept[1] == boot) return count;
        DurableFile.Write(file, Encoding.ASCII.GetBytes($"{(count + 1).ToString(CultureInfo.InvariantCulture)} {boot}"));
        return count + 1;
    }
}
