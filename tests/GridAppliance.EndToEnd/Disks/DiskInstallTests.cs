using System.Diagnostics;
using System.Globalization;
using GridAppliance.Api.Nodes;
using GridAppliance.EndToEnd.Lab;
using GridAppliance.Lab;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Servers;
using Xunit.Abstractions;

namespace GridAppliance.EndToEnd.Disks;

/// <summary>A system on a node's own disk, started by the machine's firmware from there, and gone from it again.</summary>
public sealed class DiskInstallTests(ITestOutputHelper output)
{
    const int MemoryMiB = 1024, DiskMiB = 4096;
    static readonly string Ssh = "/usr/bin/ssh";

    // Minutes under emulation.
    [LabTheory]
    [Trait("Soak", "yes")]
    [InlineData(nameof(ServerFirmware.Bios), "quick")]
    [InlineData(nameof(ServerFirmware.UefiHttp), "full")]
    public async Task An_idle_node_gets_a_system_on_its_disk_boots_from_there_and_is_released_with_nothing_left(string firmware, string wipe)
    {
        var plan = LabPlan.For(LabName.Parse(firmware == nameof(ServerFirmware.Bios) ? "e2edskb" : "e2edsku"), [Enum.Parse<ServerFirmware>(firmware)]);
        await using var lab = await LabInstance.BuildAsync(plan with { Servers = [.. plan.Servers.Select(server => server with { MemoryMiB = MemoryMiB, DiskMiB = DiskMiB })] });
        var client = lab.Rig.Appliance.Client;
        var server = lab.Plan.Servers[0];
        await lab.Rig.Appliance.StartAsync(CancellationToken.None);
        // Somebody's data in the middle of the disk, which a quick wipe leaves and a full one does not.
        await WriteAsync(server.Disk, 3L << 30, "in the middle of the disk"u8.ToArray());
        await lab.PowerOnAsync();
        await lab.UntilIdleAsync();
        var node = (await lab.NodesAsync()).Single().Name;
        await LabInstance.UntilAsync(() => client.GetNode(node, CancellationToken.None), found => found.Inventory?.Disks.Count > 0, "the node's disk");

        var key = Path.Combine(plan.Paths.Data, "key");
        await Command.RunAsync(["/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "alice", "-f", key], CancellationToken.None);
        string[] install = ["node", "install", node, "debian", "--disk", "vda", "--hostname", "storage-1", "--ssh-key", key + ".pub"];
        Assert.Contains("storage-1", await lab.GridctlAsync([.. install, "--dry-run"]), StringComparison.Ordinal);
        Assert.Equal("idle", (await client.GetNode(node, CancellationToken.None)).State);

        var began = Stopwatch.GetTimestamp();
        await lab.GridctlAsync(install);
        Say("an idle node to one that runs from its disk", began);
        await SayStepsAsync(lab, node);
        var there = await client.GetNode(node, CancellationToken.None);
        Assert.Equal(("active", "debian-disk", "vda", "storage-1"), (there.State, there.Image, there.Disk?.Name, there.Disk?.HostName));

        // What cloud-init was told of: its name, and a key that lets in.
        Task<string> Login(params string[] command) => Command.RunAsync(Namespaces.Inside(plan.Appliance.Namespace,
            [Ssh, "-i", key, "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", $"UserKnownHostsFile={plan.Paths.Data}/known", "-o", "ConnectTimeout=5", $"debian@{there.Ip}", .. command]), CancellationToken.None);
        var name = await LabInstance.UntilAsync(async () =>
        {
            try { return await Login("hostname"); }
            catch (LabException e) { return e.Message; }
        }, answer => answer.Trim() == "storage-1", "a login as the user debian");
        Assert.Equal("storage-1", name.Trim());
        // It starts sshd anew once it has set that up.
        var result = await LabInstance.UntilAsync(async () =>
        {
            try { return await Login("sudo", "cat", "/run/cloud-init/result.json"); }
            catch (LabException e) { return e.Message; }
        }, answer => answer.Contains("\"datasource\"", StringComparison.Ordinal), "cloud-init's end");
        Assert.Contains("\"errors\": []", result, StringComparison.Ordinal);
        Assert.Contains("/cloud/", result, StringComparison.Ordinal);
        Assert.Contains("/dev/vda3 / ext4", await Login("cat", "/proc/mounts"), StringComparison.Ordinal);
        Assert.Contains("seedfrom", await Login("sudo", "cat", "/etc/cloud/cloud.cfg.d/91-grid-source.cfg"), StringComparison.Ordinal);
        output.WriteLine(await Login("sudo", "systemctl", "--failed", "--no-legend"));

        // It is the machine's own now: another start goes there without anybody's doing.
        began = Stopwatch.GetTimestamp();
        await lab.Rig.Servers.PowerOffAsync(server, CancellationToken.None);
        await LabInstance.UntilAsync(() => client.GetWhy(node, CancellationToken.None), why => !why.Ok, "a machine that is off to be missed");
        var last = (await client.GetNode(node, CancellationToken.None)).Agent!.LastSeen;
        await lab.Rig.Servers.PowerOnAsync(server, CancellationToken.None);
        await LabInstance.UntilAsync(() => client.GetNode(node, CancellationToken.None), found => found.Agent?.LastSeen > last && found.Image == "debian-disk", "the agent on the disk again");
        Say("and switched on again", began);

        began = Stopwatch.GetTimestamp();
        await lab.GridctlAsync("node", "release", node, "--wipe", wipe);
        Say($"released with a {wipe} wipe", began);
        var released = await client.GetNode(node, CancellationToken.None);
        Assert.Equal(("idle", "tiny", null), (released.State, released.Image, released.Disk));
        await lab.Rig.Servers.PowerOffAsync(server, CancellationToken.None);
        const long mebi = 1 << 20;
        foreach (var at in (long[])[0, mebi, 2 * mebi, 514 * mebi - mebi, 514 * mebi, DiskMiB * mebi - 2 * mebi, DiskMiB * mebi - mebi]) Assert.True(await IsZeroAsync(server.Disk, at, mebi), $"octet {at} and the mebibyte behind it");
        if (wipe == "full") Assert.True(await IsZeroAsync(server.Disk, 0, DiskMiB * mebi), "the whole disk");
    }

    static async Task WriteAsync(string disk, long at, byte[] content)
    {
        await using var file = new FileStream(disk, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.Position = at;
        await file.WriteAsync(content);
    }

    static async Task<bool> IsZeroAsync(string disk, long at, long length)
    {
        await using var file = new FileStream(disk, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        file.Position = at;
        var buffer = new byte[1 << 20];
        for (; length > 0; length -= buffer.Length)
        {
            await file.ReadExactlyAsync(buffer);
            if (buffer.AsSpan().ContainsAnyExcept((byte)0)) return false;
        }
        return true;
    }

    async Task SayStepsAsync(LabInstance lab, string node)
    {
        foreach (var step in (await lab.Rig.Appliance.Client.GetTimeline(node, CancellationToken.None)).Events.Where(step => step.Kind.StartsWith("operation.", StringComparison.Ordinal)))
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {step.At:HH:mm:ss.f} {step.Message}"));
    }

    void Say(string what, long began) => output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s"));
}
