namespace GridAppliance.Api.Resources;

/// <summary>What one node has and who holds what of it (<c>GET /api/v1/resources</c>).</summary>
public sealed record NodeResourcesDocument
{
    public required string Node { get; init; }
    /// <summary>The node's state; only one whose agent answers can give anything.</summary>
    public required string State { get; init; }
    public required ResourceAmounts Total { get; init; }
    public required ResourceAmounts Free { get; init; }
    public required IReadOnlyList<HoldingDocument> Holdings { get; init; }
}

/// <summary>Somebody's share of a node, for a time.</summary>
public sealed record HoldingDocument
{
    public required string Id { get; init; }
    public required string Node { get; init; }
    public required string Owner { get; init; }
    /// <summary>planned (the agent has not confirmed it), reserved, allocated (limits are in force), or ending.</summary>
    public required string State { get; init; }
    public required DateTimeOffset Until { get; init; }
    public required ResourceAmounts Amounts { get; init; }
    /// <summary>Modules that are there because of it.</summary>
    public IReadOnlyList<string> Modules { get; init; } = [];
    /// <summary>What its programs use, as the agent last told.</summary>
    public HoldingUsage? Usage { get; init; }
}

public sealed record HoldingUsage
{
    public long MemoryMiB { get; init; }
    /// <summary>Processor time used since it was allocated.</summary>
    public double CpuSeconds { get; init; }
    public int Processes { get; init; }
}

/// <summary><c>POST /api/v1/resources/reserve</c> and <c>…/allocate</c>. To allocate what is reserved, name the <see cref="Holding"/>, or the owner who has one reservation on the node.</summary>
public sealed record HoldRequest
{
    public required string Range { get; init; }
    /// <summary>Letters, digits and <c>. _ - @</c>.</summary>
    public required string Owner { get; init; }
    /// <summary>How long, or <see cref="Until"/>.</summary>
    public long? Seconds { get; init; }
    public DateTimeOffset? Until { get; init; }
    /// <summary>Memory that is not named is the processors' share of the node's, or what is free of it.</summary>
    public ResourceAmounts? Amounts { get; init; }
    /// <summary>Modules (by name, class or what they provide) that have to run on the node: installed first if need be.</summary>
    public IReadOnlyList<string> Modules { get; init; } = [];
    public string? Holding { get; init; }
    /// <summary>Only so many nodes of the range: those with the least to spare that have room.</summary>
    public int? Count { get; init; }
    public bool DryRun { get; init; }
}

/// <summary><c>POST /api/v1/resources/free</c>.</summary>
public sealed record FreeRequest
{
    public required string Range { get; init; }
    /// <summary>What this owner holds there, or one <see cref="Holding"/>.</summary>
    public string? Owner { get; init; }
    public string? Holding { get; init; }
    public bool DryRun { get; init; }
}

/// <summary>How long a module that nobody asks for stays (<c>GET</c> and <c>PUT /api/v1/resources/idle</c>).</summary>
public sealed record IdlePolicyDocument
{
    /// <summary>A module's name or class.</summary>
    public required string Module { get; init; }
    /// <summary>Null: for ever.</summary>
    public long? Seconds { get; init; }
}

/// <summary><c>POST /api/v1/nodes/master</c>: which node is the master of the nodes of a range: kept and told to both sides; nothing is forwarded by agents.</summary>
public sealed record MasterRequest
{
    public required string Range { get; init; }
    /// <summary>A node's name; null for nobody.</summary>
    public string? Master { get; init; }
    public bool DryRun { get; init; }
}

/// <summary><c>POST /api/v1/nodes/image</c>: what the nodes of a range run from now on.</summary>
public sealed record ImageRequest
{
    public required string Range { get; init; }
    /// <summary>tiny or debian.</summary>
    public required string Image { get; init; }
    public bool DryRun { get; init; }
}

/// <summary><c>POST /api/v1/agents/update</c>: another version of the agent.</summary>
public sealed record AgentUpdateRequest
{
    public required string Range { get; init; }
    /// <summary>A version of <c>grid-agent</c> in the catalogue; null for the newest import.</summary>
    public string? Version { get; init; }
    public bool DryRun { get; init; }
}
