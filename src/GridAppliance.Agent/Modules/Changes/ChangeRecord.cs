namespace GridAppliance.Agent.Modules.Changes;

/// <summary>What of the kernel a module changes for the whole node; the target names which.</summary>
enum ChangeKind
{
    /// <summary>Target: its name with dots; before and after: its value.</summary>
    Sysctl,
    /// <summary>Target: its name; before and after: loaded, or null.</summary>
    KernelModule,
    /// <summary>Target: an nftables table of the family inet; before and after: present, or null.</summary>
    FirewallTable,
    /// <summary>Kernel modules that the kernel loads by itself for firewall rules; before: those that were loaded.</summary>
    FirewallModules,
}

/// <summary>One record of the journal: an intention, written before anything is done, or (with <see cref="Undoes"/>) that an intention is no more.</summary>
sealed record ChangeRecord
{
    public required long Sequence { get; init; }
    /// <summary>The installation: see <see cref="ModuleRecord.Instance"/>.</summary>
    public required string Owner { get; init; }
    public long? Undoes { get; init; }
    public ChangeKind Kind { get; init; }
    public string Target { get; init; } = "";
    /// <summary>How it was; null is absent.</summary>
    public string? Before { get; init; }
    public string? After { get; init; }
}
