using System.CommandLine;
using GridAppliance.Api.NodeRanges;

namespace GridAppliance.Cli.Commands;

/// <summary>A noderange on the command line.</summary>
static class RangeArgument
{
    public static Argument<string?> Optional(string description) => new("RANGE") { Description = description, Arity = ArgumentArity.ZeroOrOne };

    public static Argument<string> Required() => new("RANGE") { Description = "Which nodes: n[1-20], rack3, idle, attr=val, ~regex; ',' joins, '@' intersects, '-' excludes." };

    /// <exception cref="UsageException">It is no noderange.</exception>
    public static NodeRange Read(string text) =>
        NodeRange.TryParse(text, out var range, out var defect) ? range : throw new UsageException(defect.ToString(), "see `gridctl --help` for what a RANGE is");
}
