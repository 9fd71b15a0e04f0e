using System.Globalization;
using System.Net.NetworkInformation;
using System.Security.Cryptography;
using System.Text;
using GridAppliance.Agent.Native;

namespace GridAppliance.Tests.Agent;

/// <summary>
/// All of a node that a module may not leave changed: every file with content, owner, mode, times, ACLs and attributes; users and groups are files; sysctls, mounts,
/// processes; with <see cref="Listening"/> and <see cref="Tables"/> the ports and nftables' tables of a test's own (the machine's others come and go). The agent's own orders and keys (/run) are left out; its folders for modules are not. Loaded kernel modules are this machine's, whom other tests
/// make load some at the same time: NodeModuleTests compares those of a booted node.
/// </summary>
static class NodeFingerprint
{
    public static string Take(string root, params string[] sysctls)
    {
        var text = new StringBuilder();
        foreach (var path in Walk(root, "")) text.Append(path).Append('\n');
        foreach (var name in sysctls) text.Append(CultureInfo.InvariantCulture, $"sysctl {name} {File.ReadAllText("/proc/sys/" + name.Replace('.', '/')).Trim()}\n");
        foreach (var mount in MountTable.Read().Where(mount => mount.Place.StartsWith(root, StringComparison.Ordinal))) text.Append(CultureInfo.InvariantCulture, $"mount {mount}\n");
        foreach (var process in Processes(root)) text.Append("process ").Append(process).Append('\n');
        return text.ToString();
    }

    /// <summary>Lines that are gone, and lines that are new: a few of each.</summary>
    public static string Difference(string before, string after)
    {
        string[] was = before.Split('\n'), now = after.Split('\n');
        return string.Join(" | ", was.Except(now).Take(5).Select(line => "-" + line).Concat(now.Except(was).Take(5).Select(line => "+" + line)));
    }

    /// <summary>Ports that somebody listens on here; other tests' come and go, so that each test asks for those that it knows.</summary>
    public static bool IsListening(int port) => IPGlobalProperties.GetIPGlobalProperties() is var all && all.GetActiveTcpListeners().Concat(all.GetActiveUdpListeners()).Any(listener => listener.Port == port);

    /// <summary>The line of a fingerprint for tables of the firewall that are the test's own.</summary>
    public static string Tables(params string[] tables) => $"tables {string.Join(' ', tables.Where(Netfilter.HasTable))}\n";

    /// <summary>The line of a fingerprint for ports that are the test's own.</summary>
    public static string Listening(params int[] ports) => $"listening {string.Join(' ', ports.Where(IsListening))}\n";

    public static bool Runs(int process)
    {
        try { return !HasEnded($"/proc/{process}"); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return false; }
    }

    /// <summary>
    /// One that only waits for its parent's notice runs no more, nor does one on its last way through the kernel: that has left its files, its root and its control group (which can be
    /// deleted from then on), and on a busy machine it may be a while until it is seen as a zombie.
    /// </summary>
    static bool HasEnded(string folder)
    {
        const int exiting = 4;   // PF_EXITING of the flags, proc_pid_stat(5)
        var stat = File.ReadAllText(folder + "/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return fields[0] is "Z" or "X" || (long.Parse(fields[6], CultureInfo.InvariantCulture) & exiting) != 0;
    }

    /// <summary>What runs below a root, or in its control groups.</summary>
    public static IEnumerable<string> Processes(string root)
    {
        foreach (var folder in Directory.GetDirectories("/proc").Where(folder => char.IsAsciiDigit(folder[6])).Order(StringComparer.Ordinal))
        {
            string? at = null, groups = "";
            try
            {
                if (HasEnded(folder)) continue;
                at = new FileInfo(folder + "/root").LinkTarget;
                groups = File.ReadAllText(folder + "/cgroup");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException) { continue; }
            if (at is { Length: > 1 } && at.StartsWith(root, StringComparison.Ordinal) || groups.Contains("grid-test-" + Path.GetFileName(root), StringComparison.Ordinal)) yield return $"{folder[6..]} {at}";
        }
    }

    static IEnumerable<string> Walk(string root, string folder)
    {
        foreach (var name in Directory.GetFileSystemEntries(root + folder).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal).Prepend("."))
        {
            var path = name == "." ? folder : $"{folder}/{name}";
            if (path is "/run" or "/proc" or "/sys" or "/dev") continue;
            if (path.EndsWith("/view", StringComparison.Ordinal)) { yield return $"{path} is mounted still"; continue; }
            Assert.Equal(0, Libc.Statx(Libc.CurrentFolder, root + path, Libc.NoFollow, Libc.BasicStatus, out var status));
            var isFolder = (status.Mode & Libc.TypeMask) == Libc.TypeFolder;
            // The agent's own folder is a folder like any other once nothing is installed; only its time tells that there was something.
            var time = path is "/var/lib/grid" or "/var/log" ? "" : string.Create(CultureInfo.InvariantCulture, $"{status.ModifiedSeconds}.{status.ModifiedNanoseconds:D9}");
            if (!isFolder || name == ".")
                yield return string.Create(CultureInfo.InvariantCulture, $"{path} {status.Mode:x} {status.User}:{status.Group} {time} {(isFolder ? 0 : status.Size)} {new FileInfo(root + path).LinkTarget} {Attributes(root + path)} {Content(root + path, status)}");
            if (isFolder && name != ".")
                foreach (var below in Walk(root, path)) yield return below;
        }
    }

    static string Content(string path, Libc.FileStatus status) => (status.Mode & Libc.TypeMask) == Libc.TypeFile ? Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))) : "";

    static string Attributes(string path) => string.Join(',', Names(path).Select(name =>
    {
        var value = new byte[4096];
        var length = Libc.GetAttribute(path, name, value, (nuint)value.Length);
        return $"{name}={Convert.ToHexStringLower(value.AsSpan(0, (int)Math.Max(0, length)))}";
    }));

    static readonly string[] known = ["user.note", "system.posix_acl_access", "system.posix_acl_default", "security.capability", "trusted.note"];

    static IEnumerable<string> Names(string path) => known.Where(name => Libc.GetAttribute(path, name, [], 0) >= 0);
}
