namespace GridAppliance.Api.Power;

/// <summary><c>PUT /api/v1/nodes/{name}/bmc/lan</c>: how a BMC is to be on the network. What is left out stays as it is.</summary>
public sealed record BmcLanRequest
{
    public string? Address { get; init; }
    public string? Mask { get; init; }
    public string? Gateway { get; init; }
    /// <summary>static or dhcp.</summary>
    public string? Origin { get; init; }
    /// <summary>Zero: untagged.</summary>
    public int? Vlan { get; init; }
    /// <summary>Also what may take the BMC away from where the appliance reaches it.</summary>
    public bool Force { get; init; }
    /// <summary>Say what would be changed, and do nothing.</summary>
    public bool DryRun { get; init; }
}

/// <summary><c>PUT /api/v1/nodes/{name}/bmc/accounts/{account}</c>: makes an account of a BMC, or changes it.</summary>
public sealed record BmcAccountRequest
{
    /// <summary>Left out: as it is. A new account needs one.</summary>
    public string? Password { get; init; }
    /// <summary>callback, user, operator or administrator.</summary>
    public required string Role { get; init; }
    /// <summary>The slot of a new account; without it the first that is free.</summary>
    public int? Slot { get; init; }
    /// <summary>Even if it is the one that the appliance signs in with.</summary>
    public bool Force { get; init; }
    public bool DryRun { get; init; }
}

/// <summary>Answer of both, and of <c>DELETE …/accounts/{account}</c>: what was done (or would be), and how it is now.</summary>
public sealed record BmcChangeDocument
{
    public required string Node { get; init; }
    public bool DryRun { get; init; }
    public required string Message { get; init; }
    public BmcLanDocument? Lan { get; init; }
    public IReadOnlyList<BmcAccountDocument>? Accounts { get; init; }
}
