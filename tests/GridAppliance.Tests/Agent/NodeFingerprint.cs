using System.Globalization;
using System.Net.NetworkInformation;
using System.Security.Cryptography;
using System.Text;
using GridAppliance.Agent.Native;

namespace GridAppliance.Tests.Agent;

/// <summary>
/// All of a node that a module may not leave changed: every file with content, owner, mode, times, ACLs and attributes; users and groups are files; sysctls, loaded kernel modules, mounts,
/// listening ports, nftables, processes. The agent's own orders and keys (/run) are left out; its folders for modules are not.
/// </summary>
static class NodeFingerprint
{
    public static string Take(string root, params string[] sysctls)
    {
        var text = new StringBuilder();
        foreach (var path in Walk(root, "")) text.Append(path).Append('\n');
        foreach (var name in sysctls) text.Append(CultureInfo.InvariantCulture, $"sysctl {name} {File.ReadAllText("/proc/sys/" + name.Replace('.', '/')).Trim()}\n");
        if (File.Exists("/proc/modules")) text.Append("kernel modules ").AppendJoin(' ', File.ReadLines("/proc/modules").Select(line => line.Split(' ')[0]).Order(StringComparer.Ordinal)).Append('\n');
        foreach (var mount in MountTable.Read().Where(mount => mount.Place.StartsWith(root, StringComparison.Ordinal))) text.Append(CultureInfo.InvariantCulture, $"mount {mount}\n");
        text.Append("tables ").Append(Tables()).Append('\n');
        foreach (var process in Processes(root)) text.Append("process ").Append(process).Append('\n');
        return text.ToString();
    }

    /// <summary>Ports that somebody listens on here; other tests' come and go, so that each test asks for those that it knows.</summary>
    public static bool IsListening(int port) => IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Any(listener => listener.Port == port);

    /// <summary>What runs below a root, or in its control groups.</summary>
    public static IEnumerable<string> Processes(string root)
    {
        foreach (var folder in Directory.GetDirectories("/proc").Where(folder => char.IsAsciiDigit(folder[6])).Order(StringComparer.Ordinal))
        {
            string? at = null, groups = "";
            try
            {
                // One that has ended and only waits for its parent's notice runs no more.
                if (File.ReadAllText(folder + "/stat").Contains(") Z ", StringComparison.Ordinal)) continue;
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

    static string Tables() => string.Join(' ', new[] { "grid_alpha", "grid_beta", "grid_gamma" }.Where(Netfilter.HasTable));
}
