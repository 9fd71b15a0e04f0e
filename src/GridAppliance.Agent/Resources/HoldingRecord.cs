using GridAppliance.Api.Resources;

namespace GridAppliance.Agent.Resources;

/// <summary>Somebody's share of this node, with the very things that are his.</summary>
sealed record HoldingRecord
{
    public required string Id { get; init; }
    public required string Owner { get; init; }
    public required ResourceAmounts Amounts { get; init; }
    /// <summary>Numbers of the processors that are his alone.</summary>
    public IReadOnlyList<int> Cpus { get; init; } = [];
    /// <summary>PCI addresses.</summary>
    public IReadOnlyList<string> Accelerators { get; init; } = [];
    public bool Allocated { get; init; }
    /// <summary>Milliseconds of the clock that counts from the machine's start.</summary>
    public required long EndsAt { get; init; }
    public IReadOnlyList<string> Modules { get; init; } = [];
}

/// <summary>The book as it stands on disk.</summary>
sealed record ResourcePages
{
    /// <summary>The boot that it belongs to: after another one nothing of it is held any more.</summary>
    public required string Boot { get; init; }
    public IReadOnlyList<HoldingRecord> Holdings { get; init; } = [];
    /// <summary>Ids that have ended, the newest last: they do not come back.</summary>
    public IReadOnlyList<string> Ended { get; init; } = [];
}

/// <summary>What this machine can give away.</summary>
/// <param name="Cpus">Numbers of the processors.</param>
/// <param name="Accelerators">PCI addresses.</param>
sealed record MachineResources(IReadOnlyList<int> Cpus, long MemoryMiB, long DiskMiB, IReadOnlyList<string> Accelerators)
{
    public ResourceAmounts Amounts => new() { Cpus = Cpus.Count, MemoryMiB = MemoryMiB, DiskMiB = DiskMiB, Accelerators = Accelerators.Count };
}
