namespace GridAppliance.Api.Ports;

/// <summary>A privileged port: what acts on a node without its operating system. Its secrets are never shown.</summary>
public sealed record PortDocument
{
    /// <summary>Scheme and place: <c>ipmi://10.0.0.5</c>, <c>snmp+apc://10.0.0.9/7</c>, <c>tcp://10.0.0.9:7001</c>.</summary>
    public required string Address { get; init; }
    /// <summary>bmc, outlet, console or wake.</summary>
    public required string Kind { get; init; }
    /// <summary>Whose it is; null while that is not known.</summary>
    public string? Node { get; init; }
    public string? User { get; init; }
    public bool HasPassword { get; init; }
    public bool HasDeviceKey { get; init; }
    /// <summary>What it can do: power, boot, console, identify, sensors, events, inventory, lan, accounts, audit.</summary>
    public IReadOnlyList<string> Can { get; init; } = [];
    /// <summary>How it was when it was last used: unknown, answers, silent, refused (account or password), troubled.</summary>
    public required string State { get; init; }
    public DateTimeOffset? StateSince { get; init; }
    /// <summary>What is wrong, in one sentence.</summary>
    public string? Problem { get; init; }
    /// <summary>SHA-256 of the certificate that is pinned, for devices that have one.</summary>
    public string? Certificate { get; init; }
    /// <summary>Where it is, in an operator's words.</summary>
    public string? Location { get; init; }
    public string? SetBy { get; init; }
    public DateTimeOffset SetAt { get; init; }
}

/// <summary><c>PUT /api/v1/nodes/{name}/ports</c>: makes or changes the port with this address.</summary>
public sealed record PortRequest
{
    public required string Address { get; init; }
    public string? User { get; init; }
    /// <summary>Write-only. Without it the account keeps the one that it has.</summary>
    public string? Password { get; init; }
    /// <summary>Write-only: the BMC's own key (IPMI K_g), or SNMP's privacy passphrase.</summary>
    public string? DeviceKey { get; init; }
    public string? Location { get; init; }
    /// <summary>The device has got another certificate, and that is wanted: the next one that it shows is pinned.</summary>
    public bool NewCertificate { get; init; }

    public override string ToString() => $"{Address} as {User}";
}

/// <summary><c>POST /api/v1/ports/import</c>: ports whose nodes are found out, by the machine's UUID, its BMC's address or a MAC, when they boot.</summary>
public sealed record PortImportRequest
{
    public required IReadOnlyList<PortRequest> Ports { get; init; }
    public bool DryRun { get; init; }

    public override string ToString() => $"{Ports.Count} ports";
}

/// <summary>What became of each port of an import.</summary>
public sealed record PortImportDocument { public required IReadOnlyList<ImportedPortDocument> Ports { get; init; } public bool DryRun { get; init; } }

public sealed record ImportedPortDocument
{
    public required string Address { get; init; }
    public required bool Accepted { get; init; }
    public required string Message { get; init; }
}

/// <summary><c>POST /api/v1/ports/boot</c>: makes machines that are no node yet boot from the network, so that they become one.</summary>
public sealed record PortBootRequest
{
    /// <summary>Addresses of ports that belong to no node; all of them when null.</summary>
    public IReadOnlyList<string>? Addresses { get; init; }
    /// <summary>Also machines that are on: somebody may be using them.</summary>
    public bool Force { get; init; }
    public bool DryRun { get; init; }
}

/// <summary><c>POST /api/v1/discover/bmc</c>: looks for BMCs in a range of addresses, and takes in what it finds when it is told an account.</summary>
public sealed record BmcScanRequest
{
    /// <summary><c>10.1.0.0/24</c> or <c>10.1.0.10-10.1.0.90</c>.</summary>
    public required string Range { get; init; }
    /// <summary>With it and a password, each BMC that was found becomes a port with this account; whose it is shows when its node boots.</summary>
    public string? User { get; init; }
    /// <summary>Write-only.</summary>
    public string? Password { get; init; }

    public override string ToString() => Range;
}

public sealed record BmcScanDocument
{
    public required string Range { get; init; }
    public required IReadOnlyList<FoundBmcDocument> Found { get; init; }
}

public sealed record FoundBmcDocument
{
    public required string Ip { get; init; }
    /// <summary>2.0, 1.5 or "?" where it speaks IPMI; null where it does not.</summary>
    public string? Ipmi { get; init; }
    /// <summary>The version of its Redfish service, or null without one.</summary>
    public string? Redfish { get; init; }
    public string? Product { get; init; }
    /// <summary>It says itself that it signs in whoever comes.</summary>
    public bool AllowsAnonymous { get; init; }
    /// <summary>The port that it is, where it is known or was taken in.</summary>
    public string? Address { get; init; }
    public string? Node { get; init; }
}
