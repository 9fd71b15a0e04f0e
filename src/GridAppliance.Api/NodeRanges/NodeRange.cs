using System.Diagnostics.CodeAnalysis;
using GridAppliance.Api.Nodes;

namespace GridAppliance.Api.NodeRanges;

/// <summary>
/// Which nodes a person means. Terms are joined by <c>,</c>, read from left to right; a term that begins with <c>-</c> takes away what it matches, and a range that begins
/// with one begins with every node. Within a term <c>@</c> intersects.
/// <code>
/// range  := term { "," term }              also "-" term directly after "]" or a space
/// term   := ["-"] factor { "@" factor }
/// factor := n[1-20,25] | n[01-20]          names, counted out; the width of the first number is kept
///         | word                           a node's name; else "all"; else the value of a grouping attribute, such as a switch, a state or a module (rack3, idle)
///         | attr=value | attr!=value       see <see cref="NodeAttributes"/>
///         | ~regex | attr=~regex           unanchored, case ignored, linear time
/// </code>
/// A hyphen inside a word belongs to it (<c>web-01</c>). Pure and bounded: parsing allocates at most <see cref="MaxNames"/> names.
/// </summary>
public sealed class NodeRange
{
    public const int MaxLength = 4096;
    public const int MaxFactors = 256;
    public const int MaxNames = 10_000;

    readonly IReadOnlyList<RangeTerm> terms;

    internal NodeRange(string text, IReadOnlyList<RangeTerm> terms) => (Text, this.terms) = (text, terms);

    /// <summary>As it was written.</summary>
    public string Text { get; }

    /// <summary>Every node.</summary>
    public static NodeRange All { get; } = new("all", [new(false, [new RangeFactor.Word("all")])]);

    public static bool TryParse(string text, [NotNullWhen(true)] out NodeRange? range, [NotNullWhen(false)] out NodeRangeDefect? defect) =>
        new NodeRangeParser(text).TryParse(out range, out defect);

    /// <exception cref="FormatException">The text is no noderange; the message says where and why.</exception>
    public static NodeRange Parse(string text) => TryParse(text, out var range, out var defect) ? range : throw new FormatException(defect.ToString());

    /// <summary>A range that names exactly these nodes, whatever else is going on in the meantime.</summary>
    public static string Exactly(IEnumerable<string> names) => string.Join(',', names);

    /// <summary>
    /// The names of this range, when it is nothing but names and each is a node's: only these need be looked at then, however many nodes there are. Null where others may be meant.
    /// </summary>
    /// <param name="isNode">Whether a node has exactly this name.</param>
    public IReadOnlyList<string>? OnlyNames(Func<string, bool> isNode)
    {
        var names = new List<string>();
        foreach (var term in terms)
        {
            if (term.Excludes) return null;
            foreach (var factor in term.Factors)
                if (factor is RangeFactor.Listed listed) names.AddRange(listed.Given);
                else if (factor is RangeFactor.Word word) names.Add(word.Text);
                else return null;
        }
        return names.TrueForAll(name => isNode(name)) ? names : null;
    }

    /// <summary>Picks from <paramref name="nodes"/>, in natural order of names.</summary>
    public NodeRangeSelection Select(IReadOnlyCollection<NodeDocument> nodes)
    {
        var byName = new Dictionary<string, NodeDocument>(StringComparer.OrdinalIgnoreCase);
        foreach (var node in nodes) byName[node.Name] = node;

        var chosen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var missing = new List<string>();
        var unknown = new List<string>();
        if (terms[0].Excludes) chosen.UnionWith(byName.Keys);
        foreach (var term in terms)
        {
            HashSet<string>? matched = null;
            foreach (var factor in term.Factors)
            {
                var (names, absent) = factor.Match(byName);
                // A name that is simply not there fails for itself; a word that was to narrow the range and means nothing would widen it instead.
                (term.Excludes || term.Factors.Count > 1 ? unknown : missing).AddRange(absent);
                if (matched is null) matched = names; else matched.IntersectWith(names);
            }
            if (term.Excludes) chosen.ExceptWith(matched!); else chosen.UnionWith(matched!);
        }
        return new()
        {
            Nodes = [.. chosen.Select(name => byName[name]).OrderBy(node => node.Name, NodeNameOrder.Instance)],
            Missing = [.. missing.Distinct(StringComparer.OrdinalIgnoreCase)],
            Unknown = [.. unknown.Distinct(StringComparer.OrdinalIgnoreCase)],
        };
    }

    public override string ToString() => Text;
}

/// <summary>What a range came to.</summary>
public sealed record NodeRangeSelection
{
    public required IReadOnlyList<NodeDocument> Nodes { get; init; }
    /// <summary>Named outright and not there: each is a failure of its own.</summary>
    public required IReadOnlyList<string> Missing { get; init; }
    /// <summary>Meant to narrow the range (after <c>-</c> or <c>@</c>) but naming nothing: a change refuses such a range whole.</summary>
    public required IReadOnlyList<string> Unknown { get; init; }
}

/// <summary>Where a range stops being one.</summary>
/// <param name="Position">Index into the text.</param>
public sealed record NodeRangeDefect(string Text, int Position, string Message)
{
    public override string ToString() => $"'{Text}' is no noderange: {Message} (at character {Position + 1})";
}
