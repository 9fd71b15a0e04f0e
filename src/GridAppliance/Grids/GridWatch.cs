using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Store;

namespace GridAppliance.Grids;

/// <summary>
/// Looks after grids while nobody asks: what a dead daemon or a person who went left half begun, and how engines have their workers. One that its engine gives up is written down, told, and shown;
/// that it gets no work, and that its work goes on elsewhere, is the engine's doing.
/// </summary>
sealed partial class GridWatch(GridDirectory grids, GridRequests requests, GridWork work, GridSightings sightings, TimeProvider time, ILogger<GridWatch> logger) : BackgroundService
{
    static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    /// <summary>Of two looks at once the older one could have the last word.</summary>
    readonly SemaphoreSlim looking = new(1, 1);
    bool hasTakenUp;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Rounds.RunAsync(Period, time, LookAsync, LogNotStored, stoppingToken);

    /// <summary>Looks once at every grid. A master that does not answer keeps nobody else's grid from being looked at.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        await looking.WaitAsync(cancellationToken);
        try
        {
            await TakeUpAsync(cancellationToken);
            await requests.DropStragglersAsync(cancellationToken);
            sightings.Keep(grids.All.Select(static grid => grid.Id));
            await Task.WhenAll(grids.All.Where(static grid => grid.Master is { Standing: GridStanding.Member }).Select(grid => LookAsync(grid, cancellationToken)));
        }
        finally
        {
            looking.Release();
        }
    }

    /// <summary>Once in each life of the daemon. A disk that takes nothing at its start keeps it from nothing else: the next round tries again.</summary>
    async Task TakeUpAsync(CancellationToken cancellationToken)
    {
        if (hasTakenUp) return;
        try
        {
            await requests.TakeUpAsync(cancellationToken);
            hasTakenUp = true;
        }
        catch (IOException e)
        {
            LogNotStored(e.Message);
        }
    }

    async Task LookAsync(Grid grid, CancellationToken cancellationToken)
    {
        var before = sightings.Of(grid.Id);
        var (report, problem) = await work.LookAsync(grid, cancellationToken);
        sightings.Note(grid.Id, new(report, problem, time.GetUtcNow()));
        foreach (var node in report?.Nodes ?? [])
        {
            if (grid.Members.FirstOrDefault(member => member.Node == node.Node) is not { Role: GridRole.Worker, Standing: GridStanding.Member or GridStanding.Drained } member) continue;
            // Twice in a row: an engine that has just started has not heard of anybody yet.
            var isDown = node.State == GridNodeReport.Down && before?.Report?.Find(node.Node)?.State == GridNodeReport.Down;
            if (isDown && member.DownSince is null)
                await RecordAsync(grid, member, time.GetUtcNow(), new("grid.worker-down", $"{grid.Engine} of grid {grid.Name} has taken {member.Node} out: it does not answer; what it had to do goes on elsewhere") { Severity = EventSeverity.Error }, cancellationToken);
            if (node.State != GridNodeReport.Down && member.DownSince is not null)
                await RecordAsync(grid, member, null, new("grid.worker-back", $"{grid.Engine} of grid {grid.Name} counts on {member.Node} again"), cancellationToken);
        }
    }

    Task RecordAsync(Grid grid, GridMember member, DateTimeOffset? downSince, NewEvent happened, CancellationToken cancellationToken) => grids.ChangeAsync(grid.Id,
        latest => latest?.Find(member.NodeId) is { } there && (there.DownSince is null) != (downSince is null) ? latest.With(there with { DownSince = downSince }) : latest,
        happened with { NodeId = member.NodeId, Node = member.Node }, cancellationToken);

    [LoggerMessage(LogLevel.Warning, "what happened to a grid could not be written and is tried again: {Reason}")]
    partial void LogNotStored(string reason);
}
