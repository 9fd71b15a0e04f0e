using System.Collections.Immutable;
using GridAppliance.Protocols.Snmp;

namespace GridAppliance.Switches;

/// <summary>What a port is to be. Null: leave it as it is.</summary>
/// <param name="Port">The driver's number.</param>
sealed record PortIntent(int Port)
{
    public PortVlans? Vlans { get; init; }
    public bool? IsEnabled { get; init; }
    public string? Description { get; init; }

    public bool IsNothing => Vlans is null && IsEnabled is null && Description is null;

    public override string ToString() => string.Join(", ", new[]
    {
        Vlans?.ToString(), IsEnabled switch { true => "open", false => "shut", null => null }, Description switch { "" => "not described", { } text => $"described as '{text}'", null => null },
    }.OfType<string>());
}

/// <summary>What is to be changed on a switch, all at once.</summary>
sealed record VlanIntent
{
    public ImmutableArray<PortIntent> Ports { get; init; } = [];
    /// <summary>VLANs that are to be there, with their names. Those that ports are put into are made without being named here.</summary>
    public ImmutableSortedDictionary<VlanId, string> Create { get; init; } = ImmutableSortedDictionary<VlanId, string>.Empty;
    public ImmutableSortedSet<VlanId> Remove { get; init; } = [];

    /// <summary>VLANs that have to be there for it, made if need be.</summary>
    public IEnumerable<VlanId> Needed => Create.Keys.Concat(Ports.Where(p => p.Vlans is not null).SelectMany(p => p.Vlans!.Untagged.Union(p.Vlans.Tagged))).Distinct().Order();

    /// <summary>Both; of two that want different things of one port, the later one.</summary>
    public VlanIntent With(VlanIntent later) => new()
    {
        Ports = [.. Ports.Where(p => later.Ports.All(l => l.Port != p.Port)), .. later.Ports.Select(l => Ports.FirstOrDefault(p => p.Port == l.Port) is { } earlier ? Merge(earlier, l) : l)],
        Create = Create.RemoveRange(later.Remove).SetItems(later.Create),
        Remove = Remove.Except(later.Create.Keys).Union(later.Remove),
    };

    static PortIntent Merge(PortIntent earlier, PortIntent later) =>
        later with { Vlans = later.Vlans ?? earlier.Vlans, IsEnabled = later.IsEnabled ?? earlier.IsEnabled, Description = later.Description ?? earlier.Description };
}

/// <summary>What of a switch is ours. Nothing else is ever written, whatever is asked.</summary>
sealed record SwitchPolicy
{
    /// <summary>By the driver's number.</summary>
    public required ImmutableSortedSet<int> Ports { get; init; }
    public required ImmutableSortedSet<VlanId> Vlans { get; init; }
    /// <summary>Ways to other switches, and our own way to this one: not ours although they may be among the ports.</summary>
    public ImmutableSortedSet<int> Uplinks { get; init; } = [];

    public bool MayWrite(int port) => Ports.Contains(port) && !Uplinks.Contains(port);
}

/// <summary>One PDU, and the one that takes it back.</summary>
sealed record VlanWrite(ImmutableArray<Varbind> Set, ImmutableArray<Varbind> Undo);

/// <summary>What a plan comes to.</summary>
abstract record VlanPlan
{
    /// <summary>Nothing will be written; every reason is named.</summary>
    public sealed record Refused(ImmutableArray<string> Reasons) : VlanPlan;

    /// <param name="Writes">In their order; none when all is as it should be.</param>
    /// <param name="Expected">How the ports that are written will be.</param>
    public sealed record Ready(ImmutableArray<VlanWrite> Writes, ImmutableSortedDictionary<int, PortVlans> Expected) : VlanPlan;
}

/// <param name="Done">How many writes were done.</param>
/// <param name="Refusal">What the switch said to the next; null when all were done.</param>
sealed record WriteOutcome(int Done, string? Refusal)
{
    /// <summary>SET requests that it took: some writes are more than one.</summary>
    public int Sets { get; init; } = Done;
}
