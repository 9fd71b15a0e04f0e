namespace GridAppliance.Api.Establish;

/// <summary>
/// Machines that have an operating system, to be made nodes over SSH (<c>POST /api/v1/establish/plan</c> and <c>/apply</c>). The secrets in it are kept in memory for as long as the
/// work takes and nowhere else.
/// </summary>
public sealed record EstablishRequest
{
    /// <summary>See <see cref="MachineList"/>.</summary>
    public required string Hosts { get; init; }
    public required string User { get; init; }
    public string? Password { get; init; }
    /// <summary>An OpenSSH or PEM private key without a passphrase.</summary>
    public string? PrivateKey { get; init; }
    /// <summary>For sudo, where it asks and it is not <see cref="Password"/>.</summary>
    public string? SudoPassword { get; init; }
    /// <summary>A known_hosts file: machines that it does not name are refused. Without it, the key of a machine that is met for the first time is pinned.</summary>
    public string? HostKeys { get; init; }

    /// <summary>Never with the secrets.</summary>
    public override string ToString() => $"establish {Hosts} as {User}";
}

public sealed record EstablishDocument
{
    public required IReadOnlyList<MachinePlanDocument> Machines { get; init; }
}

/// <summary>What would be done with a machine, or is.</summary>
public sealed record MachinePlanDocument
{
    public required string Host { get; init; }
    /// <summary>install, nothing or refuse; start for work that has begun.</summary>
    public required string Action { get; init; }
    public required string Message { get; init; }
    /// <summary>As the machine calls it.</summary>
    public string? System { get; init; }
    /// <summary>root, sudo or sudo with a password.</summary>
    public string? Rights { get; init; }
    /// <summary>SHA-256 fingerprint of the key that is pinned for it.</summary>
    public string? HostKey { get; init; }
    /// <summary>Pinned just now, on first use.</summary>
    public bool HostKeyIsNew { get; init; }
    /// <summary>/etc/machine-id: two addresses with the same one are one machine.</summary>
    public string? MachineId { get; init; }
    public string? Node { get; init; }
    public string? OperationId { get; init; }
}
