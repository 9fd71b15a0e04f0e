using GridAppliance.Agent;
using GridAppliance.Agent.Resources;
using GridAppliance.Agents;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Resources;
using GridAppliance.Hosting;
using GridAppliance.Modules;
using GridAppliance.Nodes;
using GridAppliance.Operations;
using GridAppliance.Resources;
using GridAppliance.Tests.Agent;
using GridAppliance.Tests.Modules;

namespace GridAppliance.Tests.Operations;

/// <summary>The parts of an appliance and of one node's agent that have to do with holdings: real ones on real files. Each side can die and come back by itself.</summary>
sealed class ResourceParts : IAsyncDisposable
{
    public static readonly MachineResources Machine = new([0, 1, 2, 3], 1000, 0, []);

    readonly ScratchFolder folder = new();
    int boot = 1;
    ApplianceKey? key;

    /// <summary>One of its own where none is given; made only then, since each has files and a thread.</summary>
    public TestStore Store { get => field ??= new(); init; }
    public ScriptedGroups Groups { get; } = new();
    public Guid NodeId { get; private set; }
    public ResourceLedger Ledger { get; private set; } = null!;
    public AgentOrders Orders { get; private set; } = null!;
    public IReadOnlyList<IOperationKind> Kinds { get; private set; } = [];
    public ResourceHost Host { get; private set; } = null!;
    public ResourceBook Book { get; private set; } = null!;

    public async Task OpenAsync()
    {
        OpenAppliance();
        OpenAgent();
        NodeId = (await Store.DiscoverAsync(1)).Id;
        await Store.Nodes.ApplyAsync(NodeId, NodeEvent.AgentEnrolled, "enrolling", "node", latest => latest with { AgentKey = [1, 2, 3], Inventory = new() { Allocatable = Machine.Amounts } }, CancellationToken.None);
        await Store.Nodes.ApplyAsync(NodeId, NodeEvent.Ready, "idle", "appliance", null, CancellationToken.None);
    }

    public Holding Wanted(string owner, int cpus, long memory = 0, int seconds = 600) => new()
    {
        Id = Guid.NewGuid(), NodeId = NodeId, Node = "n1", Owner = owner, Amounts = new() { Cpus = cpus, MemoryMiB = memory }, Until = Store.Clock.GetUtcNow() + TimeSpan.FromSeconds(seconds),
    };

    public void OpenAppliance()
    {
        var options = TestPackage.Options(Store.Directory);
        key?.Dispose();
        key = ApplianceKey.Open(Store.Directory);
        var catalog = new ModuleCatalog(Store.Database, new(options), key, new(options), Store.Timeline, Store.Clock);
        var offers = new ModuleOffers(catalog);
        Ledger = new(Store.Database, Store.Nodes, Store.Timeline, offers);
        Orders = new(Store.Database, Store.Nodes, new(), Store.Clock);
        var holdings = new HoldingOrders(Orders, Ledger, Store.Nodes, offers, Store.Clock);
        // No module here: what would run their operations is not asked for.
        var modules = new HoldingModules(Ledger, new(Store.Database, catalog, Store.Clock), Store.Nodes, new(() => null!), new(() => null!));
        Kinds = [new HoldResources(Ledger, holdings, modules, Store.Nodes), new FreeResources(Ledger, holdings, modules, Store.Nodes)];
    }

    /// <summary>As after <c>kill -9</c> of the agent: its files and the kernel's groups are there.</summary>
    public void OpenAgent()
    {
        Book = new(new AgentPaths(folder.Path), Machine, $"boot-{boot}");
        Host = new(Book, Groups, new(), new(TextWriter.Null), Store.Clock);
    }

    /// <summary>The machine starts anew: nothing of the agent's is left.</summary>
    public void Reboot()
    {
        boot++;
        Groups.Clear();
        OpenAgent();
    }

