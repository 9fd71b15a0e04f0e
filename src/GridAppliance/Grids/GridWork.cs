using System.Globalization;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Grids;

namespace GridAppliance.Grids;

/// <summary>Asks a grid's master how things stand there, and hands requests over to it.</summary>
sealed class GridWork(GridEngines engines, GridCalls calls)
{
    const int LongestWait = 300, LookSeconds = 8;

    public async Task<GridDocument> ShowAsync(Grid grid, CancellationToken cancellationToken)
    {
        GridReport? report = null;
        string? problem = null;
        if (grid.Master is { Standing: GridStanding.Member } master && engines.Find(grid.Engine) is { } engine)
        {
            var answer = await calls.AskAsync(master.NodeId, master.Node, new() { Module = engine.ModuleOf(GridRole.Master), Command = ["state"], Seconds = LookSeconds }, cancellationToken);
            if (answer.Succeeded) report = GridReport.Read(answer.Output ?? "");
            else problem = answer.Message;
        }
        return Describe(grid, report) with { Problem = problem };
    }

    /// <summary>What the appliance knows without asking anybody, and what the engine said where it was asked.</summary>
    public static GridDocument Describe(Grid grid, GridReport? report) => new()
    {
        Name = grid.Name,
        Engine = grid.Engine,
        State = grid.IsLeaving ? "leaving" : grid.Members.Any(member => member.Standing == GridStanding.Joining) ? "forming" : "up",
        Created = grid.Created,
        Members = [.. grid.Members.Select(member =>
        {
            var seen = report?.Nodes.FirstOrDefault(node => node.Node == member.Node);
            return new GridMemberDocument
            {
                Node = member.Node, Role = member.Role.ToString().ToLowerInvariant(), Standing = member.Standing.ToString().ToLowerInvariant(),
                State = seen?.State, BusyCpus = seen?.Busy, Cpus = seen?.Cpus, Load = seen?.Load,
            };
        })],
        Jobs = [.. (report?.Jobs ?? []).Select(job => new GridJobDocument { Id = job.Id, State = job.State, Name = job.Name, Nodes = job.Nodes })],
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
