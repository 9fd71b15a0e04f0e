using System.Collections.Immutable;
using GridAppliance.Agents;
using GridAppliance.Api.Agents;
using GridAppliance.Boot.Files;
using GridAppliance.Disks;
using GridAppliance.Nodes;
using GridAppliance.Operations;
using GridAppliance.Tests.Boot;

namespace GridAppliance.Tests.Operations;

/// <summary>A node with a disk, on which lies what its agent was last ordered to leave there; what it boots is what it was told to boot.</summary>
abstract class DiskWorld : ManagerWorld
{
    protected const string Blank = "nothing";

    static readonly BootCatalogState Catalog = BootBench.Catalog();
    static readonly Guid Installation = new("3f0a5a7e-90c4-4f6e-8d5e-0c1f6a3b2d11");

    byte boots;

    protected AgentSessions Sessions { get; private set; } = null!;
    protected string OnDisk { get; set; } = Blank;
    protected ImageSteps Images => new(Store.Nodes, Orders, Sessions, Catalog, Store.Clock);
    protected DiskOrders DiskOrders => new(Orders, Store.Nodes, Store.Clock);
    protected BootCatalogState Files => Catalog;

    protected Node Node => Store.Nodes.Current.Find(Idle[0])!;

    protected WrittenDisk Disk => new()
    {
        Id = Installation, Name = "vda", Serial = "S-1", SizeBytes = 8L << 30, Image = RootImage.Debian, Digest = Catalog.Current!.Root!.ForDisks!.Digest, Settings = new() { HostName = "n1" }, Token = "word",
        Since = Store.Clock.GetUtcNow(), By = "alice",
    };

    public override string Fingerprint() => $"{Node.State} in {Node.Image}, is to boot {Node.ImageWish ?? "tiny"}, on record: {Node.Disk?.Name}, on its disk: {OnDisk}, orders waiting: {Orders.HasOrder(Idle[0])}";

    public override async Task RestartAsync()
    {
        await base.RestartAsync();
        Sessions = new(Store.Database);
    }

    protected override async Task<NewOperation> WantedAsync()
    {
        Sessions = new(Store.Database);
        await Store.Nodes.ChangeAsync(Idle[0], node => (node with { Image = RootImage.Tiny }, []), CancellationToken.None);
        return await PlanAsync();
    }

    protected abstract Task<NewOperation> PlanAsync();

    protected override async Task CarryOutAsync(Guid node, OrderDocument order)
    {
        switch (order.Kind)
        {
            case OrderKinds.InstallDisk:
                // Nothing is written that is not on record.
                Assert.Equal(order.Disk!.Id, Node.Disk!.Id.ToString());
                OnDisk = "a system";
                break;
            case OrderKinds.WipeDisk:
                Assert.Equal(RootImage.Tiny, Node.Image);
                OnDisk = Blank;
                break;
            case OrderKinds.BootImage or OrderKinds.Reboot:
                ImmutableArray<byte> key = [4, 5, 6, ++boots];
                var image = order.Boot?.Image ?? Node.ImageWish ?? RootImage.Tiny;
                await Store.Nodes.ChangeAsync(node, latest => (latest with { Image = image, AgentKey = key }, []), CancellationToken.None);
                await Sessions.BeginAsync(node, key, Store.Clock.GetUtcNow(), CancellationToken.None);
                break;
        }
    }
}

/// <summary>An idle node gets a system. Taken back at any moment, its disk is wiped, and it is idle.</summary>
class InstallDiskWorld : DiskWorld
{
    public override IOperationKind Kind => new InstallDisk(Store.Nodes, Images, DiskOrders, Files, Store.Clock);

    protected override Task<NewOperation> PlanAsync() => Task.FromResult(InstallDisk.For(Node, Disk, overwrite: false, "alice"));

    // Steps of another kind's, which has a world of its own.
    public override bool Disturbs(string step) => !step.StartsWith("image ", StringComparison.Ordinal);
}

/// <summary>An active node gives its disk back: whatever happens, it is not idle with something on its disk.</summary>
sealed class ReleaseNodeWorld : DiskWorld
{
    public override IOperationKind Kind => new ReleaseNode(Store.Nodes, Images, DiskOrders);

    protected override async Task<NewOperation> PlanAsync()
    {
        OnDisk = "a system";
        await Store.Nodes.ApplyAsync(Idle[0], NodeEvent.Assign, "assigned", "alice", null, CancellationToken.None);
        await Store.Nodes.ApplyAsync(Idle[0], NodeEvent.Assigned, "active", "alice", latest => latest with { Disk = Disk, Image = RootImage.Disk, ImageWish = RootImage.Disk }, CancellationToken.None);
        return ReleaseNode.For(Node, full: false, "alice");
    }

    public override string Fingerprint()
    {
        Assert.False(Node.State == NodeState.Idle && (OnDisk != Blank || Node.Disk is not null), "a node is idle with something on its disk");
        return base.Fingerprint();
    }

    // It has no way back: it is failed, with the record, until it is released again.
    public override string? ExpectedAfter(OperationEnd end, string before)
    {
        Assert.True(Node is { State: NodeState.Failed, Disk: not null } or { State: NodeState.Active } or { State: NodeState.Idle, Disk: null }, $"{Node.Name} is {Node.State}");
        return null;
    }
}
