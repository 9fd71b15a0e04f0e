using GridAppliance.Api.Nodes;
using GridAppliance.EndToEnd.Lab;
using GridAppliance.Lab;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Servers;

namespace GridAppliance.EndToEnd.Disks;

/// <summary>A lab of one server, idle in the tiny image, with a disk that is worth writing to, and a person who has a key.</summary>
sealed class DiskLab : IAsyncDisposable
{
    public const long Mebi = 1 << 20, Size = 4096 * Mebi;
    const int MemoryMiB = 1024;

    /// <summary>Somebody's data in the middle of the disk, which a quick wipe leaves and a full one does not.</summary>
    const long MarkAt = 3L << 30;
    static readonly byte[] Mark = [.. "in the middle of the disk"u8];

    static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    readonly string key;

    DiskLab(LabInstance lab)
    {
        Lab = lab;
        key = Path.Combine(lab.Plan.Paths.Data, "key");
    }

    public LabInstance Lab { get; }
    public LabServer Server => Lab.Plan.Servers[0];
    /// <summary>The node's name, once it is idle.</summary>
    public string Node { get; private set; } = "";
    /// <summary>What its kernel calls its disk.</summary>
    public string Disk { get; private set; } = "";

    public static async Task<DiskLab> StartAsync(string name, ServerFirmware firmware, LabDiskKind kind = LabDiskKind.Virtio, int sectorSize = 512, LabImage image = LabImage.Virtual)
    {
        var plan = LabPlan.For(LabName.Parse(name), [firmware], image);
        var lab = new DiskLab(await LabInstance.BuildAsync(plan with
        {
            Servers = [.. plan.Servers.Select(server => server with { MemoryMiB = MemoryMiB, DiskMiB = (int)(Size / Mebi), DiskKind = kind, DiskSectorSize = sectorSize })],
        }));
        await lab.Lab.Rig.Appliance.StartAsync(CancellationToken.None);
        await Command.RunAsync(["/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "alice", "-f", lab.key], CancellationToken.None);
        await using (var disk = new FileStream(lab.Server.Disk, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            disk.Position = MarkAt;
            await disk.WriteAsync(Mark);
        }
        await lab.Lab.PowerOnAsync();
        await lab.Lab.UntilIdleAsync();
        lab.Node = (await lab.Lab.NodesAsync()).Single().Name;
        lab.Disk = (await LabInstance.UntilAsync(lab.NodeAsync, found => found.Inventory?.Disks.Count > 0, "the node's disk")).Inventory!.Disks.Single().Name;
        return lab;
    }

    public Task<NodeDocument> NodeAsync() => Lab.Rig.Appliance.Client.GetNode(Node, CancellationToken.None);

    /// <summary>With more patience than a boot is worth: systems are written meanwhile.</summary>
    public Task<NodeDocument> UntilAsync(Func<NodeDocument, bool> wanted, string what) => LabInstance.UntilAsync(NodeAsync, wanted, what, Patience);

    /// <summary>The command that installs this node, for the person with the key.</summary>
    public string[] Install(params string[] wishes) => ["node", "install", Node, "debian", "--disk", Disk, "--ssh-key", key + ".pub", .. wishes];

    /// <summary>A command as the user debian on the node, tried until it says what it should: a machine that has just started may not let anybody in yet.</summary>
    public async Task<string> LoginAsync(string address, Func<string, bool> wanted, params string[] command) => await LabInstance.UntilAsync(async () =>
    {
        try
        {
            return await Command.RunAsync(Namespaces.Inside(Lab.Plan.Appliance.Namespace, ["/usr/bin/ssh", "-i", key, "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", $"UserKnownHostsFile={Lab.Plan.Paths.Data}/known",
                "-o", "ConnectTimeout=5", $"debian@{address}", .. command]), CancellationToken.None);
        }
        catch (LabException e) { return e.Message; }
    }, wanted, $"'{string.Join(' ', command)}' as the user debian");

    /// <summary>Whether so many octets of the disk are zero, as the machine that emulates it has them.</summary>
    public async Task<bool> IsZeroAsync(long at, long length)
    {
        await using var file = new FileStream(Server.Disk, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        file.Position = at;
        var buffer = new byte[Mebi];
        for (; length > 0; length -= buffer.Length)
        {
            await file.ReadExactlyAsync(buffer);
            if (buffer.AsSpan().ContainsAnyExcept((byte)0)) return false;
        }
        return true;
    }

    public ValueTask DisposeAsync() => Lab.DisposeAsync();
}
