using GridAppliance.Agents;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Nodes;
using GridAppliance.Boot.Files;
using GridAppliance.Grids;
using GridAppliance.Hosting;
using GridAppliance.Modules;
using GridAppliance.Nodes;
using GridAppliance.Operations;
using GridAppliance.Tests.Boot;
using GridAppliance.Tests.Grids;
using GridAppliance.Tests.Modules;

namespace GridAppliance.Tests.Operations;

/// <summary>Nodes that are in a grid of the tests' engine, or on their way in or out. Their agents have modules that answer, and live on while the daemon dies, as does what the master knows.</summary>
abstract class GridWorld : ManagerWorld
{
    protected static readonly Guid GridId = Guid.Parse("6f0d2b1e-0000-7000-8000-000000000006");

    readonly Dictionary<Guid, SortedSet<string>> modules = [];
    readonly Dictionary<Guid, string> told = [];
    readonly SortedSet<string> drained = new(StringComparer.Ordinal);
    readonly Lock gate = new();
    Task serving = Task.CompletedTask;
    ApplianceKey? key;
    Parts parts = null!;

    protected GridDirectory Grids => parts.Grids;

    protected Grid? Current => Grids.Find(GridId);

    /// <summary>Work that is on a member until the world goes on.</summary>
    protected string? BusyNode { get; set; }

    /// <summary>The image is there already: BootImageWorld has the steps into another.</summary>
    public override bool Disturbs(string step) => !step.StartsWith("image ", StringComparison.Ordinal);

    public override async Task MeanwhileAsync()
    {
        await serving;
        BusyNode = null;
        await base.MeanwhileAsync();
        foreach (var node in Idle) Store.Nodes.Touch(node, latest => latest with { AgentLastSeen = Store.Clock.GetUtcNow() });
    }

    public override async Task RestartAsync()
    {
        await serving;
        await base.RestartAsync();
        Open();
    }

    public override string Fingerprint() =>
        $"{string.Join("; ", Idle.Select(id => Store.Nodes.Current.Find(id)!).Select(node => $"{node.Name} is {node.State}, is to boot {node.ImageWish ?? "tiny"}, has [{string.Join(' ', modules[node.Id])}], knows [{told.GetValueOrDefault(node.Id)}], orders waiting: {Orders.HasOrder(node.Id)}"))}; "
        + $"grid {(Current is { } grid ? $"[{string.Join(' ', grid.Members.Select(member => $"{member.Node}:{member.Role}:{member.Standing}{(member.DownSince is null ? "" : ":down")}"))}]" : "gone")}, drained [{string.Join(' ', drained)}], secrets: {Directory.Exists(Path.Combine(Store.Directory, "grids", GridId.ToString()))}";

    public override async ValueTask DisposeAsync()
    {
        await serving;
        key?.Dispose();
        await base.DisposeAsync();
    }

    protected sealed override async Task<NewOperation> WantedAsync()
    {
        Open();
        foreach (var name in (string[])["hello", "web"]) await parts.Catalog.ImportAsync(new MemoryStream(TestPackage.Signed(key!, TestPackage.Manifest(name))), "test", CancellationToken.None);
        foreach (var node in Idle)
        {
            modules[node] = [];
            await Store.Nodes.ChangeAsync(node, latest => (latest with { Image = RootImage.Tiny }, []), CancellationToken.None);
        }
        parts.Secrets.Make(GridId, parts.Engine.Secrets);
        return await AskedForAsync();
    }

    protected abstract Task<NewOperation> AskedForAsync();

    protected Task GridIsAsync(bool leaving, params GridMember[] members) =>
        Grids.ChangeAsync(GridId, _ => new() { Id = GridId, Name = "pool", Engine = parts.Engine.Name, Created = DateTimeOffset.UnixEpoch, Members = [.. members], IsLeaving = leaving }, null, CancellationToken.None);

    /// <summary>A member as a join leaves it.</summary>
    protected async Task<GridMember> MemberAsync(int number, GridRole role, string knows)
    {
        var node = Store.Nodes.Current.Find(Idle[number - 1])!;
        await Store.Nodes.ApplyAsync(node.Id, NodeEvent.Assign, "on its way", "test", null, CancellationToken.None);
        await Store.Nodes.ApplyAsync(node.Id, NodeEvent.Assigned, "works", "test", null, CancellationToken.None);
        modules[node.Id].Add(parts.Engine.ModuleOf(role));
        told[node.Id] = knows;
        await SayModulesAsync(node.Id);
        return new(node.Id, node.Name, role, GridStanding.Member);
    }

    /// <summary>As its agent's next call tells the appliance.</summary>
    protected Task SayModulesAsync(Guid node) => Store.Nodes.ChangeAsync(node, latest => (latest with { Modules = [.. modules[node].Select(name => new InstalledModuleDocument { Name = name, Version = "1.0", State = "running" })] }, []), CancellationToken.None);

    /// <summary>A member's machine boots: what it had goes with its memory.</summary>
    protected Task BootsAsync(GridMember member)
    {
        modules[member.NodeId].Clear();
        told.Remove(member.NodeId);
        return SayModulesAsync(member.NodeId);
    }

