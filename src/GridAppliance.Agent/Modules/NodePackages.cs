using System.Globalization;

namespace GridAppliance.Agent.Modules;

/// <summary>What the node itself has.</summary>
static class NodePackages
{
    /// <summary>Names of the Debian packages that are installed; none on the tiny image.</summary>
    public static IReadOnlySet<string> Installed(AgentPaths paths)
    {
        var status = Path.Combine(paths.Root, "var/lib/dpkg/status");
        var installed = new HashSet<string>(StringComparer.Ordinal);
        if (!File.Exists(status)) return installed;
        var name = "";
        foreach (var line in File.ReadLines(status))
            if (line.StartsWith("Package: ", StringComparison.Ordinal)) name = line[9..];
            else if (line == "Status: install ok installed") installed.Add(name);
        return installed;
    }

    /// <summary>Octets of memory that programs can still have.</summary>
    public static long AvailableMemory() =>
        File.ReadLines("/proc/meminfo").FirstOrDefault(line => line.StartsWith("MemAvailable:", StringComparison.Ordinal))?.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var kib, ..]
            ? long.Parse(kib, CultureInfo.InvariantCulture) * 1024 : 0;
}
