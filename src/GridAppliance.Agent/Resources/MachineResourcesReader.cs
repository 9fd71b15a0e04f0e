using System.Globalization;
using GridAppliance.Agent.Inventory;

namespace GridAppliance.Agent.Resources;

/// <summary>What the machine has to give away, as /sys and /proc tell it.</summary>
static class MachineResourcesReader
{
    /// <summary>For kernel, agent and the files of a node that lives in memory.</summary>
    const long SystemMiB = 128;

    const int SectorsInMiB = (1 << 20) / 512;

    /// <summary>PCI base classes (PCI Code and ID Assignment, chapter 1): 3D controllers and processing accelerators. Not VGA: that is the console's.</summary>
    static readonly string[] AcceleratorClasses = ["0x0302", "0x12"];

    public static MachineResources Read(AgentPaths paths) => new(
        Cpus(SystemFiles.Text(paths.Sys, "devices/system/cpu/online") ?? "0"),
        Math.Max(0, InventoryReader.MemoryOf(paths.Proc) - SystemMiB),
        DiskReader.Read(paths.Sys).Where(disk => !disk.Removable).Sum(disk => disk.SizeBytes / 512 / SectorsInMiB),
        [.. SystemFiles.Entries(Path.Combine(paths.Sys, "bus/pci/devices")).Where(IsAccelerator).Select(path => Path.GetFileName(path))]);

    /// <summary>"0-3,6" of the kernel's cpumask lists (Documentation/admin-guide/cputopology.rst).</summary>
    public static IReadOnlyList<int> Cpus(string list)
    {
        var cpus = new List<int>();
        foreach (var part in list.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var dash = part.IndexOf('-', StringComparison.Ordinal);
            if (!int.TryParse(dash < 0 ? part : part[..dash], NumberStyles.None, CultureInfo.InvariantCulture, out var first)) continue;
            var last = dash >= 0 && int.TryParse(part[(dash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var end) ? end : first;
            for (var cpu = first; cpu <= last && cpus.Count < 4096; cpu++) cpus.Add(cpu);
        }
        return cpus;
    }

    static bool IsAccelerator(string device) => SystemFiles.Text(device, "class") is { } kind && AcceleratorClasses.Any(prefix => kind.StartsWith(prefix, StringComparison.Ordinal));
}
