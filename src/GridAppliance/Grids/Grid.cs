using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace GridAppliance.Grids;

/// <summary>Nodes that one engine makes a pool of: who asks for resources asks its master. Immutable; changed through <see cref="GridDirectory"/> alone.</summary>
sealed record Grid
{
    public required Guid Id { get; init; }
    public required string Name { get; init; }
    /// <summary>Key of the engines.</summary>
    public required string Engine { get; init; }
    public required DateTimeOffset Created { get; init; }
    /// <summary>In the order in which they were named.</summary>
    public ImmutableArray<GridMember> Members { get; init; } = [];
    /// <summary>It is being dissolved, and goes with its last member.</summary>
    public bool IsLeaving { get; init; }

    /// <summary>The first is the one that takes requests; the others stand by.</summary>
    [JsonIgnore]
    public IEnumerable<GridMember> Masters => Members.Where(static member => member.Role == GridRole.Master);

    /// <summary>The one that takes requests.</summary>
    [JsonIgnore]
    public GridMember? Master => Masters.FirstOrDefault();

    /// <summary>With this member before all others: of masters it is the one that takes requests.</summary>
    public Grid LedBy(GridMember member) => this with { Members = [member, .. Members.Where(other => other.NodeId != member.NodeId)] };

    public GridMember? Find(Guid nodeId) => Members.FirstOrDefault(member => member.NodeId == nodeId);

    public Grid With(GridMember member) => this with { Members = Find(member.NodeId) is { } there ? Members.Replace(there, member) : Members.Add(member) };

    /// <summary>After a member has gone; null when it is dissolved and that was the last.</summary>
    public Grid? Without(Guid nodeId) => Members.RemoveAll(member => member.NodeId == nodeId) is var rest && rest.IsEmpty && IsLeaving ? null : this with { Members = rest };
}

sealed record GridMember(Guid NodeId, string Node, GridRole Role, GridStanding Standing)
{
    /// <summary>Since when the engine has it as down, or (a master that stands by) behind, as far as the appliance saw; null for one that works, or is not in yet.</summary>
    public DateTimeOffset? DownSince { get; init; }
}

enum GridRole { Master, Worker }

/// <summary>In the order in which a member passes them.</summary>
enum GridStanding
{
    /// <summary>On its way in: the engine does not count on it yet.</summary>
    Joining,
    /// <summary>The engine has been told of it.</summary>
    Member,
    /// <summary>A member that gets no new work.</summary>
    Drained,
    /// <summary>On its way out.</summary>
    Leaving,
}
