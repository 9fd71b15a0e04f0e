using System.Collections.Frozen;
using GridAppliance.Boot;
using GridAppliance.Boot.Files;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Nodes;

/// <summary>Keeps the boot directory equal to what the nodes' states ask for: rebuilt whole after each change, at most every <see cref="Quiet"/>.</summary>
sealed class BootDirectoryReconciler : BackgroundService
{
    /// <summary>A storm of changes costs one rebuild per this much time.</summary>
    static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(50);

    readonly NodeDirectory nodes;
    readonly BootDirectoryState state;
    readonly TimeProvider time;
    readonly SemaphoreSlim poked = new(0, 1);

    public BootDirectoryReconciler(NodeDirectory nodes, BootDirectoryState state, TimeProvider time)
    {
        (this.nodes, this.state, this.time) = (nodes, state, time);
        // Complete before the boot services open their sockets: a restarted daemon must not treat an old friend as a stranger.
        state.Current = Build(nodes.Current);
        nodes.Changed += Poke;
    }

    /// <summary>The boot directory for these nodes.</summary>
    public static BootDirectory Build(NodeSnapshot snapshot)
    {
        var entries = new Dictionary<MacAddress, BootEntry>();
        foreach (var node in snapshot.Nodes)
        {
            var entry = new BootEntry(node.Id, node.Name, node.Recovery is null ? node.ImageWish == RootImage.Disk && ActionFor(node.State) == BootAction.NodeImage ? BootAction.LocalDisk : ActionFor(node.State) : BootAction.NodeImage) { Recover = node.Recovery is not null, Image = node.ImageWish };
            foreach (var mac in node.Macs) entries[mac] = entry;
        }
        return new() { ByMac = entries.ToFrozenDictionary() };
    }

    /// <summary>A held node boots its image like any other (its agent waits for the word); a retired one gets nothing.</summary>
    static BootAction ActionFor(NodeState state) => state switch
    {
        NodeState.Discovered or NodeState.Enrolling or NodeState.Idle or NodeState.Assigning or NodeState.Active
            or NodeState.Releasing or NodeState.Held or NodeState.Failed => BootAction.NodeImage,
        NodeState.Retired => BootAction.None,
    };

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await poked.WaitAsync(stoppingToken);
            state.Current = Build(nodes.Current);
            await Task.Delay(Quiet, time, stoppingToken);
        }
    }

    void Poke()
    {
        // Already poked means that the coming rebuild will see this change too.
        try { poked.Release(); }
        catch (SemaphoreFullException) { }
    }
}
