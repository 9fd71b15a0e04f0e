using System.Collections.Immutable;
using GridAppliance.Switches;
using GridAppliance.Switches.Fleet;

namespace GridAppliance.Fabric;

/// <summary>A port of ours that is not as it was left.</summary>
/// <param name="Wanted">As it was left.</param>
/// <param name="Actual">As it is; null: the switch has no such port any more.</param>
/// <param name="Right">Who is right, by the switch's policy.</param>
sealed record PortDrift(string Switch, string Port, LeftPort Wanted, PortVlans? Actual, DriftPolicy Right)
{
    public string Message => Actual is null
        ? $"port {Port} of switch {Switch} is gone; it was left {Wanted.Vlans}"
        : $"port {Port} of switch {Switch} is {Actual}, and was left {Wanted.Vlans} by {Wanted.By}";
}

/// <summary>What differs between a switch and how it was left. Pure.</summary>
static class Drift
{
    public static ImmutableArray<PortDrift> Of(SwitchRecord record, SwitchSnapshot snapshot, SwitchPolicy policy, ImmutableSortedDictionary<string, LeftPort> left)
    {
        var found = ImmutableArray.CreateBuilder<PortDrift>();
        foreach (var (name, wanted) in left)
        {
            var port = snapshot.Port(name);
            // What is no longer ours is no longer our business; what cannot be read cannot be judged.
            if (port is not null && (!policy.MayWrite(port.Number) || !port.Vlans.IsKnown || port.Vlans == wanted.Vlans)) continue;
            found.Add(new(record.Name, name, wanted, port?.Vlans, record.Drift));
        }
        return found.DrainToImmutable();
    }

    /// <summary>The change that makes the switch as it was left.</summary>
    /// <param name="drifts">What differs.</param>
    /// <param name="snapshot">The switch as it is.</param>
    /// <param name="names">Names of VLANs, for those that have to be made anew.</param>
    public static VlanIntent Mending(IEnumerable<PortDrift> drifts, SwitchSnapshot snapshot, IReadOnlyDictionary<int, string> names)
    {
        List<PortIntent> ports = [.. drifts.Where(d => d.Actual is not null).Select(d => (snapshot.Port(d.Port), d.Wanted)).Where(d => d.Item1 is not null).Select(d => new PortIntent(d.Item1!.Number) { Vlans = d.Wanted.Vlans })];
        var gone = ports.SelectMany(p => p.Vlans!.Untagged.Union(p.Vlans.Tagged)).Distinct().Where(v => !snapshot.Vlans.ContainsKey(v));
        return new() { Ports = [.. ports], Create = gone.Where(v => names.ContainsKey(v.Value)).ToImmutableSortedDictionary(v => v, v => names[v.Value]) };
    }
}
