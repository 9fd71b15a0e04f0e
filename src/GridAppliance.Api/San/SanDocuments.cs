namespace GridAppliance.Api.San;

/// <summary>A storage fabric that the appliance looks after (<c>GET /api/v1/san</c>). Never with its secret.</summary>
public sealed record SanFabricDocument
{
    public required string Name { get; init; }
    public required string Address { get; init; }
    /// <summary>How the appliance logs in, in words.</summary>
    public required string Account { get; init; }
}

/// <summary><c>POST /api/v1/san</c>.</summary>
public sealed record SanFabricRequest
{
    public required string Name { get; init; }
    /// <summary><c>snmp+mds://10.0.0.5/20</c> (Cisco MDS, VSAN 20) or <c>lio+iscsi://10.0.0.1</c> (this machine's own target).</summary>
    public required string Address { get; init; }
    public string? User { get; init; }
    public string? Authentication { get; init; }
    public string? Privacy { get; init; }
    public string? Secret { get; init; }
}

/// <summary>A zone in force (<c>GET /api/v1/san/{name}/zones</c>).</summary>
public sealed record SanZoneDocument
{
    public required string Name { get; init; }
    public IReadOnlyList<string> Initiators { get; init; } = [];
    public IReadOnlyList<string> Storage { get; init; } = [];
}

/// <summary><c>POST /api/v1/san/{name}/connect</c> and <c>…/disconnect</c>, which needs the zone only.</summary>
public sealed record SanZoneRequest
{
    public required string Zone { get; init; }
    /// <summary>Port names (<c>50:00:…</c>) or iSCSI names.</summary>
    public IReadOnlyList<string> Initiators { get; init; } = [];
    /// <summary>Port names of storage, or files that a target serves.</summary>
    public IReadOnlyList<string> Storage { get; init; } = [];
    /// <summary>Say what would be done, and do nothing.</summary>
    public bool DryRun { get; init; }
}

public sealed record SanChangeDocument
{
    public required string Zone { get; init; }
    /// <summary>done, unchanged, refused, rolledback or damaged; planned in a dry run.</summary>
    public required string Outcome { get; init; }
    public string? Message { get; init; }
}

/// <summary><c>POST /api/v1/san/{name}/boot</c>: a node gets a clone of a golden image and boots from it.</summary>
public sealed record SanBootRequest
{
    public required string Node { get; init; }
    /// <summary>A file in the fabric's folder <c>golden</c>.</summary>
    public required string Image { get; init; }
    /// <summary>The appliance's own kernel is loaded, with its root on the LUN, instead of what the LUN's boot sector or EFI partition loads.</summary>
    public bool Kernel { get; init; }
}

/// <summary>A node that boots from a LUN of its own (<c>GET /api/v1/san/boots</c>). Never with its word.</summary>
public sealed record SanBootDocument
{
    public required string Node { get; init; }
    public required string Fabric { get; init; }
    public required string Image { get; init; }
    /// <summary>With the appliance's own kernel.</summary>
    public bool Kernel { get; init; }
    public required string Zone { get; init; }
    public required string Initiator { get; init; }
}

/// <summary><c>POST /api/v1/san/{name}/access</c>: let somebody into a zone for a while.</summary>
public sealed record SanAccessRequest
{
    public required string Zone { get; init; }
    public required string Initiator { get; init; }
    public required int Seconds { get; init; }
}
