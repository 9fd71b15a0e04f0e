using GridAppliance.Api.Grids;
using GridAppliance.Api.Modules;
using GridAppliance.Modules;
using GridAppliance.Nodes;
using GridAppliance.Operations;

namespace GridAppliance.Grids;

/// <summary>What a person wants of grids: each node gets an operation of its own, or says why not. A dry run asks the same questions and starts nothing.</summary>
sealed class GridRequests(GridDirectory grids, GridEngines engines, GridSecrets secrets, GridWork work, GridTelling telling, ImageSteps images, ModuleCatalog catalog, OperationRunner operations, NodeDirectory nodes, TimeProvider time)
{
    /// <summary>Between the record of who is coming and the last of their operations nobody looks for members without one.</summary>
    readonly SemaphoreSlim joining = new(1, 1);

    /// <summary>Why there cannot be such a grid, or null.</summary>
    public string? Defect(GridRequest request, IReadOnlyList<Node> masters, IReadOnlyList<Node> workers) =>
        !IsName(request.Name) ? "a grid's name is lower-case letters, digits and dashes, 32 at most"
        : grids.Find(request.Name) is not null ? $"there is a grid {request.Name} already: gridctl grid add {request.Name} …"
        : engines.Find(request.Engine) is not { } engine ? $"there is no engine {request.Engine}: {string.Join(", ", engines.Names)}"
        : masters.Concat(workers).GroupBy(node => node.Id).FirstOrDefault(group => group.Skip(1).Any()) is { } twice ? $"{twice.First().Name} is named as master and as worker"
        : engine.Refusal(masters, workers) is { } refusal ? refusal
        // Without its master nothing of it can work.
        : masters.Select(node => Obstacle(engine, node, GridRole.Master)).FirstOrDefault(reason => reason is not null);

    public async Task<ChangeDocument> CreateAsync(GridRequest request, IReadOnlyList<Node> masters, IReadOnlyList<Node> workers, string actor, CancellationToken cancellationToken)
    {
        var engine = engines.Find(request.Engine)!;
        var now = time.GetUtcNow();
        var grid = new Grid { Id = Guid.CreateVersion7(now), Name = request.Name, Engine = engine.Name, Created = now };
        if (!request.DryRun)
        {
            secrets.Make(grid.Id, engine.Secrets);
            await grids.ChangeAsync(grid.Id, _ => grid, new("grid.created", $"grid {grid.Name} is to be made of {masters.Count + workers.Count} nodes by {engine.Name}") { Actor = actor }, cancellationToken);
        }
        return await JoinAsync(grid, engine, [.. masters.Select(node => (node, GridRole.Master)), .. workers.Select(node => (node, GridRole.Worker))], request.DryRun, actor, cancellationToken);
    }

    public Task<ChangeDocument> AddAsync(Grid grid, IReadOnlyList<Node> workers, bool dryRun, string actor, CancellationToken cancellationToken) =>
        JoinAsync(grid, engines.Find(grid.Engine)!, [.. workers.Select(node => (node, GridRole.Worker))], dryRun, actor, cancellationToken);

    async Task<ChangeDocument> JoinAsync(Grid grid, IGridEngine engine, IReadOnlyList<(Node Node, GridRole Role)> wanted, bool dryRun, string actor, CancellationToken cancellationToken)
    {
        var able = wanted.Where(one => Obstacle(engine, one.Node, one.Role) is null).ToList();
        var plans = wanted.Select(one => (one.Node.Name, able.Contains(one)
            ? ((NewOperation?)JoinGrid.For(grid, new(one.Node.Id, one.Node.Name, one.Role, GridStanding.Joining), one.Node, actor), $"{one.Node.Name} will be {(one.Role == GridRole.Worker ? "a worker" : one == wanted[0] ? "the master" : "the backup master")} of {grid.Name}")
            : (null, Obstacle(engine, one.Node, one.Role) ?? "changed in the meantime"))).ToList();
        if (dryRun) return await NodeSubmissions.SubmitAsync(operations, plans, dryRun, cancellationToken);
        await joining.WaitAsync(cancellationToken);
        try
        {
            // All at once, before the first is begun: a master is told of everybody who is coming, and need not start again for each.
            await grids.ChangeAsync(grid.Id, latest => able.Aggregate(latest, static (next, one) => next?.Find(one.Node.Id) is null ? next?.With(new(one.Node.Id, one.Node.Name, one.Role, GridStanding.Joining)) : next), null, cancellationToken);
            return await NodeSubmissions.SubmitAsync(operations, plans, dryRun, cancellationToken);
        }
        finally
        {
            joining.Release();
            // Those who were refused, or whom a person who went did not wait for.
            await DropStragglersAsync(CancellationToken.None);
        }
    }

