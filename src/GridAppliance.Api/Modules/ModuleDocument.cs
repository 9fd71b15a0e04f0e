namespace GridAppliance.Api.Modules;

/// <summary>A module in the appliance's catalogue.</summary>
public sealed record ModuleDocument
{
    public required string Name { get; init; }
    public required string Version { get; init; }
    /// <summary>Module class: at most one of a class is installed on a node.</summary>
    public required string Class { get; init; }
    public string? Summary { get; init; }
    /// <summary>SHA-256 of the package file, lower-case hex; the package's address.</summary>
    public required string Digest { get; init; }
    public required long SizeBytes { get; init; }
    /// <summary>Fingerprint of the key that signed it.</summary>
    public string? SignedBy { get; init; }
    /// <summary>What it needs, brings and changes; only where one module is asked for.</summary>
    public ModuleManifest? Manifest { get; init; }
}

/// <summary><c>POST /api/v1/modules/install</c> and <c>…/remove</c>: a noderange and a module.</summary>
public sealed record ModuleChangeRequest
{
    /// <summary>Node names, already expanded from the range by the caller or a noderange.</summary>
    public required string Range { get; init; }
    public required string Module { get; init; }
    /// <summary>Say what would be done, and do nothing.</summary>
    public bool DryRun { get; init; }
    /// <summary>For whom it is installed, or who needs it no longer; the operator when left out.</summary>
    public string? Owner { get; init; }
    /// <summary>Refuse where another version is installed, which is upgraded otherwise.</summary>
    public bool RefuseUpgrade { get; init; }
    /// <summary>Change nodes alone that have another version; the others are left.</summary>
    public bool OnlyUpgrade { get; init; }
    /// <summary>Values in place of the module's defaults.</summary>
    public IReadOnlyDictionary<string, string>? Parameters { get; init; }
}

/// <summary>What a change did or would do, node by node.</summary>
public sealed record ChangeDocument { public required IReadOnlyList<NodeChangeDocument> Nodes { get; init; } public bool DryRun { get; init; } }

public sealed record NodeChangeDocument
{
    public required string Node { get; init; }
    /// <summary>Whether the change was accepted for this node (or would be).</summary>
    public required bool Accepted { get; init; }
    public string? OperationId { get; init; }
    public required string Message { get; init; }
    /// <summary>How the operation ended (done, failed or cancelled), where somebody waited for it; null otherwise.</summary>
    public string? Outcome { get; init; }
}
