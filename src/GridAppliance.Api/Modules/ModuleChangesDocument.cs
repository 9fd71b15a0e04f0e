namespace GridAppliance.Api.Modules;

/// <summary>What one module has changed on one node, from the agent's journal and the module's layer.</summary>
public sealed record ModuleChangesDocument
{
    /// <summary>Which node; not where an agent tells of its own.</summary>
    public string? Node { get; init; }
    public required string Module { get; init; }
    public required string Version { get; init; }
    /// <summary>For whom it is there; it goes when the last of them has left.</summary>
    public IReadOnlyList<string> Owners { get; init; } = [];
    public required IReadOnlyList<ModuleChangeEntry> Changes { get; init; }
    /// <summary>How many more there are than are listed: an agent lists <see cref="MostListed"/> of all its modules together.</summary>
    public int Omitted { get; init; }
    /// <summary>When the agent said so; not where it is the agent that says it.</summary>
    public DateTimeOffset? Told { get; init; }
    /// <summary>When the node booted again, where the module and all that it had changed went with the memory of the boot before; null where it is still so.</summary>
    public DateTimeOffset? Lost { get; init; }

    public const int MostListed = 1000;
}

public sealed record ModuleChangeEntry
{
    /// <summary>file, folder, link, device, user, hosts, service, sysctl, kernel-module, mount, firewall.</summary>
    public required string What { get; init; }
    /// <summary>added, changed or removed.</summary>
    public required string Action { get; init; }
    public required string Target { get; init; }
    /// <summary>Whether all of the node sees it (a kernel setting), or the module alone (its view).</summary>
    public required bool Global { get; init; }
    public long? SizeBytes { get; init; }
    /// <summary>SHA-256 of the content, lower-case hex.</summary>
    public string? Digest { get; init; }
    /// <summary>A value before and after: "0 → 1".</summary>
    public string? Value { get; init; }
}