    /// <summary>
    /// Takes members out who are on their way in, and with whom nobody is busy: the record of who comes is written before the operations, and whoever dies or goes between the two
    /// leaves members that would wait for ever.
    /// </summary>
    public async Task DropStragglersAsync(CancellationToken cancellationToken)
    {
        var bereft = new List<Grid>();
        await joining.WaitAsync(cancellationToken);
        try
        {
            foreach (var grid in grids.All)
            {
                var stragglers = grid.Members.Where(member => member.Standing == GridStanding.Joining && !operations.UnfinishedOn(member.NodeId).Any(static operation => operation.Kind == JoinGrid.KindName)).ToList();
                foreach (var straggler in stragglers) await DropAsync(grid, straggler, cancellationToken);
                if (stragglers.Count > 0) bereft.Add(grid);
            }
        }
        finally
        {
            joining.Release();
        }
        // A master may take its time, which nobody else has to wait for.
        foreach (var grid in bereft)
            if (grid.Master is { Standing: GridStanding.Member } master) await telling.TellAsync(grid.Id, master, cancellationToken);
    }

    async Task DropAsync(Grid grid, GridMember straggler, CancellationToken cancellationToken)
    {
        // It may have got an end of its own, or a whole membership, since.
        var rest = await grids.ChangeAsync(grid.Id, latest => latest?.Find(straggler.NodeId) is { Standing: GridStanding.Joining } ? latest.Without(straggler.NodeId) : latest,
            new("grid.refused", $"{straggler.Node} is not on its way into {grid.Name} any more: nobody is at it") { NodeId = straggler.NodeId, Node = straggler.Node, Severity = EventSeverity.Warning }, cancellationToken);
        if (rest is null) secrets.Forget(grid.Id);
    }

    /// <summary>After a start: what members share is there, also what an older version did not know of, and grids that were being dissolved go on with it.</summary>
    public async Task TakeUpAsync(CancellationToken cancellationToken)
    {
        foreach (var grid in grids.All)
        {
            if (engines.Find(grid.Engine) is { } engine) secrets.Make(grid.Id, engine.Secrets);
            if (grid.IsLeaving) await LeaveAsync(grid, null, new(), "appliance", cancellationToken);
        }
    }

    /// <summary>What keeps a node from joining, or null.</summary>
    string? Obstacle(IGridEngine engine, Node node, GridRole role) =>
        grids.Of(node.Id) is { } other ? $"{node.Name} belongs to grid {other.Name}"
        : node.State != NodeState.Idle ? $"{node.Name} is {node.State.ToString().ToLowerInvariant()}: only an idle node can be given to a grid"
        : (node.HasOwnSystem ? images.RootRefusal(node, engine.Image) : images.Refusal(node, engine.Image)) ?? (catalog.Find(engine.ModuleOf(role)) is { } module ? InstallModule.Refusal(catalog, node, module) : $"the module {engine.ModuleOf(role)} is not in the catalogue");

