using GridAppliance.Boot.Files;
using GridAppliance.Grids;
using GridAppliance.Nodes;

namespace GridAppliance.Tests.Grids;

/// <summary>The smallest engine that there can be: a master that has a list of names. It shows that Slurm is one engine among others.</summary>
/// <param name="image">What its nodes run.</param>
sealed class RosterEngine(string image = RootImage.Tiny) : IGridEngine
{
    public string Name => image == RootImage.Tiny ? "roster" : $"roster-{image}";

    public string Image => image;

    public string ModuleOf(GridRole role) => role == GridRole.Master ? "hello" : "web";

    public IReadOnlyList<string> Secrets { get; } = ["word"];

    public string? Refusal(IReadOnlyList<Node> masters, IReadOnlyList<Node> workers) => masters.Count == 0 ? "a roster has to be somewhere" : null;

    public IReadOnlyDictionary<string, string> Tell(Grid grid, GridRole role, IReadOnlyList<Node> masters, IReadOnlyList<Node> workers) => new Dictionary<string, string>
    {
        ["roster"] = role == GridRole.Master ? string.Join(' ', workers.Select(worker => worker.Name)) : masters[0].Name,
        ["masters"] = string.Join(' ', masters.Select(master => master.Name)),
    };
}
