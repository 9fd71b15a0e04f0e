using System.Collections.Immutable;
using GridAppliance.Switches;
using GridAppliance.Switches.Fleet;

namespace GridAppliance.Fabric;

/// <summary>A port of ours that is not as it was left.</summary>
/// <param name="Left">As it was left.</param>
/// <param name="Wanted">As it was left, in what differs.</param>
/// <param name="Actual">As it is, in what differs; null: the switch has no such port any more.</param>
/// <param name="Right">Who is right, by the switch's policy.</param>
sealed record PortDrift(string Switch, string Port, LeftPort Left, PortIntent Wanted, PortIntent? Actual, DriftPolicy Right)
{
    public string Message => Actual is null
        ? $"port {Port} of switch {Switch} is gone; it was left {Wanted}"
        : $"port {Port} of switch {Switch} is {Actual}, and was left {Wanted} by {Left.By}";
}

/// <summary>What differs between a switch and how it was left. Pure.</summary>
static class Drift
{
    public static ImmutableArray<PortDrift> Of(SwitchRecord record, SwitchSnapshot snapshot, SwitchPolicy policy, ImmutableSortedDictionary<string, LeftPort> left)
    {
        var found = ImmutableArray.CreateBuilder<PortDrift>();
        foreach (var (name, wanted) in left)
        {
            if (snapshot.Port(name) is not { } port)
            {
                found.Add(new(record.Name, name, wanted, new(0) { Vlans = wanted.Vlans, IsEnabled = wanted.IsEnabled, Description = wanted.Description }, null, record.Drift));
                continue;
            }
            // What is no longer ours is no longer our business.
            if (policy.MayWrite(port.Number) && Difference(port, wanted) is var (was, now)) found.Add(new(record.Name, name, wanted, was, now, record.Drift));
        }
        return found.DrainToImmutable();
    }

    // What cannot be read, or of which nobody has said how it is to be, cannot be judged.
    static (PortIntent Wanted, PortIntent Actual)? Difference(SwitchPort port, LeftPort left)
    {
        PortIntent wanted = new(port.Number), actual = new(port.Number);
        if (port.Vlans.IsKnown && port.Vlans != left.Vlans) (wanted, actual) = (wanted with { Vlans = left.Vlans }, actual with { Vlans = port.Vlans });
        if (port.IsEnabled is { } isEnabled && left.IsEnabled is { } wasEnabled && isEnabled != wasEnabled) (wanted, actual) = (wanted with { IsEnabled = wasEnabled }, actual with { IsEnabled = isEnabled });
        if (left.Description is { } description && port.Description != description) (wanted, actual) = (wanted with { Description = description }, actual with { Description = port.Description });
        return wanted.IsNothing ? null : (wanted, actual);
    }

    /// <summary>The change that makes the switch as it was left.</summary>
    /// <param name="drifts">What differs.</param>
    /// <param name="snapshot">The switch as it is.</param>
    /// <param name="names">Names of VLANs, for those that have to be made anew.</param>
    public static VlanIntent Mending(IEnumerable<PortDrift> drifts, SwitchSnapshot snapshot, IReadOnlyDictionary<int, string> names)
    {
        List<PortIntent> ports = [.. drifts.Where(d => d.Actual is not null && snapshot.Ports.ContainsKey(d.Wanted.Port)).Select(d => d.Wanted)];
        var gone = new VlanIntent { Ports = [.. ports] }.Needed.Where(v => !snapshot.Vlans.ContainsKey(v) && names.ContainsKey(v.Value));
        return new() { Ports = [.. ports], Create = gone.ToImmutableSortedDictionary(v => v, v => names[v.Value]) };
    }
}
