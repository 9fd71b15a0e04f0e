using System.Collections.Immutable;
using GridAppliance.Api.Switches;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Probes;
using GridAppliance.Switches;

namespace GridAppliance.Fabric.Probes;

/// <summary>A NIC that took part in a round.</summary>
/// <param name="Name">Whose it is.</param>
/// <param name="Mac">Its address.</param>
/// <param name="Where">SWITCH/PORT; null: no switch sees it.</param>
/// <param name="Vlans">VLANs that its port is meant to be in; empty where that is not known.</param>
sealed record ProbedNic(string Name, MacAddress Mac, string? Where, ImmutableSortedSet<VlanId> Vlans)
{
    public override string ToString() => Where is null ? $"{Name}'s {Mac}" : $"{Name} on {Where} (VLAN {string.Join(", ", Vlans)})";
}

/// <summary>A probe that one NIC heard of another.</summary>
readonly record struct ProbePassage(MacAddress On, MacAddress From, ProbeKind Kind);

/// <summary>What a round came to.</summary>
/// <param name="Document">Null when nobody could send anything.</param>
/// <param name="Leaks">What got through that should not have.</param>
/// <param name="Unproven">What was not tried, or shows nothing, and why.</param>
sealed record ProbeOutcome(ProbeRoundDocument? Document, ImmutableArray<string> Leaks, ImmutableArray<string> Unproven);

/// <summary>Whether what must be apart is apart, from what was heard. Pure.</summary>
static class ProbeJudgement
{
    /// <summary>Told one by one; a switch without VLANs would be a list of thousands.</summary>
    const int MostTold = 100;

    public static ProbeOutcome Judge(IReadOnlyCollection<ProbedNic> nics, IEnumerable<ProbePassage> heard, IEnumerable<string> silent)
    {
        var byMac = nics.ToDictionary(n => n.Mac);
        var kinds = heard.Where(h => byMac.ContainsKey(h.From) && byMac.ContainsKey(h.On)).ToLookup(h => (h.From, h.On), h => h.Kind);
        var leaks = new List<string>();
        var unproven = silent.ToList();
        int apart = 0, together = 0;
        foreach (var nic in nics.Where(n => n.Vlans.IsEmpty)) unproven.Add($"no switch says which VLAN {nic.Name}'s NIC {nic.Mac} is in: what it hears cannot be judged");
        foreach (var from in nics.Where(n => !n.Vlans.IsEmpty))
        {
            // Two NICs of one machine may be in different groups, and a machine that joins them is a leak like any other.
            foreach (var to in nics.Where(n => !n.Vlans.IsEmpty && n.Mac != from.Mac))
            {
                var through = kinds[(from.Mac, to.Mac)].Distinct().Order().ToList();
                if (!from.Vlans.Overlaps(to.Vlans))
                {
                    apart++;
                    if (through.Count > 0) leaks.Add($"frames of {from} reach {to}: {string.Join(", ", through.Select(Words))}");
                }
                else if (through.Contains(ProbeKind.Broadcast)) together++;
                // Two ports that only share tagged VLANs have no business with each other's untagged frames.
                else if (from.Vlans.Count == 1 && to.Vlans.Count == 1) unproven.Add($"{to} did not hear {from} although they are in one VLAN: probes do not get through even where they should");
            }
        }
        if (apart == 0 && together == 0 && unproven.Count == 0) unproven.Add("no two NICs were there to tell apart: the round shows nothing");
        var count = leaks.Count;
        return new(new() { Stations = nics.Count, Apart = apart, Together = together, Leaks = count }, Some(leaks), Some(unproven));
    }

    public static ImmutableArray<string> Some(List<string> all) => all.Count <= MostTold ? [.. all] : [.. all.Take(MostTold), $"and {all.Count - MostTold} more like these"];

    static string Words(ProbeKind kind) => kind switch
    {
        ProbeKind.Broadcast => "broadcast",
        ProbeKind.Unicast => "unicast",
        ProbeKind.Arp => "ARP",
        ProbeKind.NeighbourDiscovery => "IPv6 neighbour discovery",
        ProbeKind.Tagged => "tagged by itself",
        ProbeKind.DoubleTagged => "tagged twice",
    };
}
