namespace GridAppliance.Lab.Machine;

static class Mounts
{
    const string Mount = "/usr/bin/mount";
    const string Unmount = "/usr/bin/umount";

    public static async Task MountTmpfsAsync(string directory, int mebibytes, CancellationToken cancellation)
    {
        if (!IsMounted(directory))
            await Command.RunAsync([Mount, "-t", "tmpfs", "-o", $"size={mebibytes}m,mode=0700", "gridlab", directory], cancellation);
    }

    public static async Task UnmountAsync(string directory, CancellationToken cancellation)
    {
        while (IsMounted(directory))
        {
            var (exitCode, _, _) = await Command.TryRunAsync([Unmount, directory], cancellation);
            // Somebody's shell may stand in it: then it goes when they leave.
            if (exitCode != 0) await Command.RunAsync([Unmount, "--lazy", directory], cancellation);
        }
    }

    public static bool IsMounted(string directory) => File.ReadLines("/proc/self/mountinfo").Any(line => line.Split(' ')[4] == directory);
}
