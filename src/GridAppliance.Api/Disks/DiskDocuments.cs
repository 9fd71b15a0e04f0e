namespace GridAppliance.Api.Disks;

/// <summary><c>POST /api/v1/nodes/install</c>: write a system to a disk of each node of a range, and have them boot it.</summary>
public sealed record NodeInstallRequest
{
    public required string Range { get; init; }
    /// <summary>debian.</summary>
    public required string Image { get; init; }
    /// <summary>As in the inventory: a name such as <c>vda</c>, a serial number or a world-wide name.</summary>
    public required string Disk { get; init; }
    /// <summary>Null for the node's own name; with one node only.</summary>
    public string? HostName { get; init; }
    /// <summary>Public keys of who may log in as the system's own user, as in authorized_keys.</summary>
    public IReadOnlyList<string>? SshKeys { get; init; }
    /// <summary>Such as <c>10.77.0.60/24</c>; null for what DHCP gives. With one node only.</summary>
    public string? Address { get; init; }
    public string? Gateway { get; init; }
    public IReadOnlyList<string>? Dns { get; init; }
    /// <summary>The disk once more, by the name that <see cref="Disk"/> gave it: what is there that was not written here may be lost.</summary>
    public string? Overwrite { get; init; }
    public bool DryRun { get; init; }
}

/// <summary><c>POST /api/v1/nodes/release</c>: wipe what was written to nodes' disks, read that back, and let them be idle again.</summary>
public sealed record NodeReleaseRequest
{
    public required string Range { get; init; }
    /// <summary>quick: both ends of the disk and of each partition, after a discard where the disk offers one; full: every octet.</summary>
    public string Wipe { get; init; } = "quick";
    public bool DryRun { get; init; }
}
