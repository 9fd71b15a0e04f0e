using GridAppliance.Agents;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Nodes;
using GridAppliance.Hosting;
using GridAppliance.Modules;
using GridAppliance.Nodes;
using GridAppliance.Operations;
using GridAppliance.Tests.Modules;

namespace GridAppliance.Tests.Operations;

/// <summary>An idle node with an agent that carries out orders, each at most once, and lives on while the daemon dies.</summary>
abstract class ModuleWorld : OperationWorld
{
    readonly Dictionary<string, OrderResult> ledger = [];
    readonly SortedDictionary<string, string> installed = [];
    ApplianceKey? key;

    protected ModuleCatalog Catalog { get; private set; } = null!;

    protected AgentOrders Orders { get; private set; } = null!;

    protected Guid Node { get; private set; }

    protected void Installed(string name, string version) => installed[name] = version;

    public override async Task<NewOperation> PrepareAsync()
    {
        Open();
        Node = (await Store.DiscoverAsync(1)).Id;
        foreach (var version in (string[])["1.0", "2.0"]) await Catalog.ImportAsync(new MemoryStream(TestPackage.Signed(key!, TestPackage.Manifest("hello", version))), "test", CancellationToken.None);
        var enrolling = await Store.Nodes.ApplyAsync(Node, NodeEvent.AgentEnrolled, "enrolling", "node", latest => latest with { AgentKey = [1, 2, 3] }, CancellationToken.None);
        Arrange();
        return Wanted(await ReadyAsync(enrolling!));
    }

    protected virtual async Task<Node> ReadyAsync(Node enrolling) =>
        (await Store.Nodes.ApplyAsync(Node, NodeEvent.Ready, "idle", "appliance", latest => latest with { Modules = [.. Report()] }, CancellationToken.None))!;

    protected virtual void Arrange() { }

    protected abstract NewOperation Wanted(Node node);

    public override async Task MeanwhileAsync()
    {
        await Orders.SweepAsync(CancellationToken.None);
        if (await Orders.TakeAsync(Node, CancellationToken.None) is not { } order) return;
        if (!ledger.TryGetValue(order.Id, out var result)) ledger[order.Id] = result = CarryOut(order.Document);
        await new AgentPresence(Store.Nodes, Store.Clock).HasModulesAsync(Store.Nodes.Current.Find(Node)!, result.Modules, static () => true, CancellationToken.None);
        await Orders.ReportAsync(Node, order.Id, result, CancellationToken.None);
    }

    public override async Task RestartAsync()
    {
        await base.RestartAsync();
        Open();
    }

    public override string Fingerprint() =>
        $"agent has [{string.Join(' ', installed.Select(pair => $"{pair.Key}@{pair.Value}"))}], the node's record says [{string.Join(' ', Store.Nodes.Current.Find(Node)!.Modules.Select(m => $"{m.Name}@{m.Version}"))}], "
        + $"orders waiting: {Orders.HasOrder(Node)}";

    public override async ValueTask DisposeAsync()
    {
        key?.Dispose();
        await base.DisposeAsync();
    }

    void Open()
    {
        var options = TestPackage.Options(Store.Directory);
        key?.Dispose();
        key = ApplianceKey.Open(Store.Directory);
        Catalog = new(Store.Database, new(options), key, new(options), Store.Timeline, Store.Clock);
        Orders = new(Store.Database, Store.Nodes, new(), Store.Clock);
    }

    protected virtual OrderResult CarryOut(OrderDocument order)
    {
        if (order.Kind == OrderKinds.InstallModule) installed[order.Module!.Name] = order.Module.Version;
        else installed.Remove(order.Module!.Name);
        return new() { Succeeded = true, Message = "done", Modules = Report() };
    }

    IReadOnlyList<InstalledModuleDocument> Report() => [.. installed.Select(pair => new InstalledModuleDocument { Name = pair.Key, Version = pair.Value, State = "running" })];
}

sealed class InstallModuleWorld : ModuleWorld
{
    public override IOperationKind Kind => new InstallModule(Store.Nodes, Catalog, new(Orders, Store.Clock));

    protected override NewOperation Wanted(Node node) => InstallModule.For(Catalog, node, Catalog.Find("hello@2.0")!, "alice");
}

/// <summary>Taking an upgrade back brings the version that was there before.</summary>
sealed class UpgradeModuleWorld : ModuleWorld
{
    public override IOperationKind Kind => new InstallModule(Store.Nodes, Catalog, new(Orders, Store.Clock));

    protected override void Arrange() => Installed("hello", "1.0");

    protected override NewOperation Wanted(Node node) => InstallModule.For(Catalog, node, Catalog.Find("hello@2.0")!, "alice");
}

sealed class RemoveModuleWorld : ModuleWorld
{
    public override IOperationKind Kind => new RemoveModule(Store.Nodes, new(Orders, Store.Clock));

    protected override void Arrange() => Installed("hello", "1.0");

    protected override NewOperation Wanted(Node node) => RemoveModule.For(Catalog, node, "hello", "alice");
}

/// <summary>A node whose agent has just enrolled and knows how to try a module.</summary>
sealed class TrialWorld(bool works) : ModuleWorld
{
    public override IOperationKind Kind => new EnrollNode(Store.Nodes, new(Orders, Store.Clock), Store.Clock);

    protected override NewOperation Wanted(Node node) => EnrollNode.For(node, Catalog.Find("hello"));

    protected override async Task<Node> ReadyAsync(Node enrolling) =>
        (await Store.Nodes.ChangeAsync(enrolling.Id, latest => (latest with { TriesModules = true, Inventory = new() { Cpus = 1 } }, []), CancellationToken.None))!;

    protected override OrderResult CarryOut(OrderDocument order)
    {
        Assert.Equal((OrderKinds.TryModule, "hello"), (order.Kind, order.Module!.Name));
        return new() { Succeeded = works, Message = works ? "modules work here" : "no overlay" };
    }

    public override string Fingerprint()
    {
        var now = Store.Nodes.Current.Find(Node)!;
        var told = Store.Timeline.ReadNode(Node, 500);
        return $"{now.State}, {now.Problem}, told of {told.Count(e => e.Kind == "state.idle")} times and {told.Count(e => e.Kind == "module.trial-failed")} times, {base.Fingerprint()}";
    }

    // What came of a trial is no harm; the node goes where its life says.
    public override string? ExpectedAfter(OperationEnd end, string before) => null;
}
