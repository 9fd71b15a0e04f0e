using System.Text.RegularExpressions;
using GridAppliance.EndToEnd.Lab;
using GridAppliance.Lab.Machine;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.EndToEnd.Fabric;

/// <summary>
/// A node without a machine: a network namespace with cables into the lab's switch, in which the real agent runs as the node image would start it. It takes its address by DHCP and
/// its token from the boot script, as iPXE does.
/// </summary>
sealed partial class NamespaceNode(LabInstance lab, string name)
{
    string Space => $"{lab.Plan.Name}-{name}";

    string Directory => $"{lab.Plan.Paths.Root}/{name}";

    /// <summary>The switch's end of a cable.</summary>
    public string Port(string nic) => $"{lab.Plan.Name}-{name}{nic}";

    public async Task CableAsync(string nic, int vlan)
    {
        if (!Namespaces.Exists(Space)) await Namespaces.CreateAsync(Space, default);
        await Namespaces.CableAsync(lab.Plan.Switch.Namespace, Port(nic), Space, nic, default);
        await lab.Rig.Switch.AddPortAsync(Port(nic), default);
        await lab.Rig.Switch.SetVlanAsync(Port(nic), vlan, default);
    }

    public async Task<MacAddress> MacAsync(string nic) => MacAddress.Parse((await RunAsync("/usr/bin/cat", $"/sys/class/net/{nic}/address")).Trim());

    public Task<string> RunAsync(params string[] program) => Command.RunAsync(Namespaces.Inside(Space, program), default);

    /// <summary>Boots: an address, a script, an agent.</summary>
    public async Task BootAsync()
    {
        System.IO.Directory.CreateDirectory(Directory);
        var script = $"{Directory}/udhcpc.sh";
        await WriteAsync(script, "#!/bin/sh\n[ \"$1\" = bound ] || exit 0\nip address flush dev $interface\nip address add $ip/$mask dev $interface\n");
        await RunAsync("/usr/bin/busybox", "udhcpc", "-i", "eth0", "-f", "-q", "-n", "-t", "6", "-T", "2", "-V", "PXEClient:Arch:00000:UNDI:002001", "-s", script);
        var mac = await MacAsync("eth0");
        var text = await LabInstance.UntilAsync(() => RunAsync("/usr/bin/curl", "-s", "--max-time", "5", $"http://10.77.0.1:8067/boot/script?mac={mac}&uuid={Guid.NewGuid()}&arch=x86_64&platform=pcbios"), s => s.Contains("grid.token="), "a script with a token");
        await File.WriteAllTextAsync($"{Directory}/cmdline", string.Join(' ', Words().Matches(text).Select(m => m.Value)) + "\n");
        // The agent finds everything below /: the kernel's command line and two folders in memory are put there for it alone.
        await WriteAsync($"{Directory}/start.sh", $"#!/bin/sh\nmount --bind {Directory}/cmdline /proc/cmdline\nmkdir -p {Directory}/run {Directory}/lib\nmkdir -p /run/grid-agent && mount --bind {Directory}/run /run/grid-agent\nmount --bind {Directory}/lib /var/lib\nexec {Agent}\n");
        await lab.Rig.Processes.StartAsync(name, Space, ["/usr/bin/unshare", "--mount", $"{Directory}/start.sh"], default);
    }

    static string Agent => Path.Combine(AppContext.BaseDirectory.Replace("/tests/GridAppliance.EndToEnd/", "/src/GridAppliance.Agent/", StringComparison.Ordinal), "grid-agent");

    static async Task WriteAsync(string path, string text)
    {
        await File.WriteAllTextAsync(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [GeneratedRegex(@"grid\.[a-z]+=\S+")]
    private static partial Regex Words();
}