    protected GridMember Coming(int number, GridRole role) => new(Idle[number - 1], Store.Nodes.Current.Find(Idle[number - 1])!.Name, role, GridStanding.Joining);

    protected bool Has(Guid node, string module) => modules[node].Contains(module);

    protected IOperationKind Join => new JoinGrid(parts.Grids, parts.Engines, parts.Telling, parts.Work, parts.Secrets, parts.Images, parts.Modules, parts.Catalog, Store.Nodes, Store.Clock);

    protected IOperationKind Leave => new LeaveGrid(parts.Grids, parts.Engines, parts.Telling, parts.Work, parts.Secrets, parts.Images, parts.Modules, parts.Catalog, Store.Nodes, Store.Clock);

    protected sealed override async Task CarryOutAsync(Guid node, OrderDocument order)
    {
        switch (order)
        {
            case { Kind: OrderKinds.InstallModule }:
                modules[node].Add(order.Module!.Name);
                break;
            case { Kind: OrderKinds.RemoveModule }:
                modules[node].Remove(order.Module!.Name);
                told.Remove(node);
                break;
            case { Run.Command: ["told"] }:
                told[node] = order.Run.Files!["roster"];
                // An engine forgets of a node what it is no longer told of.
                if (order.Run.Module == parts.Engine.ModuleOf(GridRole.Master)) drained.IntersectWith(told[node].Split(' '));
                break;
            case { Run.Command: ["drain", var worker, "resume"] }:
                drained.Remove(worker);
                break;
            case { Run.Command: ["drain", var worker, ..] }:
                drained.Add(worker);
                break;
        }
        if (order.Module is not null) await SayModulesAsync(node);
    }

    /// <summary>A worker is counted on as soon as it has the module, and has been told its part; a master that stands by has what the other one has, likewise.</summary>
    protected sealed override string? Says(Guid node, OrderDocument order) => order.Run?.Command is not ["state"] ? null : string.Concat(told[node].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(name =>
    {
        var worker = Store.Nodes.Current.Find(name)!.Id;
        var works = Has(worker, parts.Engine.ModuleOf(GridRole.Worker)) && told.ContainsKey(worker);
        return $"node {name} {(!works ? "down" : drained.Contains(name) ? BusyNode == name ? "draining" : "drained" : BusyNode == name ? "busy" : "idle")} 0 1 0.00\n";
    })) + string.Concat(Current!.Masters.Where(other => other.NodeId != node).Select(other => $"standby {other.Node} {(Has(other.NodeId, "hello") && told.ContainsKey(other.NodeId) ? "ready" : "behind")}\n"));

    void Open()
    {
        var options = TestPackage.Options(Store.Directory);
        key?.Dispose();
        key = ApplianceKey.Open(Store.Directory);
        parts = new(Store, Orders, options, key);
        // What is asked of a master is waited for within a step: its agent answers meanwhile. Any other order waits until the world goes on.
        Orders.Waiting += node =>
        {
            lock (gate) serving = AfterAsync(serving, node);
        };
    }

    async Task AfterAsync(Task before, Guid node)
    {
        await before;
        await Task.Yield();
        if (Store.Database.Read(AgentOrderStore.LoadOpen).Find(order => order.NodeId == node) is { Document.Kind: OrderKinds.Run }) await ServeAsync(node);
    }

    /// <summary>Of one life of the daemon.</summary>
    sealed class Parts
    {
        /// <summary>A megabyte, made once for thousands of runs.</summary>
        static readonly BootCatalogState Files = BootBench.Catalog();

        public Parts(TestStore store, AgentOrders orders, ApplianceOptions options, ApplianceKey key)
        {
            Catalog = new(store.Database, new(options), key, new(options), store.Timeline, store.Clock);
            Engines = new([Engine]);
            Grids = new(store.Database, store.Timeline);
            Secrets = new(options, Grids);
            var calls = new GridCalls(orders, store.Clock);
            Telling = new(Grids, Engines, calls, store.Nodes);
            Work = new(Engines, calls, new(), store.Clock);
            Images = new(store.Nodes, orders, new(store.Database), Files, store.Clock);
            Modules = new(orders, store.Clock);
        }

        public IGridEngine Engine { get; } = new RosterEngine();
        public GridEngines Engines { get; }
        public GridDirectory Grids { get; }
        public GridSecrets Secrets { get; }
        public GridTelling Telling { get; }
        public GridWork Work { get; }
        public ImageSteps Images { get; }
        public ModuleOrders Modules { get; }
        public ModuleCatalog Catalog { get; }
    }
}

/// <summary>The first of its grid. Taken back, it leaves a grid of nobody, as it was made.</summary>
sealed class JoinAsMasterWorld : GridWorld
{
    string alone = "";

    public override IOperationKind Kind => Join;

    public override string? ExpectedAfter(OperationEnd end, string before) => alone;

    protected override async Task<NewOperation> AskedForAsync()
    {
        await GridIsAsync(leaving: false);
        alone = Fingerprint();
        await GridIsAsync(leaving: false, Coming(1, GridRole.Master));
        return JoinGrid.For(Current!, Current!.Members[0], Store.Nodes.Current.Find(Idle[0])!, "alice");
    }
}

