using System.Text.RegularExpressions;
using GridAppliance.Api.Nodes;

namespace GridAppliance.Api.NodeRanges;

sealed record RangeTerm(bool Excludes, IReadOnlyList<RangeFactor> Factors);

/// <summary>The smallest part of a range. The cases are all there are.</summary>
abstract record RangeFactor
{
    /// <summary>Names that match, and names that were given and match nothing.</summary>
    public abstract (HashSet<string> Names, IReadOnlyList<string> Absent) Match(Dictionary<string, NodeDocument> nodes);

    static HashSet<string> Where(Dictionary<string, NodeDocument> nodes, Func<NodeDocument, bool> predicate)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var node in nodes.Values)
            if (predicate(node)) names.Add(node.Name);
        return names;
    }

    /// <summary>Names counted out from brackets.</summary>
    public sealed record Listed(IReadOnlyList<string> Given) : RangeFactor
    {
        public override (HashSet<string>, IReadOnlyList<string>) Match(Dictionary<string, NodeDocument> nodes)
        {
            var there = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
            var absent = new List<string>();
            foreach (var name in Given)
                if (nodes.ContainsKey(name)) there.Add(name); else absent.Add(name);
            return (there, absent);
        }
    }

    /// <summary>A node's name, <c>all</c>, or a group.</summary>
    public sealed record Word(string Text) : RangeFactor
    {
        public override (HashSet<string>, IReadOnlyList<string>) Match(Dictionary<string, NodeDocument> nodes)
        {
            if (nodes.TryGetValue(Text, out var named)) return (new(StringComparer.OrdinalIgnoreCase) { named.Name }, []);
            if (Text.Equals("all", StringComparison.OrdinalIgnoreCase)) return (new(nodes.Keys, StringComparer.OrdinalIgnoreCase), []);
            var group = Where(nodes, node => NodeAttributes.Groups(node).Any(value => Text.Equals(value, StringComparison.OrdinalIgnoreCase)));
            // A state is a word that means something even while no node is in it.
            return (group, group.Count > 0 || NodeAttributes.IsState(Text) ? [] : [Text]);
        }
    }

    public sealed record Attribute(string Name, string Value, bool Negated) : RangeFactor
    {
        public override (HashSet<string>, IReadOnlyList<string>) Match(Dictionary<string, NodeDocument> nodes) =>
            (Where(nodes, node => NodeAttributes.Of(node, Name).Any(value => Value.Equals(value, StringComparison.OrdinalIgnoreCase)) != Negated), []);
    }

    public sealed record Pattern(string Name, Regex Regex) : RangeFactor
    {
        public override (HashSet<string>, IReadOnlyList<string>) Match(Dictionary<string, NodeDocument> nodes) =>
            (Where(nodes, node => NodeAttributes.Of(node, Name).Any(value => value is not null && Regex.IsMatch(value))), []);
    }
}
