using System.Collections.Immutable;

namespace GridAppliance.Lab.Switches.Snmp;

/// <summary>When each VLAN of a switch last changed, by the agent's own clock, and how many have gone: what the current table's TimeFilter index is made of. Immutable.</summary>
sealed record VlanTimes
{
    public static VlanTimes None { get; } = new();

    ImmutableDictionary<int, uint> Marks { get; init; } = ImmutableDictionary<int, uint>.Empty;

    public uint Deletes { get; private init; }

    public uint Since(int vlan) => Marks[vlan];

    /// <param name="before">Null at the agent's start: all of them have just come.</param>
    /// <param name="now">The switch as it is.</param>
    /// <param name="uptime">Hundredths of a second. A mark is never zero: that would be no time.</param>
    public VlanTimes Next(BridgeModel? before, BridgeModel now, uint uptime)
    {
        var marks = Marks;
        var gone = Marks.Keys.Where(vlan => !now.Vlans.ContainsKey(vlan)).ToList();
        foreach (var (vlan, row) in now.Vlans)
        {
            var isSame = before is not null && before.Vlans.TryGetValue(vlan, out var was) && was.Egress == row.Egress && was.Untagged == row.Untagged;
            if (!isSame) marks = marks.SetItem(vlan, Math.Max(1, uptime));
        }
        return new() { Marks = marks.RemoveRange(gone), Deletes = Deletes + (uint)gone.Count };
    }
}
