using GridAppliance.Lab;
using GridAppliance.Lab.Machine;

namespace GridAppliance.EndToEnd.Lab;

/// <summary>What a lab leaves on a machine for anybody to see, by every way to look.</summary>
static class LabTraces
{
    public static IReadOnlyList<string> Of(LabPlan plan, LabProcesses processes) =>
    [
        .. Entries("/run/netns").Where(name => name.StartsWith($"{plan.Name}-", StringComparison.Ordinal)).Select(name => $"namespace {name}"),
        .. Entries("/sys/class/net").Where(name => name.StartsWith($"{plan.Name}-", StringComparison.Ordinal)).Select(name => $"interface {name}"),
        .. processes.All().Select(process => $"process {process.Pid}"),
        .. CommandLines().Where(line => line.Contains($"{plan.Paths.Root}/", StringComparison.Ordinal)).Select(line => $"process {line}"),
        .. File.ReadLines("/proc/self/mountinfo").Where(line => line.Contains($"{plan.Paths.Root}/", StringComparison.Ordinal)).Select(line => $"mount {line}"),
        .. Entries(LabPaths.Everything).Where(name => name == plan.Name.ToString()).Select(name => $"directory {name}"),
    ];

    static IEnumerable<string> Entries(string directory) =>
        Directory.Exists(directory) ? Directory.EnumerateFileSystemEntries(directory).Select(path => Path.GetFileName(path)) : [];

    static IEnumerable<string> CommandLines()
    {
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(path => int.TryParse(Path.GetFileName(path), out _)))
        {
            string line;
            try { line = File.ReadAllText($"{process}/cmdline").Replace('\0', ' '); }
            catch (IOException) { continue; }
            yield return line;
        }
    }
}
