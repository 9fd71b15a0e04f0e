using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Boot;

/// <summary>One start of one machine: from the script that was served to the agent's first call. It says which NIC the agent that brings the token booted from.</summary>
sealed record BootAttempt
{
    /// <summary>Names the attempt in URLs and on the timeline; no secret.</summary>
    public required string Id { get; init; }
    public required MacAddress Mac { get; init; }
    public required Ipv4Address Ip { get; init; }
    public required string Network { get; init; }
    public Guid? Uuid { get; init; }
    public required DateTimeOffset Issued { get; init; }
    /// <summary>When the token was spent, and by which key (SHA-256 of it); null while it is not.</summary>
    public DateTimeOffset? Spent { get; init; }
    public string? SpentBy { get; init; }
}

/// <param name="Id">See <see cref="BootAttempt.Id"/>.</param>
/// <param name="Token">128 random bits, base64url. Kept nowhere but in the script; the appliance has its hash.</param>
readonly record struct IssuedAttempt(string Id, string Token);

/// <summary>Why a token buys nothing.</summary>
enum AttemptRefusal
{
    None,
    /// <summary>Never issued, or so long ago that it was forgotten.</summary>
    Unknown,
    Expired,
    /// <summary>It was brought from another network, or by an address that is not the booted NIC's.</summary>
    OtherClient,
    /// <summary>Another key has spent it.</summary>
    Spent,
}

/// <summary>Exactly one of the two says something.</summary>
readonly record struct SpendResult(BootAttempt? Attempt, AttemptRefusal Refusal);