    public async Task<OrderResult> CarryOutAsync(OrderDocument order)
    {
        var outcome = order.Kind == OrderKinds.Hold ? await Host.HoldAsync(order.Holding!, CancellationToken.None) : await Host.FreeAsync(order.Holding!.Id, CancellationToken.None);
        return new() { Succeeded = outcome.Succeeded, Message = outcome.Message };
    }

    public async Task ServeAsync()
    {
        await Orders.SweepAsync(CancellationToken.None);
        if (await Orders.TakeAsync(NodeId, CancellationToken.None) is { } order) await Orders.ReportAsync(NodeId, order.Id, await CarryOutAsync(order.Document), CancellationToken.None);
    }

    public string Fingerprint() =>
        $"ledger [{string.Join(' ', Ledger.All.Select(holding => $"{holding.Owner}:{holding.Amounts}:{holding.State}").Order())}], agent [{string.Join(' ', Book.Holdings.Select(holding => $"{holding.Owner}:{holding.Amounts}:{holding.Allocated}").Order())}], "
        + $"in force [{string.Join(' ', Groups.InForce.Values.Select(group => group.Owner).Order())}], orders waiting: {Orders.HasOrder(NodeId)}";

    public async ValueTask DisposeAsync()
    {
        key?.Dispose();
        folder.Dispose();
        await Store.DisposeAsync();
    }
}

abstract class ResourceWorld : OperationWorld
{
    ResourceParts? parts;

    protected ResourceParts Parts => parts ??= new() { Store = Store };

    public override async Task<NewOperation> PrepareAsync()
    {
        await Parts.OpenAsync();
        return await WantedAsync();
    }

    protected abstract Task<NewOperation> WantedAsync();

    public override Task MeanwhileAsync() => Parts.ServeAsync();

    public override async Task RestartAsync()
    {
        await base.RestartAsync();
        Parts.OpenAppliance();
    }

    public override string Fingerprint() => Parts.Fingerprint();

    /// <summary>A holding as an operation leaves it.</summary>
    protected async Task<Holding> HeldAsync(bool allocated)
    {
        var holding = Parts.Wanted("alice", 2, 300);
        await Parts.Ledger.PlanAsync(holding, CancellationToken.None);
        await Parts.Host.HoldAsync(new() { Id = holding.Id.ToString(), Owner = holding.Owner, Amounts = holding.Amounts, Allocated = allocated, Seconds = 600 }, CancellationToken.None);
        return (await Parts.Ledger.ChangeAsync(holding.Id, latest => latest with { State = allocated ? HoldingState.Allocated : HoldingState.Reserved }, null, CancellationToken.None))!;
    }

    public override async ValueTask DisposeAsync()
    {
        if (parts is not null) await parts.DisposeAsync();
        else await base.DisposeAsync();
    }
}

sealed class ReserveWorld : ResourceWorld
{
    public override IOperationKind Kind => Parts.Kinds[0];

    protected override Task<NewOperation> WantedAsync() => Task.FromResult(HoldResources.For(Parts.Wanted("alice", 2, 300), HoldPurpose.New, allocate: false, "alice"));
}

sealed class AllocateWorld : ResourceWorld
{
    public override IOperationKind Kind => Parts.Kinds[0];

    protected override Task<NewOperation> WantedAsync() => Task.FromResult(HoldResources.For(Parts.Wanted("alice", 2, 300), HoldPurpose.New, allocate: true, "alice"));
}

/// <summary>Taking it back makes it a reservation again.</summary>
sealed class AllocateReservationWorld : ResourceWorld
{
    public override IOperationKind Kind => Parts.Kinds[0];

    protected override async Task<NewOperation> WantedAsync() => HoldResources.For(await HeldAsync(allocated: false), HoldPurpose.Allocate, allocate: true, "alice");
}

sealed class FreeWorld : ResourceWorld
{
    public override IOperationKind Kind => Parts.Kinds[1];

    protected override async Task<NewOperation> WantedAsync() => FreeResources.For(await HeldAsync(allocated: true), "freed by alice", "alice");

    // An end that was begun is not taken back: it is begun again by whoever looks after leases.
    public override string? ExpectedAfter(OperationEnd end, string before) => null;
}