/// <summary>The third beside a master and a worker. Taken back, the master knows the one that it knew before.</summary>
/// <param name="staysInItsSystem">It has a system of its own, and boots nothing.</param>
sealed class JoinAsWorkerWorld(bool staysInItsSystem = false) : GridWorld
{
    string without = "";

    public override IOperationKind Kind => Join;

    public override string? ExpectedAfter(OperationEnd end, string before) => without;

    protected override async Task<NewOperation> AskedForAsync()
    {
        var (master, worker) = (await MemberAsync(1, GridRole.Master, "n2"), await MemberAsync(2, GridRole.Worker, "n1"));
        await GridIsAsync(leaving: false, master, worker);
        without = Fingerprint();
        if (staysInItsSystem) await Store.Nodes.ChangeAsync(Idle[2], latest => (latest with { Image = null }, []), CancellationToken.None);
        Assert.Equal(staysInItsSystem, Store.Nodes.Current.Find(Idle[2])!.HasOwnSystem);
        await GridIsAsync(leaving: false, master, worker, Coming(3, GridRole.Worker));
        return JoinGrid.For(Current!, Current!.Members[2], Store.Nodes.Current.Find(Idle[2])!, "alice");
    }
}

/// <summary>The second master beside one that works. Taken back, the first is alone again.</summary>
sealed class JoinAsBackupWorld : GridWorld
{
    string without = "";

    public override IOperationKind Kind => Join;

    public override string? ExpectedAfter(OperationEnd end, string before) => without;

    protected override async Task<NewOperation> AskedForAsync()
    {
        var (master, worker) = (await MemberAsync(1, GridRole.Master, "n2"), await MemberAsync(2, GridRole.Worker, "n1"));
        await GridIsAsync(leaving: false, master, worker);
        without = Fingerprint();
        await GridIsAsync(leaving: false, master, worker, Coming(3, GridRole.Master));
        return JoinGrid.For(Current!, Current!.Members[2], Store.Nodes.Current.Find(Idle[2])!, "alice");
    }
}

/// <summary>A worker whose machine booted, and which stays a member whatever becomes of its way back.</summary>
sealed class ReturnWorld : GridWorld
{
    public override IOperationKind Kind => Join;

    public override string? ExpectedAfter(OperationEnd end, string before) => null;

    protected override async Task<NewOperation> AskedForAsync()
    {
        var (master, worker) = (await MemberAsync(1, GridRole.Master, "n2"), await MemberAsync(2, GridRole.Worker, "n1"));
        await GridIsAsync(leaving: false, master, worker with { DownSince = Store.Clock.GetUtcNow() });
        await BootsAsync(worker);
        return JoinGrid.BackFor(Current!, Current!.Members[1], Store.Nodes.Current.Find(Idle[1])!);
    }
}

/// <summary>A backup master that is taken out of a grid that goes on; it stays where it does not leave after all.</summary>
sealed class LeaveAsBackupWorld : GridWorld
{
    public override IOperationKind Kind => Leave;

    public override string? ExpectedAfter(OperationEnd end, string before) => Has(Idle[2], "hello") ? before : null;

    protected override async Task<NewOperation> AskedForAsync()
    {
        await GridIsAsync(leaving: false, await MemberAsync(1, GridRole.Master, "n2"), await MemberAsync(2, GridRole.Worker, "n1"), await MemberAsync(3, GridRole.Master, "n2"));
        return LeaveGrid.For(Current!, Current!.Members[2], now: false, staysInItsSystem: false, "alice");
    }
}

/// <summary>One of two workers, with work that is waited for. It stays what it was where it does not leave after all, as long as it has what it needs for that.</summary>
/// <param name="staysInItsSystem">It has a system of its own, and boots nothing.</param>
sealed class LeaveWorld(bool staysInItsSystem = false) : GridWorld
{
    public override IOperationKind Kind => Leave;

    public override string? ExpectedAfter(OperationEnd end, string before) => Has(Idle[1], "web") ? before : null;

    protected override async Task<NewOperation> AskedForAsync()
    {
        await GridIsAsync(leaving: false, await MemberAsync(1, GridRole.Master, "n2 n3"), await MemberAsync(2, GridRole.Worker, "n1"), await MemberAsync(3, GridRole.Worker, "n1"));
        BusyNode = "n2";
        return LeaveGrid.For(Current!, Current!.Members[1], now: false, staysInItsSystem, "alice");
    }
}

/// <summary>The grid goes with its last member, and its secrets with it.</summary>
sealed class DissolveWorld : GridWorld
{
    public override IOperationKind Kind => Leave;

    public override string? ExpectedAfter(OperationEnd end, string before) => Has(Idle[0], "hello") ? before : null;

    protected override async Task<NewOperation> AskedForAsync()
    {
        await GridIsAsync(leaving: true, await MemberAsync(1, GridRole.Master, ""));
        return LeaveGrid.For(Current!, Current!.Members[0], now: true, staysInItsSystem: false, "alice");
    }
}
