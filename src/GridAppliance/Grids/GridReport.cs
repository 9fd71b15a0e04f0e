using System.Globalization;

namespace GridAppliance.Grids;

/// <summary>What a grid's module says of its engine (its program <c>state</c>), the same words from every engine: see docs/grids.md. A line that is none is passed over.</summary>
sealed record GridReport(IReadOnlyList<GridNodeReport> Nodes, IReadOnlyList<GridJobReport> Jobs)
{
    /// <summary>What a master says that stands by and has all that the other one has; <see cref="Behind"/>: it has not, or does not answer.</summary>
    public const string Ready = "ready", Behind = "behind";

    /// <summary>Masters that stand by, with <see cref="Ready"/> or <see cref="Behind"/>.</summary>
    public IReadOnlyDictionary<string, string> Standbys { get; init; } = new Dictionary<string, string>();

    const int MostLines = 20_000;

    public static GridReport Read(string output)
    {
        var nodes = new List<GridNodeReport>();
        var jobs = new List<GridJobReport>();
        var standbys = new Dictionary<string, string>();
        foreach (var line in output.Split('\n').Take(MostLines))
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is ["node", var node, var state, var busy, var cpus, .. var load] && Number(busy) is { } used && Number(cpus) is { } all) nodes.Add(new(node, state, used, all, load is [var text, ..] ? text : null));
            else if (words is ["job", var id, var jobState, .. var rest]) jobs.Add(new(id, jobState, rest is [.., var name] ? name : "", rest is [var where, _, ..] ? where : null));
            else if (words is ["standby", var standby, Ready or Behind]) standbys[standby] = words[2];
        }
        return new(nodes, jobs) { Standbys = standbys };
    }

    /// <summary>What is said of a node; null when nothing is.</summary>
    public GridNodeReport? Find(string? node) => Nodes.FirstOrDefault(said => said.Node == node);

    static int? Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}

/// <param name="State">idle, busy, draining, drained or down.</param>
sealed record GridNodeReport(string Node, string State, int Busy, int Cpus, string? Load)
{
    public const string Down = "down";
}

/// <param name="State">In the engine's own words.</param>
/// <param name="Nodes">Where it runs or ran; null before it does.</param>
sealed record GridJobReport(string Id, string State, string Name, string? Nodes);
