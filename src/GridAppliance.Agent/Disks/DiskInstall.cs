using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using GridAppliance.Agent.Calls;
using GridAppliance.Agent.Identity;
using GridAppliance.Agent.Images;
using GridAppliance.Agent.Modules;
using GridAppliance.Agent.Native;
using GridAppliance.Api.Agents;
using GridAppliance.Protocols.Disks;
using Microsoft.Win32.SafeHandles;

namespace GridAppliance.Agent.Disks;

/// <summary>
/// Writes a system to a disk: partitions, the root image's content, this kernel and initramfs, boot loaders for a BIOS and for UEFI, this agent as a service, and where cloud-init asks. Everything that it needs is in the
/// root image, which is staged in the EFI system partition until the root has its files: a node with little memory can be installed too. Begun again, it begins from the beginning.
/// </summary>
/// <param name="find">The disk that an order means.</param>
/// <param name="say">How far it is, for people.</param>
sealed class DiskInstall(BootParameters boot, AgentPaths paths, ApplianceCalls calls, Func<DiskOrder, CancellationToken, Task<DiskDevice?>> find, Action<string?> say, TimeProvider clock)
{
    const int MostTries = 60, ClusterSize = 4096;
    static readonly TimeSpan ToolLimit = TimeSpan.FromMinutes(2), CopyLimit = TimeSpan.FromMinutes(20), AskAgain = TimeSpan.FromSeconds(5);

    /// <summary>What may stand in a boot loader's configuration: no quotes, no dollar, no semicolon.</summary>
    static readonly SearchValues<char> ArgumentCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,:=/_+-@%");
    static readonly SearchValues<char> PathCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_-");

    string Stage => Path.Combine(paths.Run, "disk");

    public static string Missing(DiskOrder order) => $"there is no disk {order.Name} of {order.SizeBytes} octets{(order.Serial is null ? "" : $" with the serial number {order.Serial}")} any more";

    /// <summary>Whether the disk may be written to. Nothing is.</summary>
    public async Task<ModuleOutcome> LookAsync(DiskOrder order, CancellationToken cancellationToken)
    {
        if (await find(order, cancellationToken) is not { } disk) return ModuleOutcome.Refused(Missing(order));
        if (Unfit(disk) is { } unfit) return ModuleOutcome.Refused(unfit);
        using var file = disk.OpenAlone();
        return DiskContent.Of(disk, file).Data is not { } data ? ModuleOutcome.Done($"{disk.Name} is blank")
            : order.Overwrite ? ModuleOutcome.Done($"{disk.Name} has {data}, which may be written over")
            : ModuleOutcome.Refused($"{disk.Name} holds what was not written here: {data}. `--overwrite {disk.Name}` writes over it");
    }

    /// <summary>Why no machine, or not this one, could start from the disk; null where it can.</summary>
    string? Unfit(DiskDevice disk) =>
        DiskLayout.For(Guid.Empty, disk.Size, disk.SectorSize) is null ? $"{disk.Name} has {disk.Size >> 20} MiB in sectors of {disk.SectorSize}: at least {DiskLayout.SmallestDisk >> 20} MiB in sectors of 512 or 4096 are needed"
        : disk.SectorSize != GrubBiosBoot.Sector && !Directory.Exists(Path.Combine(paths.Sys, "firmware/efi")) ? $"{disk.Name} has sectors of {disk.SectorSize} octets, and a BIOS, which this machine was started by, boots from sectors of {GrubBiosBoot.Sector} alone: set its firmware to UEFI"
        : null;

