using System.Globalization;
using GridAppliance.Lab.Native;
using GridAppliance.Lab.Servers;
using GridAppliance.Lab.Switches;

namespace GridAppliance.Lab.Machine;

/// <summary>Looks over this machine before anything is made, and says everything that is missing at once.</summary>
static class Preflight
{
    const int MiBPerServer = 300;
    const int MiBForTheRest = 500;

    /// <summary>Programs and files of Debian that a lab needs, and the package of each. The switch's service is not needed, only its programs.</summary>
    static readonly (string Path, string Package)[] Needed =
    [
        (QemuArguments.Program, "qemu-system-x86"),
        (QemuArguments.DefaultBootRom, "ipxe-qemu"),
        (QemuArguments.UefiCode, "ovmf"),
        (QemuArguments.UefiVariables, "ovmf"),
        (OpenVswitch.Daemon, "openvswitch-switch"),
        (OpenVswitch.Schema, "openvswitch-common"),
        (LabBmc.Program, "openipmi"),
        (Namespaces.Ip, "iproute2"),
        (Namespaces.Ethtool, "ethtool"),
    ];

    /// <param name="appliance">Whether the lab is to have an appliance of this tree.</param>
    /// <returns>One sentence per problem; empty when a lab can be made.</returns>
    public static IReadOnlyList<string> Problems(LabPlan plan, LabPrograms programs, bool appliance)
    {
        var problems = new List<string>();
        if (Libc.EffectiveUser() != 0) problems.Add("gridlab makes network namespaces, so it must run as root: use sudo.");

        var packages = Needed.Where(need => !File.Exists(need.Path)).Select(need => need.Package).Distinct().ToList();
        if (packages.Count > 0) problems.Add($"Not installed: {string.Join(" ", packages)}. 'sudo make prepare' installs them.");
        if (!File.Exists("/dev/net/tun")) problems.Add("/dev/net/tun is not there: the kernel cannot make the servers' network ports.");
        if (appliance && !File.Exists(programs.Gridappliance)) problems.Add($"{programs.Gridappliance} is not built: run 'make build'.");
        if (appliance && !File.Exists(Path.Combine(programs.BootFilesOf(plan.Image), "manifest.json")))
            problems.Add($"No node image in {programs.BootFilesOf(plan.Image)}: run 'sudo make image{(plan.Image == LabImage.Virtual ? "" : $" PROFILE={plan.Image.Profile()}")}'.");

        var wanted = MiBForTheRest + plan.Servers.Count * MiBPerServer;
        if (AvailableMiB() is { } available && available < wanted)
            problems.Add($"{plan.Servers.Count} servers and the appliance want about {wanted} MiB of memory and {available} are free: ask for fewer with --servers.");
        return problems;
    }

    static long? AvailableMiB() => File.ReadLines("/proc/meminfo")
        .Where(line => line.StartsWith("MemAvailable:", StringComparison.Ordinal))
        .Select(line => (long?)long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024)
        .FirstOrDefault();
}
