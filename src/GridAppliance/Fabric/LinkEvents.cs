using GridAppliance.Nodes;
using GridAppliance.Switches;
using GridAppliance.Switches.Fleet;

namespace GridAppliance.Fabric;

/// <summary>Links that came or went between two readings of a switch, for the timeline. Pure.</summary>
static class LinkEvents
{
    /// <summary>A line card that is pulled takes 48 links with it: more than these are told in one line.</summary>
    const int MostOfOneReading = 16;

    public static IEnumerable<NewEvent> Of(ManagedSwitch one, SwitchSnapshot? before, FabricMap map)
    {
        if (before is null || one.Reading is not { } reading) yield break;
        var changed = reading.Snapshot.Ports.Values.Where(p => p.HasLink is { } now && before.Ports.GetValueOrDefault(p.Number)?.HasLink is { } then && now != then).ToList();
        if (changed.Count > MostOfOneReading)
        {
            yield return new("switch.links", $"{changed.Count(p => p.HasLink == true)} links of switch {one.Name} came up and {changed.Count(p => p.HasLink == false)} went down") { Severity = EventSeverity.Warning };
            yield break;
        }
        foreach (var port in changed)
        {
            var nodes = map.Placements.Values.Where(p => p.Switch == one.Name && p.Port == port.Name).Select(p => p.Node).Distinct().ToList();
            var who = nodes.Count == 0 ? "" : $" ({string.Join(", ", nodes)})";
            yield return port.HasLink == true
                ? new("switch.link-up", $"port {port.Name} of switch {one.Name} has a link{who}")
                : new("switch.link-down", $"port {port.Name} of switch {one.Name} has lost its link{who}") { Severity = EventSeverity.Warning };
        }
    }
}
