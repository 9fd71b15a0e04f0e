using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using GridAppliance.Lab.Servers;

namespace GridAppliance.EndToEnd.Images;

/// <summary>The node image as <c>gridctl recover</c> boots it: what somebody at its serial line meets, and what becomes of the disks.</summary>
public sealed class RecoveryTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("recovery-").FullName;
    readonly CancellationTokenSource patience = new(TimeSpan.FromMinutes(3));

    public void Dispose()
    {
        Directory.Delete(folder, recursive: true);
        patience.Dispose();
    }

    [LabFact]
    public async Task A_nodes_file_systems_are_listed_and_mounted_and_its_disk_stays_as_it_was_until_a_person_says_otherwise()
    {
        var disk = Path.Combine(folder, "disk.img");
        var files = Directory.CreateDirectory(Path.Combine(folder, "files")).FullName;
        await File.WriteAllTextAsync(Path.Combine(files, "note"), "kept\n");
        await NodeImage.RunAsync(["/usr/bin/truncate", "-s", "32M", disk], "making a disk");
        await NodeImage.RunAsync(["/sbin/mke2fs", "-q", "-t", "ext4", "-L", "rootfs", "-d", files, disk], "making a file system");
        var before = await DigestAsync(disk);
        using (var server = new Server(new NodeImage("virtual"), disk))
        {
            Assert.Matches(@"1  /dev/vda +ext4 +32 MiB  rootfs", await server.UntilPromptAsync(patience.Token));
            Assert.Contains("/dev/vda is at /mnt/vda (ro,noload)", await server.AskAsync("1", patience.Token), StringComparison.Ordinal);
            await server.ShellAsync("cat /mnt/vda/note; touch /mnt/vda/new; dd if=/dev/zero of=/dev/vda count=1; sync", patience.Token);
            Assert.Contains("kept", server.Seen, StringComparison.Ordinal);
            Assert.Contains("touch: /mnt/vda/new: Read-only file system", server.Seen, StringComparison.Ordinal);
            Assert.Contains("dd: error writing '/dev/vda'", server.Seen, StringComparison.Ordinal);
            Assert.Equal(before, await DigestAsync(disk));

            Assert.Contains("/dev/vda is at /mnt/vda (rw)", await server.AskAsync("w 1", patience.Token), StringComparison.Ordinal);
            await server.ShellAsync("touch /mnt/vda/new && ls /mnt/vda | grep -c new", patience.Token);
            await server.AskAsync("u 1", patience.Token);
        }
        Assert.NotEqual(before, await DigestAsync(disk));
    }

    static async Task<string> DigestAsync(string file)
    {
        await using var stream = File.OpenRead(file);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream));
    }

    /// <summary>A server with one disk that the image is loaded into, as iPXE would; its serial line is the process's own streams.</summary>
    sealed class Server : IDisposable
    {
        readonly Process process;
        readonly StringBuilder seen = new();

        public Server(NodeImage image, string disk)
        {
            var start = new ProcessStartInfo("qemu-system-x86_64") { RedirectStandardInput = true, RedirectStandardOutput = true };
            foreach (var argument in (string[])
            [
                "-machine", "q35,accel=tcg", "-cpu", QemuArguments.Processor, "-m", "512", "-kernel", image.PathOf("vmlinuz"), "-initrd", image.PathOf("initramfs.zst"),
                "-append", $"{image.CommandLine} grid.recover", "-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot",
                "-netdev", "user,id=net,restrict=on", "-device", "virtio-net-pci,netdev=net", "-drive", $"file={disk},format=raw,if=virtio,cache=writethrough",
            ]) start.ArgumentList.Add(argument);
            process = Process.Start(start)!;
        }

        public string Seen => seen.ToString();

        /// <summary>Everything since the last prompt, up to the next.</summary>
        public Task<string> UntilPromptAsync(CancellationToken patience) => UntilAsync("recover> ", patience);

        public async Task<string> AskAsync(string command, CancellationToken patience)
        {
            await process.StandardInput.WriteAsync($"{command}\n".AsMemory(), patience);
            await process.StandardInput.FlushAsync(patience);
            return await UntilPromptAsync(patience);
        }

        public async Task ShellAsync(string command, CancellationToken patience)
        {
            await process.StandardInput.WriteAsync("s\n".AsMemory(), patience);
            await process.StandardInput.FlushAsync(patience);
            // Its shell asks the terminal where the cursor stands, and drops what was typed before.
            await UntilAsync("# ", patience);
            await AskAsync($"{command}; exit", patience);
        }

        public void Dispose()
        {
            process.Kill();
            process.WaitForExit(10_000);
            process.Dispose();
        }

        async Task<string> UntilAsync(string text, CancellationToken patience)
        {
            var buffer = new char[1024];
            var from = seen.Length;
            while (!seen.ToString(from, seen.Length - from).Contains(text, StringComparison.Ordinal))
            {
                int count;
                try { count = await process.StandardOutput.ReadAsync(buffer, patience); }
                catch (OperationCanceledException) { throw new TimeoutException($"'{text}' did not come: {seen}"); }
                if (count == 0) throw new EndOfStreamException($"the server ended before '{text}': {seen}");
                seen.Append(buffer, 0, count);
            }
            return seen.ToString(from, seen.Length - from);
        }
    }
}