    public async Task<ModuleOutcome> RunAsync(DiskOrder order, CallSigner signer, CancellationToken cancellationToken)
    {
        if (order is not { Image: { } image, Kernel: { } kernel, Initramfs: { } initramfs, Arguments: { } arguments, Cloud: { } cloud } || !Guid.TryParse(order.Id, out var id)
            || arguments.AsSpan().ContainsAnyExcept(ArgumentCharacters) || cloud.AsSpan().ContainsAnyExcept(PathCharacters)) return ModuleOutcome.Refused("the order does not say what to write");
        if (await find(order, cancellationToken) is not { } disk) return ModuleOutcome.Refused(Missing(order));
        if (Unfit(disk) is { } unfit) return ModuleOutcome.Refused(unfit);
        var table = DiskLayout.For(id, disk.Size, disk.SectorSize)!;
        if (image.SizeBytes is <= 0 or > DiskLayout.EfiSystemSize) return ModuleOutcome.Refused($"an image of {image.SizeBytes} octets cannot be staged");
        var step = "it cannot be begun";
        void Begin(string what, string otherwise) { step = otherwise; say($"{what} ({disk.Name})"); }
        try
        {
            Clear();
            Begin("writing the partition table", "its partitions could not be made");
            await PartitionAsync(disk, table, cancellationToken);

            Begin("fetching the image", "the image is not on it");
            if (await StageAsync(disk.Partition(DiskLayout.EfiSystem), image, cancellationToken) is { } problem) return ModuleOutcome.Refused($"{disk.Name}: the image {problem}");
            var (lower, root) = (Directory.CreateDirectory(Path.Combine(Stage, "image")).FullName, Directory.CreateDirectory(Path.Combine(Stage, "root")).FullName);
            MountTable.Mount(disk.Partition(DiskLayout.EfiSystem), lower, "squashfs", Libc.MountReadOnly, null);

            Begin("making the file system", "its root file system could not be made");
            MountTable.Mount("/dev", Path.Combine(lower, "dev"), null, Libc.MountBind, null);
            await DiskTools.RunInAsync(lower, ToolLimit, cancellationToken, "mkfs.ext4", "-q", "-F", "-L", "grid-root", "-U", id.ToString(), "-O", "^metadata_csum_seed,^orphan_file", disk.Partition(DiskLayout.Root));
            MountTable.Mount(disk.Partition(DiskLayout.Root), root, "ext4", 0, null);
            MountTable.Mount(root, Path.Combine(lower, "mnt"), null, Libc.MountBind, null);

            Begin("unpacking the image", "the image could not be unpacked");
            await DiskTools.RunInAsync(lower, CopyLimit, cancellationToken, "cp", "-a", "-x", "/.", "/mnt/");
            Unmount(lower);

            Begin("fetching kernel and initramfs", "it has no kernel");
            MountTable.Mount("/dev", Path.Combine(root, "dev"), null, Libc.MountBind, null);
            foreach (var (file, name) in new[] { (kernel, "vmlinuz"), (initramfs, "initramfs.zst") })
                if (await FetchAsync(file, Path.Combine(root, "boot", name), cancellationToken) is { } missing) return ModuleOutcome.Refused($"{disk.Name}: {name} {missing}");

            Begin("setting up the system", "the system could not be set up");
            await SetUpAsync(root, id, arguments, cloud, cancellationToken);
            var answer = await calls.BootTicketAsync(signer, cancellationToken);
            if (!answer.Succeeded || TokenIn(answer.Body) is not { } token) return ModuleOutcome.Refused($"{disk.Name}: there is no token for its first boot: {answer.Problem}");
            Put(root, "etc/grid/agent.conf", $"grid.url=http://{boot.Appliance}\ngrid.key={boot.ApplianceFingerprint}\ngrid.token={token}\n{(boot.Mac is { } mac ? $"grid.mac={mac}\n" : "")}", isSecret: true);
            // All of it on the disk before anything can start from there: a power cut leaves a whole system or none that boots.
            Begin("writing out what is in memory", "what was written is not on it");
            await DiskTools.RunInAsync(root, CopyLimit, cancellationToken, "sync", "-f", "/");

            Begin("making it bootable", "it could not be made bootable");
            await MakeBootableAsync(root, disk, id, cancellationToken);
            if (disk.SectorSize == GrubBiosBoot.Sector) await WriteCoreAsync(root, disk, table, cancellationToken);
            Clear();
            using (var file = File.OpenHandle(disk.Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) RandomAccess.FlushToDisk(file);
            return ModuleOutcome.Done($"{disk.Name} boots the image {image.Digest[..12]}");
        }
        catch (IOException e)
        {
            return ModuleOutcome.Refused($"{disk.Name}: {step}: {e.Message}");
        }
        finally
        {
            Clear();
            say(null);
        }
    }

    /// <summary>Nothing of an earlier system shows through: its marks at the partitions' beginnings go before the partitions come.</summary>
    static async Task PartitionAsync(DiskDevice disk, GuidPartitionTable table, CancellationToken cancellationToken)
    {
        using var file = disk.OpenAlone();
        disk.Discard(file);
        foreach (var partition in table.Partitions) disk.Zero(file, partition.First * disk.SectorSize, DiskLayout.Alignment);
        disk.Zero(file, 0, DiskLayout.Alignment);
        var (primary, backup) = (new byte[table.PrimaryLength], new byte[table.BackupLength]);
        table.WritePrimary(primary);
        table.WriteBackup(backup);
        RandomAccess.Write(file, backup, disk.Size / disk.SectorSize * disk.SectorSize - backup.Length);
        RandomAccess.Write(file, primary, 0);
        RandomAccess.FlushToDisk(file);
        await disk.PartitionAsync(file, table.Partitions, cancellationToken);
    }

    /// <returns>Null once the partition begins with the image, read back from the disk.</returns>
    async Task<string?> StageAsync(string partition, DiskImageFile image, CancellationToken cancellationToken)
    {
        await using (var to = new FileStream(partition, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Write, Share = FileShare.ReadWrite, BufferSize = 0 }))
        {
            var answer = await PatientlyAsync(() =>
            {
                to.Position = 0;
                return calls.DownloadImageAsync(image.Digest, image.SizeBytes, to, cancellationToken);
            }, cancellationToken);
            if (!answer.Succeeded) return $"could not be fetched: {answer.Problem}";
            RandomAccess.FlushToDisk(to.SafeFileHandle);
        }
        say("reading the image back");
        using var file = File.OpenHandle(partition, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        DiskDevice.ForgetCache(file, partition);
        return await Task.Run(() => DigestOf(file, image.SizeBytes), cancellationToken) == image.Digest ? null : "reads back from the disk as something else: the disk does not keep what is written to it";
    }

    static string DigestOf(SafeFileHandle file, long length)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 20];
        for (long at = 0; at < length;)
        {
            var read = RandomAccess.Read(file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - at)), at);
            if (read == 0) break;
            hash.AppendData(buffer, 0, read);
            at += read;
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    async Task<string?> FetchAsync(BootOrderFile file, string to, CancellationToken cancellationToken)
    {
        if (!ImageBoot.IsAcceptable(file)) return "has a name or size that is not acceptable";
        await using var stream = new FileStream(to, FileMode.Create, FileAccess.Write);
        var answer = await PatientlyAsync(() =>
        {
            stream.SetLength(0);
            return calls.DownloadBootFileAsync(file.Key, file.Digest, file.SizeBytes, stream, cancellationToken);
        }, cancellationToken);
        return answer.Succeeded ? null : $"could not be fetched: {answer.Problem}";
    }

    /// <summary>An appliance that is away for a moment is no reason to begin anew; one that answers has said what there is to say.</summary>
    async Task<Answer> PatientlyAsync(Func<Task<Answer>> ask, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            var answer = await ask();
            if (answer.Arrived || tries == MostTries) return answer;
            await Task.Delay(AskAgain, clock, cancellationToken);
        }
    }

    /// <summary>The agent, its unit, the modules of the kernel that boots it, and where cloud-init asks.</summary>
    async Task SetUpAsync(string root, Guid id, string arguments, string cloud, CancellationToken cancellationToken)
    {
        await DiskTools.RunAsync(ToolLimit, cancellationToken, "cp", "-a", Path.Combine(paths.Root, "disk") + "/.", root + "/");
        foreach (var program in (string[])["grid-agent", "grid-run"])
        {
            File.Copy(Path.Combine(paths.Root, "bin", program), Path.Combine(root, "usr/local/bin", program), overwrite: true);
            File.SetUnixFileMode(Path.Combine(root, "usr/local/bin", program), (UnixFileMode)0b111_101_101);
        }
        foreach (var (from, to) in ((string, string)[])[("lib/modules", "usr/lib/modules"), ("lib/firmware", "usr/lib/firmware")])
        {
            if (!Directory.Exists(Path.Combine(paths.Root, from))) continue;
            Directory.CreateDirectory(Path.Combine(root, to));
            await DiskTools.RunAsync(ToolLimit, cancellationToken, "cp", "-a", Path.Combine(paths.Root, from) + "/.", Path.Combine(root, to) + "/");
        }
        foreach (var kernel in Directory.GetDirectories(Path.Combine(root, "usr/lib/modules"))) await DiskTools.RunInAsync(root, ToolLimit, cancellationToken, "depmod", Path.GetFileName(kernel));
        await DiskTools.RunInAsync(root, ToolLimit, cancellationToken, "systemctl", "--quiet", "--root=/", "enable", "grid-agent.service", "systemd-networkd.service", "ssh.service");

        Put(root, "etc/fstab", $"UUID={id} / ext4 errors=remount-ro 0 1\nUUID={Serial(id)[..4]}-{Serial(id)[4..]} /boot/efi vfat umask=0077,nofail 0 2\n");
        Directory.CreateDirectory(Path.Combine(root, "boot/efi"));
        Put(root, "boot/grub/grub.cfg", $"set timeout=1\nsearch --no-floppy --fs-uuid --set=root {id}\nmenuentry 'Debian (GridAppliance)' {{\n\tlinux /boot/vmlinuz {arguments} grid.disk={id}\n\tinitrd /boot/initramfs.zst\n}}\n");

        Put(root, "etc/cloud/cloud.cfg.d/91-grid-source.cfg", $"datasource:\n  NoCloud:\n    seedfrom: http://{boot.Appliance}{cloud}/\n", isSecret: true);
        // This cloud-init asks a server for all but this, which it must know before it has a network.
        var network = await PatientlyAsync(() => calls.CloudFileAsync($"{cloud}/network-config", cancellationToken), cancellationToken);
        if (!network.Succeeded) throw new IOException($"its network settings could not be fetched: {network.Problem}");
        Put(root, "etc/cloud/cloud.cfg.d/92-grid-network.cfg", $"network: {Encoding.UTF8.GetString(network.Body)}\n");
    }

    /// <summary>GRUB for a BIOS as a core image, and Debian's signed shim and GRUB for UEFI, where firmware finds them on a disk that it has never seen.</summary>
    static async Task MakeBootableAsync(string root, DiskDevice disk, Guid id, CancellationToken cancellationToken)
    {
        Task Run(params IReadOnlyList<string> command) => DiskTools.RunInAsync(root, ToolLimit, cancellationToken, command);
        var efi = disk.Partition(DiskLayout.EfiSystem);
        await Run("grub-mkimage", "-O", "i386-pc", "-p", $"(,gpt{DiskLayout.Root})/boot/grub", "-o", "/boot/grub/core.img", "biosdisk", "part_gpt", "ext2", "normal", "configfile", "search", "search_fs_uuid", "linux", "echo", "test", "minicmd", "reboot");
        // By itself it makes clusters of eight sectors: with large ones those would be too few for what firmware takes for FAT32.
        await Run("mkfs.vfat", "-F", "32", "-s", (ClusterSize / disk.SectorSize).ToString(CultureInfo.InvariantCulture), "-n", "GRID-EFI", "-i", Serial(id), efi);
        Put(root, "boot/grub/efi.cfg", $"search.fs_uuid {id} root\nset prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n");
        await Run("mmd", "-i", efi, "::/EFI", "::/EFI/BOOT", "::/EFI/debian");
        await Run("mcopy", "-i", efi, "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed", "::/EFI/BOOT/grubx64.efi");
        await Run("mcopy", "-i", efi, "/boot/grub/efi.cfg", "::/EFI/debian/grub.cfg");
        // Last: this is the one that firmware looks for.
        await Run("mcopy", "-i", efi, "/usr/lib/shim/shimx64.efi.signed", "::/EFI/BOOT/BOOTX64.EFI");
    }

    /// <summary>Into the sectors that no file system owns.</summary>
    static async Task WriteCoreAsync(string root, DiskDevice disk, GuidPartitionTable table, CancellationToken cancellationToken)
    {
        var first = table.Partitions[DiskLayout.BiosBoot - 1].First * disk.SectorSize;
        var core = await File.ReadAllBytesAsync(Path.Combine(root, "boot/grub/core.img"), cancellationToken);
        if (core.Length > DiskLayout.Alignment) throw new IOException("the boot loader does not fit into its partition");
        Array.Resize(ref core, (core.Length + GrubBiosBoot.Sector - 1) / GrubBiosBoot.Sector * GrubBiosBoot.Sector);
        GrubBiosBoot.PlaceCore(core, first / GrubBiosBoot.Sector);
        var primary = new byte[table.PrimaryLength];
        GrubBiosBoot.PlaceBootCode(await File.ReadAllBytesAsync(Path.Combine(root, "usr/lib/grub/i386-pc/boot.img"), cancellationToken), first / GrubBiosBoot.Sector, primary);
        table.WritePrimary(primary);
        using var file = File.OpenHandle(disk.Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        RandomAccess.Write(file, core, first);
        RandomAccess.Write(file, primary, 0);
        RandomAccess.FlushToDisk(file);
    }

    /// <summary>A FAT volume has thirty-two bits of identity.</summary>
    static string Serial(Guid id) => id.ToString("N", CultureInfo.InvariantCulture)[..8].ToUpperInvariant();

    static void Put(string root, string path, string content, bool isSecret = false)
    {
        var file = Path.Combine(root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.Delete(file);
        var mode = isSecret ? UnixFileMode.UserRead | UnixFileMode.UserWrite : (UnixFileMode)0b110_100_100;
        using var stream = new FileStream(file, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = mode });
        stream.Write(Encoding.UTF8.GetBytes(content));
    }

    static string? TokenIn(byte[] body)
    {
        try { return JsonSerializer.Deserialize(body, ReadJson.Default.BootTicket) is { Token: { Length: > 0 and <= 64 } token } && !token.AsSpan().ContainsAnyExcept(ArgumentCharacters) ? token : null; }
        catch (JsonException) { return null; }
    }

    void Clear()
    {
        if (Directory.Exists(Stage)) Unmount(Stage);
    }

    /// <summary>Not lazily: what is unmounted here is on the disk, or says that it is not.</summary>
    static void Unmount(string folder)
    {
        foreach (var place in MountTable.Below(folder)) MountTable.UnmountNow(place);
    }
}
