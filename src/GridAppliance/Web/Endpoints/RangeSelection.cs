using System.Diagnostics.CodeAnalysis;
using GridAppliance.Api.Modules;
using GridAppliance.Api.NodeRanges;
using GridAppliance.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GridAppliance.Web.Endpoints;

/// <summary>The nodes that a change is about.</summary>
sealed record RangeSelection(IReadOnlyList<Node> Nodes, IReadOnlyList<string> Missing)
{
    public static bool TryRead(string range, NodeDirectory directory, [NotNullWhen(true)] out RangeSelection? selection, [NotNullWhen(false)] out ProblemHttpResult? problem)
    {
        (selection, problem) = (null, null);
        if (!NodeRange.TryParse(range, out var wanted, out var defect))
        {
            problem = Problems.BadRange(defect.ToString());
            return false;
        }
        var snapshot = directory.Current;
        // A request for one node of ten thousand does not describe the others.
        var looked = wanted.OnlyNames(name => snapshot.Find(name) is not null) is { } names ? names.Select(name => snapshot.Find(name)!) : snapshot.Nodes;
        var picked = wanted.Select([.. looked.Select(node => node.ToDocument())]);
        if (picked.Unknown.Count > 0)
        {
            problem = Problems.BadRange($"'{Problems.Short(picked.Unknown[0])}' names no node and no group, so the range would be wider than it says");
            return false;
        }
        selection = new([.. picked.Nodes.Select(node => snapshot.Find(node.Name)!)], picked.Missing);
        return true;
    }

    /// <summary>Changes the nodes of a range; names in it that are no node's are answered for beside them.</summary>
    public static async Task<Results<Ok<ChangeDocument>, ProblemHttpResult>> ChangeAsync(string range, NodeDirectory directory, Func<IReadOnlyList<Node>, Task<ChangeDocument>> change)
    {
        if (!TryRead(range, directory, out var selection, out var problem)) return problem;
        var changed = await change(selection.Nodes);
        return TypedResults.Ok(changed with { Nodes = [.. changed.Nodes, .. selection.Missing.Select(NotThere)] });
    }

    public static NodeChangeDocument NotThere(string name) => new() { Node = name, Accepted = false, Message = "there is no such node" };
}
