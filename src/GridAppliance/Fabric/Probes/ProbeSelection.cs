using GridAppliance.Api.Probes;
using GridAppliance.Nodes;
using GridAppliance.Switches;

namespace GridAppliance.Fabric.Probes;

/// <summary>Who and what goes into a round, and in words what is left out of it and why: what was not tried is not good. Pure.</summary>
static class ProbeSelection
{
    /// <summary>Nodes in one round; beyond it the pairs would be too many to tell.</summary>
    public const int MostNodes = 256;
    static readonly TimeSpan Lively = TimeSpan.FromMinutes(1);

    public static (List<Node> Asked, List<string> LeftOut) Nodes(IEnumerable<Node> nodes, DateTimeOffset now)
    {
        var all = nodes.Where(n => n.State != NodeState.Retired).OrderBy(n => n.Name, StringComparer.Ordinal).ToLookup(n => n.AgentLastSeen is { } seen && now - seen < Lively);
        List<string> leftOut = [.. all[false].Select(n => $"{n.Name} was not asked, because {Silence(n, now)}: nothing is known of what reaches it")];
        var asked = all[true].Take(MostNodes).ToList();
        if (all[true].Skip(MostNodes).ToList() is [var first, ..] beyond)
            leftOut.Add($"{beyond.Count} nodes ({(beyond.Count == 1 ? first.Name : $"{first.Name} to {beyond[^1].Name}")}) were not asked, because a round takes {MostNodes}: nothing is known of what reaches them");
        if (asked.Count == 0) leftOut.Insert(0, "not a frame was sent, because no node has an agent that listens: that what should be apart is apart has not been tried");
        return (asked, leftOut);
    }

    /// <param name="vlans">The most important first.</param>
    public static (List<ushort> Tried, List<string> LeftOut) Vlans(IEnumerable<VlanId> vlans)
    {
        var all = vlans.Distinct().ToList();
        var beyond = all.Skip(ProbeStation.MostVlans).ToList();
        List<string> leftOut = beyond.Count == 0 ? [] : [$"tags of {beyond.Count} VLANs ({Some(beyond)}) were not tried, because a round takes {ProbeStation.MostVlans}: whether a node's own tag leads into them is not known"];
        return ([.. all.Take(ProbeStation.MostVlans).Select(v => (ushort)v.Value)], leftOut);
    }

    /// <param name="targets">Addresses that stations are to send to directly.</param>
    public static IEnumerable<string> BeyondTargets(int targets) => targets <= ProbeStation.MostTargets ? []
        : [$"{targets - ProbeStation.MostTargets} of {targets} NICs were sent nothing directly, because a round takes {ProbeStation.MostTargets}: whether unicast reaches them is not known"];

    static string Silence(Node node, DateTimeOffset now) => node.AgentLastSeen is { } seen ? $"its agent was last heard of {(now - seen).TotalMinutes:0} min ago" : "no agent of it has been heard of since the appliance started";

    static string Some(List<VlanId> vlans)
    {
        const int Told = 10;
        return string.Join(", ", vlans.Take(Told)) + (vlans.Count > Told ? " …" : "");
    }
}
