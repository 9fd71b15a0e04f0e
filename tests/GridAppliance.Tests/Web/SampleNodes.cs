using System.Collections.Immutable;
using GridAppliance.Api.Nodes;
using GridAppliance.Boot;
using GridAppliance.Nodes;
using GridAppliance.Operations;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Testing;

namespace GridAppliance.Tests.Web;

/// <summary>Nodes in every state, made through the directory as the boot path makes them.</summary>
static class SampleNodes
{
    public static async Task<Node> DiscoverAsync(ManagementPlaneHost plane, int number, string firmware = "bios") => await plane.Nodes.DiscoverAsync(
        TestStore.Mac(number), "provisioning", node => node with { Firmware = firmware, Arch = "x86_64", Switch = "rack3", SwitchPort = $"ge-0/0/{number}" },
        $"new NIC {TestStore.Mac(number)} asks to boot on network provisioning", CancellationToken.None);

    /// <summary>Takes a node through the boot's stages up to <paramref name="stage"/>, as the boot watcher would.</summary>
    public static async Task BootAsync(ManagementPlaneHost plane, Node node, BootStage stage)
    {
        // Its steps lie behind it, so that what follows comes after them.
        var at = DateTimeOffset.UtcNow - TimeSpan.FromSeconds(8);
        foreach (var passed in Enum.GetValues<BootStage>().Where(s => s <= stage && BootTracking.Tell(Seen(s)) is not null && s is not (BootStage.DhcpNak or BootStage.DhcpDecline or BootStage.DhcpRelease)))
        {
            at += TimeSpan.FromMilliseconds(400);
            var seen = Seen(passed) with { At = at };
            plane.Nodes.Touch(node.Id, latest => latest with { Boot = BootTracking.After(latest.Boot, seen), Ip = seen.Ip });
            var (kind, message, severity, byNode) = BootTracking.Tell(seen)!.Value;
            await plane.Timeline.AppendAsync(NewEvent.About(plane.Nodes.Current.Find(node.Id)!, kind, message, severity) with
            {
                At = at,
                Actor = byNode ? "node" : "appliance",
                Appliance = seen.Service,
            }, CancellationToken.None);
        }

        BootObservation Seen(BootStage which) => new()
        {
            Mac = node.BootMac, Stage = which, Network = "provisioning", At = at, NetworkBoot = true, Service = TimeSpan.FromMilliseconds(0.4), Ip = Ipv4Address.Parse($"10.77.0.{50 + node.BootMac.ToUInt64() % 200}"),
            Bytes = which is BootStage.KernelFinished ? 8_400_000 : which is BootStage.InitramfsFinished ? 27_000_000 : 0,
        };
    }

    /// <summary>The agent's first call, and the enrolment that it sets going, to its end.</summary>
    public static async Task ReadyAsync(ManagementPlaneHost plane, Node node)
    {
        var runner = plane.Get<OperationRunner>();
        var enrolled = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        runner.Ended += Ended;
        plane.Nodes.Touch(node.Id, n => n with { AgentLastSeen = DateTimeOffset.UtcNow, Boot = n.Boot is null ? null : n.Boot with { Milestone = BootMilestone.Agent } });
        await plane.Nodes.ApplyAsync(node.Id, NodeEvent.AgentEnrolled, "its agent has called", "node", n => n with { AgentKey = [1, 2, 3], AgentVersion = "0.1.0", Inventory = Inventory(node) }, CancellationToken.None);
        await Eventually.ComesAsync(enrolled.Task, $"the end of {node.Name}'s enrolment");
        runner.Ended -= Ended;

        void Ended(Operation operation, OperationEnd end)
        {
            if (operation.NodeId == node.Id) enrolled.TrySetResult(true);
        }
    }

    public static Task InstallAsync(ManagementPlaneHost plane, Node node, string module, string state) => plane.Nodes.ChangeAsync(node.Id,
        n => (n with { Modules = [.. n.Modules, new() { Name = module, Version = "1.2.0", State = state }] }, ImmutableArray<NewEvent>.Empty), CancellationToken.None);

    static InventoryDocument Inventory(Node node) => new()
    {
        Cpus = 64, CpuModel = "AMD EPYC 9354P", MemoryMiB = 262144, Vendor = "Supermicro", Product = "AS-1115SV-WTNRT", Serial = $"S5117{node.BootMac.ToUInt64() % 1000:000}", Kernel = "6.1.0-41-amd64",
        Disks = [new() { Name = "nvme0n1", SizeBytes = 3_840_755_982_336, Model = "SAMSUNG MZQL23T8", Transport = "nvme" }],
        Nics =
        [
            new()
            {
                Name = "eth0", Mac = node.BootMac.ToString(), Driver = "mlx5_core", SpeedMbps = 25000, Link = true,
                Neighbours = [new() { SystemName = "rack3", PortDescription = node.SwitchPort }],
            },
        ],
    };
}
