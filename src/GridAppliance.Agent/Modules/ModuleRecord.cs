using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;

namespace GridAppliance.Agent.Modules;

/// <summary>
/// A module that is installed: the file that holds this record appearing *is* the installation, its taking another name the beginning of the removal. Layers and kernel changes without a
/// record are rubbish of an interrupted order, and recovery takes them away.
/// </summary>
sealed record ModuleRecord
{
    public required string Name { get; init; }
    public required string Version { get; init; }
    public required string Class { get; init; }
    public required string Digest { get; init; }
    public required ModuleManifest Manifest { get; init; }
    /// <summary>For whom it is there: it goes when the last has left.</summary>
    public required IReadOnlyList<string> Owners { get; init; }
    /// <summary>Every parameter with its value.</summary>
    public required IReadOnlyDictionary<string, string> Parameters { get; init; }
    /// <summary>The image in place of the node's own root; null for that.</summary>
    public ModuleRootOrder? Root { get; init; }
    /// <summary>What its layer, its kernel changes and its processes are known by: another package of the same name has another.</summary>
    public string Instance => $"{Name}@{Digest[..12]}";

    /// <summary>As the owner of modules that it needs.</summary>
    public string AsOwner => $"module:{Name}";

    public static string NameIn(string instance) => instance.Split('@')[0];
}
