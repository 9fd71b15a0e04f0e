using System.Globalization;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Grids;

namespace GridAppliance.Grids;

/// <summary>Asks a grid's master how things stand there, and hands requests over to it.</summary>
sealed class GridWork(GridEngines engines, GridCalls calls, GridSightings sightings, TimeProvider time)
{
    const int LongestWait = 300, LookSeconds = 12, DrainSeconds = 30;

    /// <summary>Tasks of an array are jobs each: in a list of grids the first are told, and how many there are in all.</summary>
    const int MostJobs = 200;

    /// <returns>How the engine has it, as its master says; or why there are no such words.</returns>
    public async Task<(GridReport? Report, string? Problem)> LookAsync(Grid grid, CancellationToken cancellationToken)
    {
        if (grid.Master is not { } master) return (null, $"{grid.Name} has no master");
        if (master.Standing != GridStanding.Member) return (null, $"{master.Node} is not up");
        var answer = await AskMasterAsync(grid, master, ["state"], LookSeconds, cancellationToken);
        return answer.Succeeded ? (GridReport.Read(answer.Output ?? ""), null) : (null, $"{master.Node}: {answer.Message}");
    }

    /// <summary>No new work for a worker, or work again.</summary>
    public Task<OrderResult> DrainAsync(Grid grid, GridMember master, string worker, GridDrain how, CancellationToken cancellationToken) => AskMasterAsync(grid, master, how switch
    {
        GridDrain.Gently => ["drain", worker],
        GridDrain.Now => ["drain", worker, "now"],
        GridDrain.Resume => ["drain", worker, "resume"],
    }, DrainSeconds, cancellationToken);

    /// <summary>One of the programs that a master's module has.</summary>
    Task<OrderResult> AskMasterAsync(Grid grid, GridMember master, IReadOnlyList<string> command, int seconds, CancellationToken cancellationToken) => engines.Find(grid.Engine) is { } engine
        ? calls.AskAsync(master.NodeId, master.Node, new() { Module = engine.ModuleOf(GridRole.Master), Command = command, Seconds = seconds }, cancellationToken)
        : Task.FromResult(new OrderResult { Succeeded = false, Message = GridEngines.Unknown(grid.Engine) });

    public async Task<GridDocument> ShowAsync(Grid grid, CancellationToken cancellationToken)
    {
        if (grid.Master is not { Standing: GridStanding.Member }) return Describe(grid, null);
        var (report, problem) = await LookAsync(grid, cancellationToken);
        return Describe(grid, new(report, problem, time.GetUtcNow()));
    }

    /// <summary>Without asking anybody: what the appliance has, and what the engine said when it was last asked.</summary>
    public GridDocument Describe(Grid grid)
    {
        var whole = Describe(grid, sightings.Of(grid.Id));
        return whole.Jobs.Count > MostJobs ? whole with { Jobs = [.. whole.Jobs.Take(MostJobs)] } : whole;
    }

    static GridDocument Describe(Grid grid, GridSighting? sighting) => new()
    {
        Name = grid.Name,
        Engine = grid.Engine,
        State = grid.IsLeaving ? "leaving" : grid.Members.Any(member => member.Standing == GridStanding.Joining) ? "forming" : "up",
        Created = grid.Created,
        Members = [.. grid.Members.Select(member =>
        {
            var seen = sighting?.Report?.Find(member.Node);
            return new GridMemberDocument
            {
                Node = member.Node, Role = member.Role.ToString().ToLowerInvariant(), Standing = member.Standing.ToString().ToLowerInvariant(), DownSince = member.DownSince,
                State = seen?.State ?? sighting?.Report?.Standbys.GetValueOrDefault(member.Node), BusyCpus = seen?.Busy, Cpus = seen?.Cpus, Load = seen?.Load,
            };
        })],
        Jobs = [.. (sighting?.Report?.Jobs ?? []).Select(job => new GridJobDocument { Id = job.Id, State = job.State, Name = job.Name, Nodes = job.Nodes })],
        JobCounts = (sighting?.Report?.Jobs ?? []).CountBy(job => job.State).ToDictionary(count => count.Key, count => count.Value),
        Problem = sighting?.Problem,
        Seen = sighting?.At,
    };

    /// <returns>What came of it; null with a reason when it is no request.</returns>
    public async Task<(GridWorkDocument? Answer, string? Defect)> RequestAsync(Grid grid, GridWorkRequest request, CancellationToken cancellationToken)
    {
        if (request.Seconds is < 1 or > LongestWait || request.Count is < 1 or > 10_000) return (null, $"seconds are 1 to {LongestWait}, a count is 1 to 10000");
        if (grid.Master is not { Standing: GridStanding.Member } master || engines.Find(grid.Engine) is not { } engine) return (null, $"{grid.Name} has no master that takes requests yet");
        var run = new RunOrder { Module = engine.ModuleOf(GridRole.Master), Command = [], Seconds = request.Seconds };
        var count = request.Count.ToString(CultureInfo.InvariantCulture);
        RunOrder? order = request switch
        {
            { Kind: "run", Command: [{ Length: > 0 }, ..] } => run with { Command = ["request", "run", count, .. request.Command] },
            { Kind: "submit", Script.Length: > 0 } => run with { Command = ["request", "submit", count], Files = new Dictionary<string, string> { ["job"] = request.Script } },
            { Kind: "output", Job: { } job } when int.TryParse(job, NumberStyles.None, CultureInfo.InvariantCulture, out var number) => run with { Command = ["request", "output", number.ToString(CultureInfo.InvariantCulture)] },
            _ => null,
        };
        if (order is null) return (null, "a request is run with a command, submit with a script, or output with a job's number");
        var answer = await calls.AskAsync(master.NodeId, master.Node, order, cancellationToken);
        return (new() { Succeeded = answer.Succeeded, Message = answer.Message, Output = answer.Output ?? "" }, null);
    }
}

/// <summary>What is asked of a master about one of its workers.</summary>
enum GridDrain
{
    /// <summary>No new work; what it does goes on to its end.</summary>
    Gently,
    /// <summary>No new work; what it does goes on elsewhere.</summary>
    Now,
    /// <summary>Work again.</summary>
    Resume,
}
