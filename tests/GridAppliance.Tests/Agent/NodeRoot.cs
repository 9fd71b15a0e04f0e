using System.Diagnostics;
using GridAppliance.Agent.Native;

namespace GridAppliance.Tests.Agent;

/// <summary>The root of a small node below a folder: Debian's static busybox, a few files with all that files can have, and a control group of its own where this machine lets it.</summary>
static class NodeRoot
{
    const string Busybox = "/bin/busybox";

    public static void Make(string root)
    {
        foreach (var folder in (string[])["bin", "etc", "opt", "proc", "sys/fs", "dev", "run", "root", "srv/data", "tmp", "usr", "var/lib/grid", "var/log"]) Directory.CreateDirectory(Path.Combine(root, folder));
        File.Copy(Busybox, Path.Combine(root, "bin/busybox"));
        using var list = Process.Start(new ProcessStartInfo(Busybox, ["--list"]) { RedirectStandardOutput = true })!;
        foreach (var applet in list.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries))
            if (applet != "busybox") File.CreateSymbolicLink(Path.Combine(root, "bin", applet), "busybox");
        // As on the tiny image.
        File.CreateSymbolicLink(Path.Combine(root, "sbin"), "bin");
        File.CreateSymbolicLink(Path.Combine(root, "usr/bin"), "../bin");
        File.CreateSymbolicLink(Path.Combine(root, "usr/sbin"), "../bin");
        File.WriteAllText(Path.Combine(root, "etc/passwd"), "root:x:0:0::/root:/bin/sh\n");
        File.WriteAllText(Path.Combine(root, "etc/group"), "root:x:0:");   // no newline at its end
        File.WriteAllText(Path.Combine(root, "etc/hosts"), "127.0.0.1\tlocalhost\n");
        File.WriteAllText(Path.Combine(root, "etc/app.conf"), "as it was\n");
        File.WriteAllText(Path.Combine(root, "srv/data/big"), new string('x', 100_000));
        File.SetUnixFileMode(Path.Combine(root, "etc/app.conf"), UnixFileMode.UserRead | UnixFileMode.GroupRead);
        Libc.ChangeOwner(Path.Combine(root, "etc/app.conf"), 1000, 100);
        Libc.SetAttribute(Path.Combine(root, "etc/app.conf"), "user.note", "kept"u8, 4, 0);
        LinkGroup(root);
    }

    /// <summary>A control group of its own in place of the kernel's, where this machine has any.</summary>
    public static void LinkGroup(string root)
    {
        if (GroupFor(root) is not { } group) return;
        Directory.CreateDirectory(group);
        File.CreateSymbolicLink(Path.Combine(root, "sys/fs/cgroup"), group);
    }

    /// <summary>Ends what still runs in the root's control groups and takes them away.</summary>
    public static void Forget(string root)
    {
        if (GroupFor(root) is not { } group || !Directory.Exists(group)) return;
        File.WriteAllText(Path.Combine(group, "cgroup.kill"), "1");
        for (var tries = 0; tries < 250 && Directory.Exists(group); tries++)
        {
            try
            {
                foreach (var folder in Directory.GetDirectories(group, "*", SearchOption.AllDirectories).OrderByDescending(path => path.Length)) Directory.Delete(folder);
                Directory.Delete(group);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException) { Thread.Sleep(20); }
        }
    }

    static string? GroupFor(string root) => MountTable.Read().FirstOrDefault(mount => mount.Type == "cgroup2") is { } mounted ? Path.Combine(mounted.Place, "grid-test-" + Path.GetFileName(root)) : null;
}
