using GridAppliance.Api.Client;
using GridAppliance.EndToEnd.Lab;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Native;
using GridAppliance.Lab.Servers;

namespace GridAppliance.EndToEnd.San;

/// <summary>A machine that boots from its LUN: firmware, iPXE, the appliance's script with its word, Debian's tgtd, and a golden image whose boot sector says that it runs.</summary>
public sealed class DisklessBootTests : IAsyncLifetime
{
    const string Marker = "GOLDEN IMAGE RUNS";
    const string Image = "golden.img", RootImage = "root.img", Fabric = "store";
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    LabInstance lab = null!;
    ApplianceClient client = null!;

    public Task InitializeAsync() => Task.CompletedTask;

    async Task StartAsync(ServerFirmware firmware)
    {
        lab = await LabInstance.BuildAsync("e2elun", firmware);
        client = new(new ApplianceAddress.Unix(lab.Plan.Paths.ApiSocket)) { Timeout = Patience };
        var golden = Directory.CreateDirectory($"{lab.Plan.Paths.Data}/san/golden").FullName;
        await File.WriteAllBytesAsync($"{golden}/{Image}", GoldenImage());
        await MakeRootImageAsync($"{golden}/{RootImage}");
        await lab.Rig.Appliance.StartAsync(default);
        await lab.Rig.Processes.StartAsync("tgtd", lab.Plan.Appliance.Namespace, [$"TGT_IPC_SOCKET={lab.Plan.Paths.Root}/tgt", "/usr/sbin/tgtd", "-f", "-C", "0", "--iscsi", "portal=10.77.0.1:3260"], default);
        await UntilAsync(() => Task.FromResult(File.Exists($"{lab.Plan.Paths.Root}/tgt.0")), isThere => isThere, "tgtd's control socket");
        await client.AddSanFabric(new() { Name = Fabric, Address = $"tgt+unix://{lab.Plan.Paths.Root}/tgt.0" }, default);
    }

    public async Task DisposeAsync()
    {
        client?.Dispose();
        if (lab is null) return;
        // It does not end when it is asked to as long as it has targets.
        if (lab.Rig.Processes.Find("tgtd") is { } tgtd) await lab.Rig.Processes.KillAsync(tgtd, default);
        await lab.DisposeAsync();
    }

    /// <summary>A disk whose first sector prints to the serial port and stops: sixteen-bit code by hand, a text, and the mark of a boot sector.</summary>
    static byte[] GoldenImage()
    {
        // More than one cylinder of 255 heads and 63 sectors: of a smaller disk iPXE makes none.
        var disk = new byte[16 << 20];
        // cli; ds = 0; si = text; each octet: wait until the port is free (3fd, bit 5), then out 3f8; hlt.
        Convert.FromHexString("FA31C08ED8BE237CFCAC84C0741288C4BAFD03ECA82074FBBAF80388E0EEEBE9F4EBFD").CopyTo(disk, 0);
        System.Text.Encoding.ASCII.GetBytes($"\r\n{Marker}\r\n").CopyTo(disk, 35);
        (disk[510], disk[511]) = (0x55, 0xAA);
        return disk;
    }

