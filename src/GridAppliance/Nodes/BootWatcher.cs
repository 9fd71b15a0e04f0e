using GridAppliance.Boot;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Dhcp;

namespace GridAppliance.Nodes;

/// <summary>
/// Turns what the boot path reports into nodes, their boot progress and their timeline. Works in batches so that a boot storm's events share commits, and is the only reader of
/// <see cref="BootObserver"/>.
/// </summary>
sealed partial class BootWatcher(BootObserver observer, NodeDirectory nodes, Timeline timeline, ILogger<BootWatcher> logger) : BackgroundService
{
    const int LargestBatch = 256;

    /// <summary>
    /// How many nodes may wait to prove themselves. A forged DISCOVER costs its sender nothing, so past this bound unknown NICs still boot, but are written down only once
    /// some of the others have enrolled or were removed.
    /// </summary>
    const int MostUnproven = 4096;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var meter = Telemetry.Observe(observer);
        var batch = new List<NewEvent>(LargestBatch);
        while (await observer.Reader.WaitToReadAsync(stoppingToken))
        {
            while (batch.Count < LargestBatch && observer.Reader.TryRead(out var observation))
            {
                try
                {
                    if (await WatchAsync(observation, stoppingToken) is { } happened) batch.Add(happened);
                }
                catch (Store.StoreException e)
                {
                    // A full disk: the boot goes on, the node is written down when it next shows itself.
                    NotWritten(observation.Mac.ToString(), e.Message);
                }
            }
            await timeline.AppendAsync(batch, stoppingToken);
            batch.Clear();
        }
    }

    async ValueTask<NewEvent?> WatchAsync(BootObservation seen, CancellationToken cancellationToken)
    {
        var node = nodes.Current.Find(seen.Mac);
        if (node is null)
        {
            if (!seen.NetworkBoot || TooManyUnproven()) return null;
            node = await nodes.DiscoverAsync(seen.Mac, seen.Network, fresh => Describe(fresh, seen), $"new NIC {seen.Mac} asks to boot on network {seen.Network}", cancellationToken);
        }
        else if (Describe(node, seen) is var described && described != node)
        {
            node = await nodes.ChangeAsync(node.Id, latest => (Describe(latest, seen), []), cancellationToken) ?? node;
        }
        var boot = BootTracking.After(node.Boot, seen);
        nodes.Touch(node.Id, latest => latest with { Boot = BootTracking.After(latest.Boot, seen), Ip = seen.Ip.IsAny ? latest.Ip : seen.Ip });
        // One that was under way when recovery was asked for is not the one that it was asked for.
        if (seen.Stage == BootStage.InitramfsFinished && node.Recovery is { } wish && boot?.Script is (BootEntry.RecoveryScript, var given) && given >= wish.At) await RecoveringAsync(node, cancellationToken);
        return BootTracking.Tell(seen) is not { } told ? null : NewEvent.About(node, told.Kind, told.Message, told.Severity) with
        {
            At = seen.At,
            Actor = told.ByNode ? "node" : "appliance",
            Appliance = seen.Service > TimeSpan.Zero ? seen.Service : null,
            BootStarted = boot?.Started,
        };
    }

    /// <summary>One boot was asked for: with the whole image on the node, it has it, and the next boot is an ordinary one.</summary>
    Task RecoveringAsync(Node node, CancellationToken cancellationToken) => nodes.ChangeAsync(node.Id, static latest => latest.Recovery is null ? null :
        (latest with { Recovery = null }, [NewEvent.About(latest, "recovery.booted", $"{latest.Name} starts for recovery: somebody at its console goes on (gridctl console {latest.Name})")]), cancellationToken);

    bool TooManyUnproven()
    {
        var snapshot = nodes.Current;
        return snapshot.ById.Count >= MostUnproven && snapshot.Nodes.Count(n => n.AgentKey.IsEmpty) >= MostUnproven;
    }

    /// <summary>Fills in what firmware says of itself; what the agent's inventory said wins.</summary>
    static Node Describe(Node node, in BootObservation seen)
    {
        if (seen.ArchitectureCode is { } code)
        {
            var (architecture, _) = ClientArchitectures.FromCode(code);
            var (arch, firmware) = Names(architecture);
            node = node with { Arch = node.Inventory?.Arch ?? arch ?? node.Arch, Firmware = firmware ?? node.Firmware };
        }
        if (seen.Uuid is { } uuid && uuid != Guid.Empty && node.Uuid is null) node = node with { Uuid = uuid };
        if (seen.CircuitId is { } circuit) node = node with { Circuit = circuit, CircuitRelay = seen.RemoteId };
        return node.Network == seen.Network ? node : node with { Network = seen.Network };
    }

    static (string? Arch, string? Firmware) Names(ClientArchitecture architecture) => architecture switch
    {
        ClientArchitecture.BiosX86 => ("x86_64", "bios"),
        ClientArchitecture.EfiIa32 => ("i386", "uefi"),
        ClientArchitecture.EfiX64 => ("x86_64", "uefi"),
        ClientArchitecture.EfiArm32 => ("arm", "uefi"),
        ClientArchitecture.EfiArm64 => ("aarch64", "uefi"),
        ClientArchitecture.EfiRiscV64 => ("riscv64", "uefi"),
        ClientArchitecture.Unknown => (null, null),
    };

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Mac} boots, but could not be written down: {Reason}")]
    partial void NotWritten(string mac, string reason);
}
