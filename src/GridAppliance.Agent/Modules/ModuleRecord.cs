namespace GridAppliance.Agent.Modules;

/// <summary>
/// A module that is installed: the file that holds this record appearing or disappearing *is* the installation or removal. Whatever lies on disk without a record is
/// rubbish of an interrupted order, and recovery throws it away.
/// </summary>
sealed record ModuleRecord
{
    public required string Name { get; init; }
    public required string Version { get; init; }
    public required string Class { get; init; }
    public required string Digest { get; init; }
    public required IReadOnlyList<string> Start { get; init; }
    /// <summary>A removal has begun and will be finished, by recovery if need be.</summary>
    public bool Removing { get; init; }
}
