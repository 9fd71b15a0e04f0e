using GridAppliance.Api.Nodes;

namespace GridAppliance.Api.NodeRanges;

/// <summary>The attributes that a range may ask for: <c>state=idle</c>, <c>switch=rack3</c>, <c>module=hello</c> …</summary>
public static class NodeAttributes
{
    sealed record Reading(Func<NodeDocument, IEnumerable<string?>> Values, bool Groups);

    // One line per attribute. The grouping ones may be named by their value alone.
    static readonly Dictionary<string, Reading> Readings = new(StringComparer.OrdinalIgnoreCase)
    {
        ["name"] = One(n => n.Name),
        ["state"] = One(n => n.State, groups: true),
        ["mac"] = new(n => n.Macs, false),
        ["ip"] = One(n => n.Ip),
        ["uuid"] = One(n => n.Uuid),
        ["arch"] = One(n => n.Arch, groups: true),
        ["firmware"] = One(n => n.Firmware, groups: true),
        ["switch"] = One(n => n.Location?.Switch, groups: true),
        ["port"] = One(n => n.Location?.Port),
        ["power"] = One(n => n.Power),
        ["bmc"] = One(n => n.Bmc?.Address),
        ["agent"] = One(n => n.Agent?.Version),
        ["module"] = new(n => n.Modules.Select(m => m.Name), true),
        ["vendor"] = One(n => n.Inventory?.Vendor),
        ["product"] = One(n => n.Inventory?.Product),
        ["serial"] = One(n => n.Inventory?.Serial),
        ["stage"] = One(n => n.Boot?.Stage),
    };

    static readonly string[] States = ["discovered", "enrolling", "idle", "assigning", "active", "releasing", "held", "failed", "retired"];

    public static IReadOnlyCollection<string> Names => Readings.Keys;

    public static bool Exists(string name) => Readings.ContainsKey(name);

    public static bool IsState(string word) => States.Contains(word, StringComparer.OrdinalIgnoreCase);

    internal static IEnumerable<string?> Of(NodeDocument node, string name) => Readings[name].Values(node);

    internal static IEnumerable<string?> Groups(NodeDocument node) => Readings.Values.Where(r => r.Groups).SelectMany(r => r.Values(node));

    static Reading One(Func<NodeDocument, string?> value, bool groups = false) => new(node => [value(node)], groups);
}
