using System.Collections.Concurrent;
using GridAppliance.Api.Agents;
using GridAppliance.Nodes;

namespace GridAppliance.Grids;

/// <summary>Tells members how their grid stands, one at a time for each grid: of two changes the later one is what the master is told last.</summary>
sealed class GridTelling(GridDirectory grids, GridEngines engines, GridCalls calls, NodeDirectory nodes)
{
    /// <summary>A controller that has to start again needs it, under emulation.</summary>
    const int Seconds = 60;

    readonly ConcurrentDictionary<Guid, SemaphoreSlim> gates = new();

    /// <returns>Null once the node has made it so; else why not.</returns>
    public async Task<Untold?> TellAsync(Guid gridId, GridMember member, CancellationToken cancellationToken)
    {
        var gate = gates.GetOrAdd(gridId, static _ => new(1, 1));
        await gate.WaitAsync(cancellationToken);
        try
        {
            if (grids.Find(gridId) is not { } grid) return new("the grid is gone", ForGood: true);
            if (engines.Find(grid.Engine) is not { } engine) return new(GridEngines.Unknown(grid.Engine), ForGood: true);
            IReadOnlyList<Node> Who(GridRole role) => [.. grid.Members.Where(other => other.Role == role && other.Standing != GridStanding.Leaving).Select(other => nodes.Current.Find(other.NodeId)).OfType<Node>()];
            // Masters are told of each other once they are there: the one that leads waits for nobody.
            bool IsUp(Node master) => master.Id == member.NodeId || grid.Find(master.Id)!.Standing != GridStanding.Joining && master.Has(engine.ModuleOf(GridRole.Master));
            var masters = Who(GridRole.Master);
            if (masters.Count == 0) return new($"{grid.Name} has no master any more", ForGood: true);
            var answer = await calls.AskAsync(member.NodeId, member.Node, new RunOrder
            {
                Module = engine.ModuleOf(member.Role), Command = ["told"], Files = engine.Tell(grid, member.Role, member.Role == GridRole.Master ? [.. masters.Where(IsUp)] : masters, Who(GridRole.Worker)), Secrets = engine.SecretsOf(member.Role), Seconds = Seconds,
            }, cancellationToken);
            return answer.Succeeded ? null : new($"{member.Node}: {answer.Message}", ForGood: false);
        }
        finally
        {
            gate.Release();
        }
    }
}

/// <summary>Why a member was not told.</summary>
/// <param name="Reason">One sentence.</param>
/// <param name="ForGood">There is nobody to tell, or nobody to tell of: trying again changes nothing.</param>
sealed record Untold(string Reason, bool ForGood);

/// <summary>Every engine by its name.</summary>
sealed class GridEngines(IEnumerable<IGridEngine> engines)
{
    readonly Dictionary<string, IGridEngine> byName = engines.ToDictionary(engine => engine.Name, StringComparer.Ordinal);

    public IGridEngine? Find(string name) => byName.GetValueOrDefault(name);

    /// <summary>Why nothing comes of a grid that another version of the daemon made.</summary>
    public static string Unknown(string name) => $"this daemon knows no engine called {name}";

    public IReadOnlyList<string> Names => [.. byName.Keys.Order(StringComparer.Ordinal)];
}
