using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using GridAppliance.Agent;
using GridAppliance.Agent.Disks;
using GridAppliance.Agent.Native;
using GridAppliance.Api.Agents;
using GridAppliance.Protocols.Disks;
using GridAppliance.Testing;
using Microsoft.Win32.SafeHandles;

namespace GridAppliance.Tests.Agent;

/// <summary>Orders about disks, carried out on a file behind a loop device: partitions, file systems and boot loaders are real, and so is the Debian image.</summary>
public sealed class DiskWriterTests : IAsyncLifetime
{
    /// <summary>Far above what it takes on a busy machine.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    const long Size = 3L << 30;
    const string Cloud = "/cloud/a-word";

    static readonly Guid Id = new("3f0a5a7e-90c4-4f6e-8d5e-0c1f6a3b2d11");

    readonly ScratchFolder folder = new();
    ScriptedAppliance appliance = null!;
    AgentUnderTest agent = null!;
    DiskDevice? disk;
    int orders;

    public async Task InitializeAsync()
    {
        appliance = await ScriptedAppliance.StartAsync();
        foreach (var (path, content) in ((string, string)[])[("bin/grid-agent", "the agent"), ("bin/grid-run", "the launcher"), ("disk/etc/grid/image", "debian-disk\n"), ("disk/etc/systemd/system/grid-agent.service", "[Unit]\nDescription=agent\n[Install]\nWantedBy=multi-user.target\n"), ("lib/modules/6.1.0-x/kernel/one.ko", "a module"), ("lib/modules/6.1.0-x/modules.order", "")])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(Node, path))!);
            await File.WriteAllTextAsync(Path.Combine(Node, path), content);
        }
        appliance.BootFiles["vmlinuz"] = "a kernel"u8.ToArray();
        appliance.BootFiles["initramfs.zst"] = "an initramfs"u8.ToArray();
        appliance.BootFiles[Cloud[1..] + "/network-config"] = "{\"version\":2}"u8.ToArray();
        agent = new AgentUnderTest(appliance, Node, disk: (_, _) => Task.FromResult(disk));
    }

    public async Task DisposeAsync()
    {
        await agent.DisposeAsync();
        await appliance.DisposeAsync();
        foreach (var mount in MountTable.Below(folder.Path)) MountTable.Unmount(mount);
        if (disk is not null) Run("losetup", "--detach", disk.Path);
        NodeRoot.Forget(Node);
        folder.Dispose();
    }

    string Node => Path.Combine(folder.Path, "node");

    // With the real image, which 'make test' does not build.
    [Theory]
    [Trait("Soak", "yes")]
    [InlineData(512)]
    [InlineData(4096)]
    public async Task A_system_is_written_that_has_all_it_boots_with_and_what_was_written_is_wiped_and_read_back(int sectorSize)
    {
        Attach(Path.Combine(folder.Path, "disk"), sectorSize: sectorSize);
        Directory.CreateDirectory(Path.Combine(Node, "sys/firmware/efi"));
        var image = await File.ReadAllBytesAsync(DebianRootTests.RootImage("disk.squashfs"));
        var looked = await SendAsync(OrderKinds.LookAtDisk, Order());
        Assert.True(looked.Succeeded, looked.Message);
        var written = await SendAsync(OrderKinds.InstallDisk, Install(image));
        Assert.True(written.Succeeded, written.Message);
        Assert.Empty(MountTable.Below(Path.Combine(Node, "run")));

        using (var file = File.OpenHandle(disk!.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite))
        {
            var start = Read(file, 0, 1 << 20);
            Assert.True(GuidPartitionTable.TryReadPrimary(start, sectorSize, out var table, out _));
            Assert.Equal(DiskLayout.For(Id, Size, sectorSize)!.Partitions, table.Partitions);
            Assert.True(GuidPartitionTable.TryReadBackup(Read(file, Size - (1 << 20), 1 << 20), sectorSize, out var backup, out _));
            Assert.Equal(Id, backup.DiskId);
            // A BIOS has no use for sectors of another size.
            Assert.Equal(sectorSize == 512 ? [0xEB, 0x63] : [0, 0], start[..2]);
            // The FAT file system of UEFI (Microsoft's FAT specification, section 3.1): its sectors are the disk's, its clusters 4096 octets, and it has enough of those to be FAT32.
            var fat = Read(file, 2 << 20, 512);
            Assert.Equal((sectorSize, 4096), (BinaryPrimitives.ReadUInt16LittleEndian(fat.AsSpan(11)), fat[13] * sectorSize));
            Assert.InRange(BinaryPrimitives.ReadUInt32LittleEndian(fat.AsSpan(32)) / fat[13], 66_000u, 1u << 28);
        }
        var root = Directory.CreateDirectory(Path.Combine(folder.Path, "root")).FullName;
        MountTable.Mount(disk.Partition(DiskLayout.Root), root, "ext4", Libc.MountReadOnly, null);
        string There(string path) => File.ReadAllText(Path.Combine(root, path));
        Assert.Equal(("a kernel", "an initramfs", "the agent", "debian-disk\n"), (There("boot/vmlinuz"), There("boot/initramfs.zst"), There("usr/local/bin/grid-agent"), There("etc/grid/image")));
        Assert.Contains($"linux /boot/vmlinuz console=ttyS0 grid.disk={Id}\n", There("boot/grub/grub.cfg"), StringComparison.Ordinal);
        Assert.Equal($"grid.url=http://{appliance.EndPoint}\ngrid.key={appliance.Fingerprint}\ngrid.token=fresh-token\n", There("etc/grid/agent.conf"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(root, "etc/grid/agent.conf")));
        Assert.Contains($"seedfrom: http://{appliance.EndPoint}{Cloud}/\n", There("etc/cloud/cloud.cfg.d/91-grid-source.cfg"), StringComparison.Ordinal);
        Assert.Equal("network: {\"version\":2}\n", There("etc/cloud/cloud.cfg.d/92-grid-network.cfg"));
        foreach (var unit in (string[])["grid-agent", "ssh", "systemd-networkd"]) Assert.NotNull(new FileInfo(Path.Combine(root, $"etc/systemd/system/multi-user.target.wants/{unit}.service")).LinkTarget);
        Assert.True(File.Exists(Path.Combine(root, "usr/lib/modules/6.1.0-x/modules.dep.bin")));
        Assert.Empty(Directory.GetFiles(Path.Combine(root, "etc/ssh"), "ssh_host_*"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(root, "mnt")));
        MountTable.Unmount(root);

        // Now it is somebody's: it is not written over unless that is said.
        var refused = await SendAsync(OrderKinds.LookAtDisk, Order());
        Assert.False(refused.Succeeded);
        Assert.Contains("holds what was not written here: 3 partitions: 1 \"grid-bios\"", refused.Message, StringComparison.Ordinal);
        Assert.True((await SendAsync(OrderKinds.LookAtDisk, Order() with { Overwrite = true })).Succeeded);

        var wiped = await SendAsync(OrderKinds.WipeDisk, Order());
        Assert.True(wiped.Succeeded, wiped.Message);
        Assert.True((await SendAsync(OrderKinds.LookAtDisk, Order())).Succeeded);
        using (var file = File.OpenHandle(disk.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite))
            foreach (var at in (long[])[0, 1 << 20, 2 << 20, 513L << 20, 514L << 20, Size - (2 << 20), Size - (1 << 20)]) Assert.False(Read(file, at, 1 << 20).AsSpan().ContainsAnyExcept((byte)0), $"octet {at} and what follows");
    }

    [Fact]
    public async Task A_full_wipe_leaves_no_octet_and_a_disk_in_use_is_left()
    {
        const long size = 96 << 20;
        var path = Path.Combine(folder.Path, "disk");
        Attach(path, size);
        Put(path, size / 2 + 7, "in the middle");
        Put(path, 0, "at its beginning");
        using (disk!.OpenAlone())
        {
            var busy = await SendAsync(OrderKinds.WipeDisk, Order() with { Full = true });
            Assert.False(busy.Succeeded);
            Assert.Contains("cannot be had alone", busy.Message, StringComparison.Ordinal);
        }
        var wiped = await SendAsync(OrderKinds.WipeDisk, Order() with { Full = true });
        Assert.True(wiped.Succeeded, wiped.Message);
        Assert.Equal($"every one of {size} octets of {disk.Name} reads back as zero", wiped.Message);
        using var file = File.OpenHandle(path);
        Assert.False(Read(file, size / 2, 1 << 20).AsSpan().ContainsAnyExcept((byte)0));
    }

    [Theory]
    [InlineData(0L, "whose?", "data of an unknown kind")]
    [InlineData(Size - 9, "whose?", "data of an unknown kind")]
    [InlineData(0x218L, "LVM2 001", "LVM")]
    public async Task Data_at_either_end_is_somebodys_until_that_is_said(long at, string content, string called)
    {
        var path = Path.Combine(folder.Path, "disk");
        Attach(path);
        Put(path, at, content);
        var refused = await SendAsync(OrderKinds.LookAtDisk, Order());
        Assert.Equal((false, $"{disk!.Name} holds what was not written here: {called}. `--overwrite {disk.Name}` writes over it"), (refused.Succeeded, refused.Message));
        Assert.True((await SendAsync(OrderKinds.LookAtDisk, Order() with { Overwrite = true })).Succeeded);
    }

    [Fact]
    public async Task An_image_that_is_not_the_one_that_was_ordered_is_mounted_by_nobody()
    {
        Attach(Path.Combine(folder.Path, "disk"));
        var order = Install("some image"u8.ToArray());
        appliance.BootFiles[$"image/{order.Image!.Digest}"] = "some imagf"u8.ToArray();
        var result = await SendAsync(OrderKinds.InstallDisk, order);
        Assert.Equal((false, $"{disk!.Name}: the image could not be fetched: what arrived does not have the digest that the order names"), (result.Succeeded, result.Message));
    }

    [Fact]
    public async Task A_disk_that_does_not_take_what_is_written_to_it_is_named()
    {
        // Its file system has no room for what the disk promises: writes to it fail as those to a broken disk do.
        var small = Directory.CreateDirectory(Path.Combine(folder.Path, "small")).FullName;
        MountTable.Mount("small", small, "tmpfs", 0, "size=6m");
        Attach(Path.Combine(small, "disk"));
        var result = await SendAsync(OrderKinds.InstallDisk, Install(RandomNumberGenerator.GetBytes(16 << 20)));
        Assert.False(result.Succeeded);
        Assert.StartsWith($"{disk!.Name}: ", result.Message, StringComparison.Ordinal);
        // Whichever is seen first: the write that failed, or what is read back.
        Assert.True(result.Message!.Contains("nput/output error", StringComparison.Ordinal) || result.Message.Contains("the disk does not keep what is written to it", StringComparison.Ordinal), result.Message);
    }

    [Fact]
    public async Task A_BIOS_cannot_start_from_large_sectors_and_that_is_said_before_anything_is_written()
    {
        var path = Path.Combine(folder.Path, "disk");
        Attach(path, sectorSize: 4096);
        foreach (var kind in (string[])[OrderKinds.LookAtDisk, OrderKinds.InstallDisk])
        {
            var refused = await SendAsync(kind, Install([1]) with { Overwrite = true });
            Assert.Equal((false, $"{disk!.Name} has sectors of 4096 octets, and a BIOS, which this machine was started by, boots from sectors of 512 alone: set its firmware to UEFI"), (refused.Succeeded, refused.Message));
        }
        using (var file = File.OpenHandle(path)) Assert.False(Read(file, 0, 4 << 20).AsSpan().ContainsAnyExcept((byte)0));
        Directory.CreateDirectory(Path.Combine(Node, "sys/firmware/efi"));
        var looked = await SendAsync(OrderKinds.LookAtDisk, Order());
        Assert.Equal((true, $"{disk!.Name} is blank"), (looked.Succeeded, looked.Message));
    }

    [Fact]
    public async Task A_disk_that_is_gone_or_too_small_is_an_answer()
    {
        foreach (var kind in (string[])[OrderKinds.LookAtDisk, OrderKinds.InstallDisk, OrderKinds.WipeDisk])
        {
            var gone = await SendAsync(kind, Install([1]));
            Assert.Equal((false, $"there is no disk vda of {Size} octets with the serial number S-1 any more"), (gone.Succeeded, gone.Message));
        }
        var path = Path.Combine(folder.Path, "disk");
        Attach(path, DiskLayout.SmallestDisk - (1 << 20));
        var small = await SendAsync(OrderKinds.LookAtDisk, Order());
        Assert.False(small.Succeeded);
        Assert.Contains("2047 MiB in sectors of 512: at least 2048 MiB", small.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_order_that_comes_before_the_disks_driver_waits_for_it()
    {
        var paths = new AgentPaths(Node);
        var clock = new ManualClock();
        Assert.Null(await FindAsync(Order()));
        var found = FindAsync(Order(), () => Plug("vda", "S-1"));
        Assert.Equal(new("vda", "/dev/vda", Size, 4096), await found);
        // Another machine's, or another disk that has taken its name.
        Assert.Null(await FindAsync(Order() with { Serial = "S-2" }));
        Assert.Null(await FindAsync(Order() with { SizeBytes = Size + 512 }));

        async Task<DiskDevice?> FindAsync(DiskOrder order, Action? meanwhile = null)
        {
            var finding = DiskDevice.FindAsync(paths, order, clock, CancellationToken.None);
            Assert.False(finding.IsCompleted && meanwhile is not null);
            meanwhile?.Invoke();
            while (!finding.IsCompleted)
            {
                clock.Advance(TimeSpan.FromSeconds(1));
                await Task.Yield();
            }
            return await finding;
        }

        void Plug(string name, string serial)
        {
            foreach (var (file, content) in ((string, string)[])[("size", $"{Size / 512}"), ("serial", serial), ("queue/logical_block_size", "4096")])
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(paths.Sys, "block", name, file))!);
                File.WriteAllText(Path.Combine(paths.Sys, "block", name, file), content + "\n");
            }
        }
    }

    static DiskOrder Order() => new() { Id = Id.ToString(), Name = "vda", Serial = "S-1", SizeBytes = Size };

    DiskOrder Install(byte[] image)
    {
        var digest = Convert.ToHexStringLower(SHA256.HashData(image));
        appliance.BootFiles[$"image/{digest}"] = image;
        BootOrderFile FileOf(string key) => new() { Key = key, Digest = Convert.ToHexStringLower(SHA256.HashData(appliance.BootFiles[key])), SizeBytes = appliance.BootFiles[key].Length };
        return Order() with { Image = new() { Digest = digest, SizeBytes = image.Length }, Kernel = FileOf("vmlinuz"), Initramfs = FileOf("initramfs.zst"), Arguments = "console=ttyS0", Cloud = Cloud };
    }

    async Task<OrderResult> SendAsync(string kind, DiskOrder order)
    {
        appliance.Send(new() { Id = $"disk-{++orders}", NodeId = "node-1", Kind = kind, Disk = order });
        return (await appliance.Results.Reader.ReadAsync().AsTask().WaitAsync(Patience)).Result;
    }

    void Attach(string path, long size = Size, int sectorSize = 512)
    {
        using (var file = File.Create(path)) file.SetLength(size);
        var device = Run("losetup", "--partscan", "--sector-size", sectorSize.ToString(CultureInfo.InvariantCulture), "--find", "--show", path).Trim();
        disk = new(Path.GetFileName(device), device, size, sectorSize);
    }

    void Put(string path, long at, string content)
    {
        using (var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write)) RandomAccess.Write(file, Encoding.ASCII.GetBytes(content), at);
        using var device = File.OpenHandle(disk!.Path);
        DiskDevice.ForgetCache(device, disk.Name);
    }

    static byte[] Read(SafeFileHandle file, long at, int length)
    {
        var buffer = new byte[length];
        Assert.Equal(length, RandomAccess.Read(file, buffer, at));
        return buffer;
    }

    static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var said = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} ended with {process.ExitCode}");
        return said;
    }
}
