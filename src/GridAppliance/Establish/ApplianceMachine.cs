using System.Diagnostics.CodeAnalysis;
using GridAppliance.Boot.Http;
using GridAppliance.Nodes;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Establish;

/// <summary>The machine on which this daemon runs, as a node: one that was established at an address of the appliance's own.</summary>
sealed class ApplianceMachine(NodeDirectory nodes, BootPlane plane)
{
    /// <summary>What it may be called where nodes are named, unless a node has that name.</summary>
    const string Word = "appliance";

    /// <param name="range">A list of names.</param>
    /// <param name="named">The same with the node's own name.</param>
    /// <param name="problem">There is no such node yet, and what makes it one.</param>
    public bool TryName(string range, [NotNullWhen(true)] out string? named, [NotNullWhen(false)] out string? problem)
    {
        (named, problem) = (range, null);
        var parts = range.Split(',', StringSplitOptions.TrimEntries);
        if (!parts.Contains(Word, StringComparer.Ordinal) || nodes.Current.Find(Word) is not null) return true;
        var addresses = plane.Addresses.Select(static url => Ipv4Address.Parse(url.Host)).ToList();
        if (nodes.Current.Nodes.FirstOrDefault(node => node.HasOwnSystem && node.Ip is { } ip && addresses.Contains(ip)) is { } own)
        {
            named = string.Join(',', parts.Select(part => part == Word ? own.Name : part));
            return true;
        }
        (named, problem) = (null, addresses is [var first, ..]
            ? $"the appliance's own machine is no node yet: gridctl establish --hosts {first} --user root --apply"
            : "no network of this appliance has boot: true, so its own machine cannot be a node");
        return false;
    }
}
