using System.Collections.Immutable;
using GridAppliance.Api.Nodes;

namespace GridAppliance.Power.Nodes;

/// <summary>What is known of a node through its ports. In memory: a restart learns it again.</summary>
sealed record NodeReach
{
    public static NodeReach Nothing { get; } = new();

    public BmcDocument? Bmc { get; init; }
    public PowerSighting? Power { get; init; }
    /// <summary>Ways in which its ports let in who should not be, a sentence each.</summary>
    public ImmutableArray<string> Weaknesses { get; init; } = [];
}
