namespace GridAppliance.Api;

/// <summary><c>GET /api/v1/status</c>: the whole at a glance.</summary>
public sealed record StatusDocument
{
    public required string Name { get; init; }
    public required string Version { get; init; }
    public required DateTimeOffset Started { get; init; }
    public required DateTimeOffset Now { get; init; }
    /// <summary>State name → number of nodes.</summary>
    public required IReadOnlyDictionary<string, int> Nodes { get; init; }
    public required IReadOnlyList<NetworkDocument> Networks { get; init; }
    /// <summary>What is wrong with the appliance itself; empty when nothing is.</summary>
    public required IReadOnlyList<ApplianceProblemDocument> Problems { get; init; }
    public int OperationsRunning { get; init; }
    /// <summary>auto or approve.</summary>
    public required string EnrollPolicy { get; init; }
}

public sealed record NetworkDocument
{
    public required string Name { get; init; }
    public required string Interface { get; init; }
    /// <summary>For a network behind a DHCP relay: the network over which the relay speaks; null for one that the appliance is attached to.</summary>
    public string? Via { get; init; }
    public required string Address { get; init; }
    /// <summary>server, proxy or off.</summary>
    public required string Dhcp { get; init; }
    public bool Boot { get; init; }
    public int LeasesActive { get; init; }
    public long LeasesTotal { get; init; }
}

/// <summary>Something the operator of the appliance should know, with what to do about it.</summary>
public sealed record ApplianceProblemDocument
{
    /// <summary>Stable and dotted, such as <c>dhcp.rival-server</c> or <c>store.disk-full</c>.</summary>
    public required string Code { get; init; }
    public required string Message { get; init; }
    public string? NextStep { get; init; }
    public DateTimeOffset Since { get; init; }
}

/// <summary>An error answer (RFC 9457, <c>application/problem+json</c>).</summary>
public sealed record ProblemDocument
{
    public string Type { get; init; } = "about:blank";
    public required string Title { get; init; }
    public required int Status { get; init; }
    public string? Detail { get; init; }
    /// <summary>What to do next, in one sentence.</summary>
    public string? NextStep { get; init; }
}

/// <summary>What <c>gridctl doctor -o json</c> prints: everything that is not well, and nothing else.</summary>
public sealed record DoctorDocument
{
    public required IReadOnlyList<ApplianceProblemDocument> Problems { get; init; }
    public required IReadOnlyList<Nodes.WhyDocument> Nodes { get; init; }
}

/// <summary><c>GET /healthz</c>.</summary>
public sealed record HealthDocument
{
    /// <summary>ok, or degraded: it serves, but something is wrong.</summary>
    public required string Status { get; init; }
    /// <summary>Codes of the appliance's problems.</summary>
    public required IReadOnlyList<string> Problems { get; init; }
}
