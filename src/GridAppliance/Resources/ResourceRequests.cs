using GridAppliance.Api.Modules;
using GridAppliance.Api.Resources;
using GridAppliance.Nodes;
using GridAppliance.Operations;

namespace GridAppliance.Resources;

/// <summary>What people and programs want of resources: each node gets an operation of its own, or says why not. A dry run asks the same questions and starts nothing.</summary>
sealed class ResourceRequests(ResourceLedger ledger, ModuleOffers offers, OperationRunner operations, TimeProvider time)
{
    static readonly TimeSpan LongestLease = TimeSpan.FromDays(366);

    /// <summary>What one node has and who holds what of it.</summary>
    public NodeResourcesDocument Describe(Node node) => new()
    {
        Node = node.Name, State = node.State.ToString().ToLowerInvariant(), Total = ledger.TotalOf(node), Free = ledger.FreeOf(node),
        Holdings = [.. ledger.On(node.Id).Select(holding => holding.ToDocument(ledger.UsageOf(holding.Id)))],
    };

    /// <summary>What is wrong with the request whatever the nodes are like, in one sentence; null when nothing is.</summary>
    public string? Defect(HoldRequest request, bool allocate)
    {
        if (!IsOwner(request.Owner)) return "an owner is named by up to 64 letters, digits and . _ - @";
        if (request.Count is <= 0) return "count is one at least";
        if (request.Holding is not null && !Guid.TryParse(request.Holding, out _)) return "a holding is named by its id";
        if (request.Modules is null || request.Modules.Count > 16) return "at most 16 modules";
        if (request.Amounts is null) return allocate ? null : "say how much: CPUs, memory, disk, accelerators";
        if (!request.Amounts.IsSound) return "amounts are not negative, and named resources are named like modules";
        if (request.Amounts.Cpus == 0) return "a holding takes one processor at least";
        var length = LengthOf(request);
        return length is null ? "say for how long" : length <= TimeSpan.Zero ? "the end lies in the past" : length > LongestLease ? "a year is the longest" : null;
    }

    public async Task<ChangeDocument> HoldAsync(IReadOnlyList<Node> range, HoldRequest request, bool allocate, string actor, CancellationToken cancellationToken)
    {
        var plans = range.Select(node => (Node: node, Plan: Plan(node, request, allocate, actor))).ToList();
        // The tightest fit: what is left elsewhere stays whole for those who need much.
        if (request.Count is { } count)
            plans = [.. plans.Where(one => one.Plan.Operation is not null).OrderBy(one => ledger.FreeOf(one.Node).Cpus).ThenBy(one => ledger.FreeOf(one.Node).MemoryMiB).ThenBy(one => one.Node.Name, StringComparer.Ordinal).Take(count)];
        var change = await NodeSubmissions.SubmitAsync(operations, [.. plans.Select(one => (one.Node.Name, one.Plan))], request.DryRun, cancellationToken);
        return request.Count is { } wanted && plans.Count < wanted
            ? change with { Nodes = [.. change.Nodes, new() { Node = request.Range, Accepted = false, Message = $"{wanted} asked for, and {plans.Count} {(plans.Count == 1 ? "has" : "have")} room" }] }
            : change;
    }

    public Task<ChangeDocument> FreeAsync(IReadOnlyList<Node> range, FreeRequest request, string actor, CancellationToken cancellationToken)
    {
        var plans = new List<(string, (NewOperation?, string))>();
        foreach (var node in range)
        {
            var mine = ledger.On(node.Id).Where(holding => request.Holding is { } id ? holding.Id.ToString() == id : holding.Owner == request.Owner).ToList();
            if (mine.Count == 0) plans.Add((node.Name, (null, request.Holding is null ? $"{request.Owner} holds nothing of {node.Name}" : $"{node.Name} has no such holding")));
            foreach (var holding in mine)
                plans.Add((node.Name, holding.State == HoldingState.Planned
                    ? (null, "it is only coming about: cancel its operation instead")
                    : (FreeResources.For(holding, $"freed by {actor}", actor), $"{holding.Amounts} of {holding.Owner} will be freed")));
        }
        return NodeSubmissions.SubmitAsync(operations, plans, request.DryRun, cancellationToken);
    }

    (NewOperation? Operation, string Message) Plan(Node node, HoldRequest request, bool allocate, string actor)
    {
        if (InstallModule.NoAgent(node) is { } obstacle) return (null, obstacle);
        var modules = new List<string>();
        foreach (var wanted in request.Modules.Concat(request.Amounts?.Named.Keys ?? []))
        {
            if (offers.Find(wanted) is not { } module) return (null, $"no module in the catalogue is called or provides {wanted}");
            if (!node.Modules.Any(installed => installed.Name == module.Name) && InstallModule.Refusal(offers.Catalog, node, module) is { } refusal) return (null, refusal);
            if (!modules.Contains(module.Name)) modules.Add(module.Name);
        }
        return allocate && (request.Holding is not null || request.Amounts is null) ? PlanAllocation(node, request, modules, actor) : PlanNew(node, request, modules, allocate, actor);
    }

    (NewOperation? Operation, string Message) PlanNew(Node node, HoldRequest request, List<string> modules, bool allocate, string actor)
    {
        var amounts = ledger.WithMemory(node, request.Amounts!);
        if (ledger.Refusal(node, amounts) is { } lack) return (null, lack);
        var now = time.GetUtcNow();
        var holding = new Holding
        {
            Id = Guid.CreateVersion7(now), NodeId = node.Id, Node = node.Name, Owner = request.Owner, Amounts = amounts, Until = now + LengthOf(request)!.Value, Modules = modules,
        };
        return (HoldResources.For(holding, HoldPurpose.New, allocate, actor), $"{holding.Amounts} will be {(allocate ? "allocated to" : "reserved for")} {holding.Owner} until {holding.Until:u}");
    }

    (NewOperation? Operation, string Message) PlanAllocation(Node node, HoldRequest request, List<string> modules, string actor)
    {
        var mine = ledger.On(node.Id).Where(holding => holding.Owner == request.Owner && (request.Holding is { } id ? holding.Id == Guid.Parse(id) : holding.State == HoldingState.Reserved)).ToList();
        if (mine.Count != 1) return (null, mine.Count == 0 ? $"{request.Owner} has no reservation on {node.Name}" : $"{request.Owner} has {mine.Count} reservations on {node.Name}: name one");
        var reserved = mine[0];
        if (!reserved.IsSettled) return (null, $"it is {reserved.State.ToString().ToLowerInvariant()}");
        var wanted = reserved with { Modules = [.. reserved.Modules.Union(modules)], Until = LengthOf(request) is { } length ? time.GetUtcNow() + length : reserved.Until };
        // What is allocated already can still be given a module or more time, and that is not taken back to a reservation.
        var purpose = reserved.State == HoldingState.Reserved ? HoldPurpose.Allocate : HoldPurpose.Restore;
        return (HoldResources.For(wanted, purpose, allocate: true, actor), $"{reserved.Amounts} reserved for {reserved.Owner} will be allocated");
    }

    TimeSpan? LengthOf(HoldRequest request) => request switch
    {
        { Seconds: { } seconds } => TimeSpan.FromSeconds(Math.Clamp(seconds, 0, (long)LongestLease.TotalSeconds + 1)),
        { Until: { } until } => until - time.GetUtcNow(),
        _ => null,
    };

    static bool IsOwner(string? text) => text is { Length: > 0 and <= 64 } && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '@');
}
