using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Store;

namespace GridAppliance.Grids;

/// <summary>
/// Looks after grids while nobody asks: what a dead daemon or a person who went left half begun, and how engines have their workers. One that its engine gives up is written down, told, and shown;
/// that it gets no work, and that its work goes on elsewhere, is the engine's doing. A master that is gone is replaced, and members that booted anew are brought back.
/// </summary>
sealed partial class GridWatch(GridDirectory grids, GridRequests requests, GridWork work, GridSightings sightings, GridSuccession succession, GridReturns returns, TimeProvider time, ILogger<GridWatch> logger) : BackgroundService
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

    async Task LookAsync(Grid found, CancellationToken cancellationToken)
    {
        if (await succession.LookAsync(found, cancellationToken) is not { } grid) return;
        var before = sightings.Of(grid.Id);
        var asked = time.GetUtcNow();
        var (report, problem) = await work.LookAsync(grid, cancellationToken);
        sightings.Note(grid.Id, new(report, problem, time.GetUtcNow()));
        // Waiting in vain took so long that it may be known by now why.
        if (report is null && await succession.LookAsync(grid, cancellationToken) is { } now) grid = now;
        await succession.RemindAsync(grid, report is null ? asked : null, cancellationToken);
        foreach (var member in grid.Members.Where(static member => member.Standing is GridStanding.Member or GridStanding.Drained))
        {
            // What an engine says of one that is on its way back may be from before it went.
            if (IsDown(report, member) is not { } isDown || returns.IsUnderway(member.NodeId)) continue;
            // Twice in a row: an engine that has just started has not heard of anybody yet.
            if (isDown && member.DownSince is null && IsDown(before?.Report, member) == true) await RecordAsync(grid, member, time.GetUtcNow(), Down(grid, member), cancellationToken);
            if (!isDown && member.DownSince is not null) await RecordAsync(grid, member, null, Back(grid, member), cancellationToken);
        }
        await returns.LookAsync(grid, cancellationToken);
    }

    /// <summary>Whether an engine has a worker as down, or a master that stands by as behind; null where it says nothing of it.</summary>
    static bool? IsDown(GridReport? report, GridMember member) => member.Role switch
    {
        GridRole.Worker => report?.Find(member.Node) is { } seen ? seen.State == GridNodeReport.Down : null,
        GridRole.Master => report?.Standbys.GetValueOrDefault(member.Node) is { } standby ? standby == GridReport.Behind : null,
    };

    static NewEvent Down(Grid grid, GridMember member) => new($"grid.{Word(member)}-down", member.Role switch
    {
        GridRole.Worker => $"{grid.Engine} of grid {grid.Name} has taken {member.Node} out: it does not answer; what it had to do goes on elsewhere",
        GridRole.Master => $"{member.Node} does not take what the master of grid {grid.Name} writes down: it cannot take over",
    })
    { Severity = EventSeverity.Error };

    /// <summary>What tells that a member works again.</summary>
    public static NewEvent Back(Grid grid, GridMember member) => new($"grid.{Word(member)}-back", member.Role switch
    {
        GridRole.Worker => $"{grid.Engine} of grid {grid.Name} counts on {member.Node} again",
        GridRole.Master => grid.Master?.NodeId == member.NodeId ? $"{member.Node} takes requests for grid {grid.Name} again" : $"{member.Node} has what the master of grid {grid.Name} has, and can take over",
    });

    /// <summary>As events are named.</summary>
    public static string Word(GridMember member) => member.Role.ToString().ToLowerInvariant();

    Task RecordAsync(Grid grid, GridMember member, DateTimeOffset? downSince, NewEvent happened, CancellationToken cancellationToken) => grids.ChangeAsync(grid.Id,
        latest => latest?.Find(member.NodeId) is { } there && (there.DownSince is null) != (downSince is null) ? latest.With(there with { DownSince = downSince }) : latest,
        happened with { NodeId = member.NodeId, Node = member.Node }, cancellationToken);

    [LoggerMessage(LogLevel.Warning, "what happened to a grid could not be written and is tried again: {Reason}")]
    partial void LogNotStored(string reason);
}
