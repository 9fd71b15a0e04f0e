using System.Text.Json.Serialization;
using GridAppliance.Api.Resources;

namespace GridAppliance.Resources;

/// <summary>Somebody's share of a node, for a time. Immutable; changed only through <see cref="ResourceLedger"/>.</summary>
sealed record Holding
{
    public required Guid Id { get; init; }
    public required Guid NodeId { get; init; }
    public required string Node { get; init; }
    public required string Owner { get; init; }
    public required ResourceAmounts Amounts { get; init; }
    public HoldingState State { get; init; }
    public required DateTimeOffset Until { get; init; }
    /// <summary>Names of modules that run because of it.</summary>
    public IReadOnlyList<string> Modules { get; init; } = [];
    /// <summary>Operations that were started for it, by what they do: <c>install web</c>.</summary>
    public IReadOnlyDictionary<string, Guid> Started { get; init; } = new Dictionary<string, Guid>();

    /// <summary>The agent has said yes, and not yet that it is over.</summary>
    public bool IsSettled => State is HoldingState.Reserved or HoldingState.Allocated;

    public HoldingDocument ToDocument(HoldingUsage? usage) => new()
    {
        Id = Id.ToString(), Node = Node, Owner = Owner, State = State.ToString().ToLowerInvariant(), Until = Until, Amounts = Amounts, Modules = Modules, Usage = usage,
    };
}

enum HoldingState
{
    /// <summary>Nobody else gets it any more, but the agent has not confirmed it.</summary>
    Planned,
    Reserved,
    /// <summary>Limits are in force on the node.</summary>
    Allocated,
    /// <summary>Over for its owner; still nobody else's until the agent has confirmed that nothing of it runs.</summary>
    Ending,
}

[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
[JsonSerializable(typeof(Holding))]
sealed partial class HoldingJson : JsonSerializerContext;
