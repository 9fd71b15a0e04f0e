using System.Collections.Immutable;

namespace GridAppliance.Switches;

/// <summary>In words, the first way in which two readings of a switch differ, or a reading is not what was wanted. Pure.</summary>
static class SnapshotDifference
{
    /// <summary>What of a change did not come true, or came true besides it; null when all is well.</summary>
    public static string? Unfulfilled(SwitchSnapshot before, SwitchSnapshot after, VlanIntent intent, ImmutableSortedDictionary<int, PortVlans> expected)
    {
        foreach (var (number, wanted) in expected)
        {
            if (!after.Ports.TryGetValue(number, out var port)) return $"port {number} is gone";
            if (port.Vlans != wanted) return $"{port.Name} was to be {wanted} and is {port.Vlans}";
        }
        foreach (var wish in intent.Ports)
        {
            var port = after.Ports[wish.Port];
            if (wish.IsEnabled is { } isEnabled && port.IsEnabled != isEnabled) return $"{port.Name} was to be {(isEnabled ? "open" : "shut")} and is not";
            if (wish.Description is { } description && port.Description != description) return $"{port.Name} was to be called '{description}' and is called '{port.Description}'";
        }
        foreach (var vlan in intent.Create.Keys.Where(v => !after.Vlans.ContainsKey(v))) return $"VLAN {vlan} was to be there and is not";
        foreach (var vlan in intent.Remove.Where(after.Vlans.ContainsKey)) return $"VLAN {vlan} was to be gone and is not";
        return Of(before, after, expected.Keys);
    }

    /// <summary>The first port whose VLANs are others.</summary>
    public static string? Of(SwitchSnapshot before, SwitchSnapshot after, IEnumerable<int>? besides = null)
    {
        var skipped = besides?.ToHashSet() ?? [];
        foreach (var (number, port) in before.Ports)
        {
            if (skipped.Contains(number)) continue;
            if (!after.Ports.TryGetValue(number, out var now)) return $"{port.Name} is gone";
            // A port that carries whatever VLANs there are is the same port when there is one more.
            var isSame = before.OpenTrunks.Contains(number) ? Shared(now.Vlans, before) == Shared(port.Vlans, after) : now.Vlans == port.Vlans;
            if (!isSame) return $"{port.Name} was {port.Vlans} and is {now.Vlans}";
        }
        return null;
    }

    /// <summary>The first of some VLANs that is there in one reading only, or has another name.</summary>
    public static string? OfVlans(SwitchSnapshot before, SwitchSnapshot after, IEnumerable<VlanId> vlans)
    {
        foreach (var vlan in vlans)
        {
            var (was, now) = (before.Vlans.GetValueOrDefault(vlan), after.Vlans.GetValueOrDefault(vlan));
            if (was is null != now is null) return $"VLAN {vlan} is {(now is null ? "gone" : "there")}";
            if (was?.Name != now?.Name) return $"VLAN {vlan} was called '{was!.Name}' and is called '{now!.Name}'";
        }
        return null;
    }

    /// <summary>The first of the ports that were to be opened, shut or described that is not as it was.</summary>
    public static string? OfInterfaces(SwitchSnapshot before, SwitchSnapshot after, IEnumerable<PortIntent> wishes)
    {
        foreach (var wish in wishes)
        {
            if (!before.Ports.TryGetValue(wish.Port, out var was) || !after.Ports.TryGetValue(wish.Port, out var now)) continue;
            if (wish.IsEnabled is not null && was.IsEnabled != now.IsEnabled) return $"{was.Name} was {(was.IsEnabled == true ? "open" : "shut")} and is not";
            if (wish.Description is not null && was.Description != now.Description) return $"{was.Name} was called '{was.Description}' and is called '{now.Description}'";
        }
        return null;
    }

    static PortVlans Shared(PortVlans vlans, SwitchSnapshot other) => vlans with
    {
        Tagged = [.. vlans.Tagged.Where(other.Vlans.ContainsKey)],
        Untagged = [.. vlans.Untagged.Where(other.Vlans.ContainsKey)],
        Pvid = vlans.Pvid is { } pvid && other.Vlans.ContainsKey(pvid) ? pvid : null,
    };
}