    /// <summary>A file system, on the whole disk, whose init says where it is, with whose word it got there, and leaves a mark.</summary>
    async Task MakeRootImageAsync(string file)
    {
        var root = $"{lab.Plan.Paths.Root}/golden";
        foreach (var folder in (string[])["bin", "sbin"]) Directory.CreateDirectory($"{root}/{folder}");
        File.Copy("/usr/bin/busybox", $"{root}/bin/busybox");
        await File.WriteAllTextAsync($"{root}/sbin/init", $"""
            #!/bin/busybox sh
            busybox=/bin/busybox
            echo was here > /mark; $busybox sync
            $busybox grep ' / ext4 ' /proc/mounts
            echo "as $($busybox cat /sys/class/iscsi_session/session*/username), addresses: $($busybox ip -4 addr | $busybox grep -c 'inet 10.77.0.')"
            echo {Marker}
            while :; do $busybox sleep 3600; done

            """);
        foreach (var program in (string[])["bin/busybox", "sbin/init"]) File.SetUnixFileMode($"{root}/{program}", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await Command.RunAsync(["/usr/sbin/mkfs.ext4", "-q", "-d", root, file, "24M"], default);
    }

    int read;

    /// <summary>What was said since <see cref="Forget"/>.</summary>
    string Console => All[Math.Min(read, All.Length)..];

    string All => File.Exists(lab.Plan.Servers[0].ConsoleLog) ? File.ReadAllText(lab.Plan.Servers[0].ConsoleLog) : "";

    void Forget() => read = All.Length;

    async Task<T> UntilAsync<T>(Func<Task<T>> ask, Func<T, bool> wanted, string what)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            var answer = await ask();
            if (wanted(answer)) return answer;
            Assert.False(patience.IsCancellationRequested, $"{what} did not come to pass within {Patience.TotalSeconds} s. The end of the console:\n{(Console is { Length: > 2000 } text ? text[^2000..] : Console)}\nand of the appliance's log:\n{lab.Rig.Appliance.LogEnd()}");
            await Task.Delay(100);
        }
    }

    Task UntilSaidAsync(string text) => UntilAsync(() => Task.FromResult(Console), console => console.Contains(text, StringComparison.Ordinal), $"'{text}' on the console");

    [LabFact]
    public async Task A_node_boots_from_a_clone_of_the_golden_image_and_not_any_more_when_its_zone_is_taken_away()
    {
        await StartAsync(ServerFirmware.Bios);
        var server = lab.Plan.Servers[0];
        await lab.Rig.Servers.PowerOnAsync(server, default);
        var node = (await UntilAsync(lab.NodesAsync, all => all.Count == 1, "a node")).Single();
        var boot = await client.BootFromSan(Fabric, new() { Node = node.Name, Image = Image }, default);
        await lab.Rig.Servers.PowerCycleAsync(server, default);
        await UntilSaidAsync(Marker);
        Assert.Contains($"boots from its LUN on 10.77.0.1", Console);
        // It is a clone that is served, to this node alone.
        var zone = Assert.Single(await client.GetSanZones(Fabric, default));
        Assert.Equal((boot.Zone, boot.Initiator), (zone.Name, Assert.Single(zone.Initiators)));
        Assert.Contains("/san/clones/", Assert.Single(zone.Storage));
        // Somebody else's machine is told neither the word nor anything of it.
        var shown = await Command.TryRunAsync(Namespaces.Inside(lab.Plan.Appliance.Namespace, ["/usr/bin/curl", "-s", "--max-time", "5", $"http://10.77.0.1:8067/boot/script?mac={server.Mac}"]), default);
        Assert.DoesNotContain("password", shown.Output);

        // The zone is taken away, and the machine still has its script.
        Assert.Equal("done", (await client.DisconnectSan(Fabric, new() { Zone = boot.Zone }, default)).Outcome);
        await lab.Rig.Servers.PowerOffAsync(server, default);
        Forget();
        await lab.Rig.Servers.PowerOnAsync(server, default);
        await UntilSaidAsync("did not boot from its LUN");
        Assert.DoesNotContain(Marker, Console);

        // Taken back altogether: the next boot is an ordinary one.
        Forget();
        await client.UnbootFromSan(node.Name, keep: false, default);
        Assert.Empty(Directory.EnumerateFiles($"{lab.Plan.Paths.Data}/san/clones"));
        await UntilSaidAsync("loading the node image");
    }

    [LabFact]
    public Task Our_kernel_runs_with_its_root_on_the_nodes_lun_and_is_not_let_in_when_its_zone_is_taken_away() => RootOnTheLunAsync(ServerFirmware.Bios);

    /// <summary>The loader leaves the account in a table of ACPI's there, and not below the first megabyte.</summary>
    [LabFact]
    [Trait("Soak", "yes")]
    public Task A_uefi_machine_runs_our_kernel_with_its_root_on_its_lun_and_is_not_let_in_when_its_zone_is_taken_away() => RootOnTheLunAsync(ServerFirmware.UefiPxe);

    async Task RootOnTheLunAsync(ServerFirmware firmware)
    {
        await StartAsync(firmware);
        var server = lab.Plan.Servers[0];
        await lab.Rig.Servers.PowerOnAsync(server, default);
        var node = (await UntilAsync(lab.NodesAsync, all => all.Count == 1, "a node")).Single();
        var boot = await client.BootFromSan(Fabric, new() { Node = node.Name, Image = RootImage, Kernel = true }, default);
        await lab.Rig.Servers.PowerCycleAsync(server, default);
        // The loader's lines have 80 columns.
        await UntilSaidAsync("boots our kernel");
        await UntilSaidAsync("grid: node image, kernel up");
        await UntilSaidAsync(Marker);
        Assert.Contains("grid: root is on the LUN, /dev/sda (ext4)", Console);
        Assert.Contains("/dev/sda / ext4 rw", Console);
        Assert.Contains($"as {boot.Initiator}, addresses: 1", Console);
        var clone = Assert.Single(Directory.EnumerateFiles($"{lab.Plan.Paths.Data}/san/clones"));
        Assert.Contains("was here", await Command.RunAsync(["/usr/sbin/debugfs", "-R", "cat /mark", clone], default));
        Assert.DoesNotContain("was here", await Command.RunAsync(["/usr/sbin/debugfs", "-R", "cat /mark", $"{lab.Plan.Paths.Data}/san/golden/{RootImage}"], default));

        // Taken away between the loader, which is let in, and the kernel: its own initiator is refused.
        await lab.Rig.Servers.PowerOffAsync(server, default);
        Forget();
        await lab.Rig.Servers.PowerOnAsync(server, default);
        await UntilSaidAsync("grid: node image, kernel up");
        Assert.Equal("done", (await client.DisconnectSan(Fabric, new() { Zone = boot.Zone }, default)).Outcome);
        await UntilSaidAsync("grid: the LUN does not let this machine in");
        // It boots again by itself, and from then on the loader is not let in either.
        await UntilSaidAsync("did not boot from its LUN");
        Assert.DoesNotContain(Marker, Console);
    }
}
