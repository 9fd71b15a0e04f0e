namespace GridAppliance.Api.Ports;

/// <summary>A privileged port: what acts on a node without its operating system. Its secrets are never shown.</summary>
public sealed record PortDocument
{
    /// <summary>Scheme and place: <c>ipmi://10.0.0.5</c>, <c>snmp+apc://10.0.0.9/7</c>, <c>tcp://10.0.0.9:7001</c>.</summary>
    public required string Address { get; init; }
    /// <summary>bmc, outlet or console.</summary>
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
