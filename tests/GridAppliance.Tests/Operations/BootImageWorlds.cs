using System.Collections.Immutable;
using GridAppliance.Agents;
using GridAppliance.Api.Agents;
using GridAppliance.Boot.Files;
using GridAppliance.Operations;
using GridAppliance.Tests.Boot;

namespace GridAppliance.Tests.Operations;

/// <summary>A node goes from the tiny image into the Debian one.</summary>
class BootImageWorld : ManagerWorld
{
    /// <summary>A megabyte, made once for thousands of runs.</summary>
    static readonly BootCatalogState Catalog = BootBench.Catalog();

    byte boots;

    public override IOperationKind Kind => new BootImage(Store.Nodes, new(Store.Nodes, Orders, Sessions, Catalog, Store.Clock));

    AgentSessions Sessions { get; set; } = null!;

    public override string Fingerprint() => $"is to boot {Store.Nodes.Current.Find(Idle[0])!.ImageWish ?? "tiny"}, orders waiting: {Orders.HasOrder(Idle[0])}";

    public override async Task RestartAsync()
    {
        await base.RestartAsync();
        Sessions = new(Store.Database);
    }

    protected override async Task<NewOperation> WantedAsync()
    {
        Sessions = new(Store.Database);
        await Store.Nodes.ChangeAsync(Idle[0], node => (node with { Image = RootImage.Tiny }, []), CancellationToken.None);
        return BootImage.For(Store.Nodes.Current.Find(Idle[0])!, RootImage.Debian, "alice");
    }

    /// <summary>Whichever way it boots: what it is to boot then is what its agent says.</summary>
    protected override async Task CarryOutAsync(Guid node, OrderDocument order)
    {
        ImmutableArray<byte> key = [4, 5, 6, ++boots];
        var image = order.Boot?.Image ?? Store.Nodes.Current.Find(node)!.ImageWish ?? RootImage.Tiny;
        await Store.Nodes.ChangeAsync(node, latest => (latest with { Image = image, AgentKey = key }, []), CancellationToken.None);
        await Sessions.BeginAsync(node, key, Store.Clock.GetUtcNow(), CancellationToken.None);
    }
}

/// <summary>The same where the kernel refuses to load another one.</summary>
sealed class BootImageByFirmwareWorld : BootImageWorld
{
    protected override bool Succeeds(OrderDocument order) => order.Kind != OrderKinds.BootImage;
}
