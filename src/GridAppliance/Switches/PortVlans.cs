using System.Collections.Immutable;

namespace GridAppliance.Switches;

enum PortMode
{
    /// <summary>The switch does not say.</summary>
    Unknown,
    /// <summary>In no VLAN: nothing gets out of it.</summary>
    Isolated,
    Access,
    Trunk,
    /// <summary>Anything else, such as two untagged VLANs: never made by us, and not touched without being told to.</summary>
    Mixed,
}

/// <summary>The VLANs of a port.</summary>
sealed record PortVlans
{
    public static PortVlans Unknown { get; } = new() { IsKnown = false };

    public bool IsKnown { get; init; } = true;
    /// <summary>Leave the port without a tag.</summary>
    public ImmutableSortedSet<VlanId> Untagged { get; init; } = [];
    /// <summary>Leave the port with a tag.</summary>
    public ImmutableSortedSet<VlanId> Tagged { get; init; } = [];
    /// <summary>Where frames without a tag go that come in; null: nowhere, or not said.</summary>
    public VlanId? Pvid { get; init; }

    public static PortVlans Access(VlanId vlan) => new() { Untagged = [vlan], Pvid = vlan };

    public static PortVlans Trunk(VlanId? native, IEnumerable<VlanId> tagged) =>
        new() { Untagged = native is { } vlan ? [vlan] : [], Tagged = [.. tagged.Where(v => v != native)], Pvid = native };

    public PortMode Mode => this switch
    {
        { IsKnown: false } => PortMode.Unknown,
        { Untagged.Count: 0, Tagged.Count: 0 } => PortMode.Isolated,
        { Untagged.Count: 1, Tagged.Count: 0 } when Pvid is null || Pvid == Untagged[0] => PortMode.Access,
        { Untagged.Count: <= 1, Tagged.Count: > 0 } when Untagged.IsEmpty || Pvid is null || Pvid == Untagged[0] => PortMode.Trunk,
        _ => PortMode.Mixed,
    };

    /// <summary>Whether frames get the same ways in and out.</summary>
    public bool Equals(PortVlans? other) =>
        other is not null && IsKnown == other.IsKnown && Pvid == other.Pvid && Untagged.SetEquals(other.Untagged) && Tagged.SetEquals(other.Tagged);

    public override int GetHashCode() => HashCode.Combine(IsKnown, Pvid, Untagged.Count, Tagged.Count);

    public override string ToString() => Mode switch
    {
        PortMode.Unknown => Pvid is { } pvid ? $"unknown (pvid {pvid})" : "unknown",
        PortMode.Isolated => "no VLAN",
        PortMode.Access => $"access {Untagged[0]}",
        PortMode.Trunk => $"trunk {string.Join(',', Tagged)}{(Untagged.IsEmpty ? "" : $" native {Untagged[0]}")}",
        PortMode.Mixed => $"untagged {string.Join(',', Untagged)} tagged {string.Join(',', Tagged)} pvid {Pvid?.ToString() ?? "none"}",
    };
}