    /// <param name="grid">Which.</param>
    /// <param name="range">Members, or null for all of it: then it is dissolved.</param>
    /// <param name="request">How.</param>
    /// <param name="actor">Who.</param>
    /// <param name="cancellationToken">Ends the starting; what is started goes on.</param>
    public async Task<ChangeDocument> LeaveAsync(Grid grid, IReadOnlyList<Node>? range, GridChangeRequest request, string actor, CancellationToken cancellationToken)
    {
        if (range is null && !request.DryRun)
        {
            var rest = await grids.ChangeAsync(grid.Id, static latest => latest is null || latest.Members.IsEmpty ? null : latest with { IsLeaving = true },
                new("grid.leaving", $"grid {grid.Name} is being dissolved") { Actor = actor }, cancellationToken);
            if (rest is null) secrets.Forget(grid.Id);
        }
        // Workers first: their master sees them off.
        var members = grid.Members.Where(member => range is null || range.Any(node => node.Id == member.NodeId)).OrderByDescending(member => member.Role);
        if (!request.DryRun)
        {
            // A person's word goes before the appliance's own: who is on the way back does not come back.
            foreach (var back in members.SelectMany(member => operations.UnfinishedOn(member.NodeId)).Where(JoinGrid.IsReturn)) await operations.CancelAsync(back.Id, actor, $"it is to leave {grid.Name}", cancellationToken);
        }
        var strangers = (range ?? []).Where(node => grid.Find(node.Id) is null);
        return await NodeSubmissions.SubmitAsync(operations,
        [
            .. members.Select(member => (member.Node, range is not null && grid.Master == member
                ? ((NewOperation?)null, $"{member.Node} is the master of {grid.Name}: gridctl grid delete {grid.Name}")
                : (LeaveGrid.For(grid, member, request.Now || range is null, nodes.Current.Find(member.NodeId) is { HasOwnSystem: true }, actor), $"{member.Node} will leave {grid.Name}"))),
            .. strangers.Select(node => (node.Name, ((NewOperation?)null, $"{node.Name} is not in {grid.Name}"))),
        ], request.DryRun, cancellationToken);
    }

    /// <summary>No new work for these workers, or work again.</summary>
    public async Task<ChangeDocument> DrainAsync(Grid grid, IReadOnlyList<Node> range, bool resume, bool dryRun, string actor, CancellationToken cancellationToken)
    {
        var changes = new List<NodeChangeDocument>();
        foreach (var node in range)
        {
            var (accepted, message) = grid.Find(node.Id) is not { Role: GridRole.Worker, Standing: GridStanding.Member or GridStanding.Drained } member ? (false, $"{node.Name} is no working member of {grid.Name}")
                : grid.Master is not { Standing: GridStanding.Member } master ? (false, $"{grid.Name} has no master that could be told")
                : dryRun ? (true, resume ? "would get work again" : "would get no new work")
                : await DrainAsync(grid, master, member, resume, actor, cancellationToken);
            changes.Add(new() { Node = node.Name, Accepted = accepted, Message = message });
        }
        return new() { Nodes = changes, DryRun = dryRun };
    }

    async Task<(bool, string)> DrainAsync(Grid grid, GridMember master, GridMember member, bool resume, string actor, CancellationToken cancellationToken)
    {
        var answer = await work.DrainAsync(grid, master, member.Node, resume ? GridDrain.Resume : GridDrain.Gently, cancellationToken);
        if (!answer.Succeeded) return (false, $"{master.Node}: {answer.Message}");
        var message = resume ? $"{member.Node} gets work again" : $"{member.Node} gets no new work";
        await grids.ChangeAsync(grid.Id, latest => latest?.Find(member.NodeId) is { } there ? latest.With(there with { Standing = resume ? GridStanding.Member : GridStanding.Drained }) : latest,
            new("grid.drain", message) { NodeId = member.NodeId, Node = member.Node, Actor = actor }, cancellationToken);
        return (true, message);
    }

    static bool IsName(string name) => name.Length <= 32 && ModuleManifest.IsName(name);
}
