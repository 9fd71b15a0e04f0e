using System.Diagnostics;
using System.Text.Json;
using GridAppliance.Api;
using GridAppliance.Api.Grids;
using GridAppliance.Api.Nodes;
using GridAppliance.EndToEnd.Grids;
using GridAppliance.EndToEnd.Lab;
using GridAppliance.Lab;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Servers;
using Xunit.Abstractions;

namespace GridAppliance.EndToEnd.Establish;

/// <summary>A Debian that is none of ours, booted from its own disk by its own kernel, with its own systemd, sshd and sudo (<c>build-debian-machine.sh</c>).</summary>
public sealed class DebianMachineTests(ITestOutputHelper output)
{
    const string Machine = "cache/debian-machine", Leases = "10.77.0.50-10.77.0.59";
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    // Two emulated machines, one of them with all that a Debian starts.
    [LabFact]
    [Trait("Soak", "yes")]
    public async Task A_booted_debian_becomes_a_node_over_ssh_works_in_a_grid_and_is_back_at_both_after_a_restart()
    {
        var system = Path.Combine(Path.GetDirectoryName(LabPrograms.Built().Images)!, Machine);
        var (key, password) = (Path.Combine(system, "key"), Path.Combine(system, "sudo"));
        Assert.True(File.Exists(Path.Combine(system, "disk.img")), "make soak makes the machine's disk");
        var plan = LabPlan.For(LabName.Parse("e2edeb"), [ServerFirmware.Bios, ServerFirmware.Bios]);
        await using var lab = await LabInstance.BuildAsync(plan with { Servers = [plan.Servers[0] with { MemoryMiB = GridLab.MemoryMiB, OwnSystem = system }, plan.Servers[1] with { MemoryMiB = GridLab.MemoryMiB }] });
        var (own, blank) = (lab.Plan.Servers[0], lab.Plan.Servers[1]);
        await Command.RunAsync(["/usr/bin/install", "-d", own.Directory], CancellationToken.None);
        await Command.RunAsync(["/usr/bin/cp", "--sparse=always", Path.Combine(system, "disk.img"), own.Disk], CancellationToken.None);
        await lab.Rig.Appliance.StartAsync(CancellationToken.None);
        var client = lab.Rig.Appliance.Client;

        var began = Stopwatch.GetTimestamp();
        await lab.PowerOnAsync();
        string[] establish = ["establish", "--hosts", Leases, "--user", "debian", "--key", key, "--sudo-password-file", password, "-o", "json"];
        // Found as anybody would find it: by who lets in, of the addresses that are given out.
        var found = (await LabInstance.UntilAsync(() => PlanAsync([.. establish, "--plan"]), machines => machines.Any(machine => machine.Action == "install"), "a machine that lets in", Patience)).Single(machine => machine.Action == "install");
        output.Say("power-on of a Debian to a plan for it", began);
        Assert.Contains("Debian GNU/Linux 12", found.System, StringComparison.Ordinal);
        Assert.Equal("sudo with a password", found.Rights);
        var address = found.Host;
        var before = await FilesAsync();

        began = Stopwatch.GetTimestamp();
        await lab.GridctlAsync("establish", "--hosts", address, "--user", "debian", "--key", key, "--sudo-password-file", password, "--apply");
        output.Say("an established machine", began);
        var node = (await lab.NodesAsync()).Single(one => one.Ip == address);
        Assert.Equal(("idle", null), (node.State, node.Image));
        Assert.Equal("enabled", (await RootAsync("systemctl is-enabled grid-agent")).Trim());
        Assert.Equal("active", (await RootAsync("systemctl is-active grid-agent")).Trim());
        Assert.Equal("", (await RootAsync("systemctl --failed --no-legend")).Trim());
        var established = await FilesAsync();
        Assert.Contains("/usr/local/bin/grid-agent", established);

        var master = await LabInstance.UntilAsync(async () => ServerProgress.NodeOf(blank, await lab.NodesAsync()), one => one?.State == "idle", "the other machine as an idle node");
        began = Stopwatch.GetTimestamp();
        await lab.GridctlAsync("grid", "create", "hpc", "--masters", master!.Name, "--workers", node.Name);
        output.Say("two idle nodes to a grid whose engine counts on the Debian", began);
        Assert.Equal(node.Name, (await lab.GridctlAsync("grid", "run", "hpc", "hostname")).Trim());

        began = Stopwatch.GetTimestamp();
        var boot = (await RootAsync("cat /proc/sys/kernel/random/boot_id")).Trim();
        await RootAsync("systemctl reboot || true");
        await LabInstance.UntilAsync(() => RootAsync("cat /proc/sys/kernel/random/boot_id"), said => Guid.TryParse(said.Trim(), out _) && said.Trim() != boot, "another start of the Debian", Patience);
        output.Say("restarted", began);
        await LabInstance.UntilAsync(() => client.GetGrid("hpc", CancellationToken.None), grid => grid.Members.Single(member => member.Node == node.Name) is { Standing: "member", State: "idle", DownSince: null }, "a worker that is back", Patience);
        output.Say("and a worker that the engine counts on again", began);
        Assert.Equal(node.Name, (await lab.GridctlAsync("grid", "run", "hpc", "hostname")).Trim());

        await lab.GridctlAsync("grid", "delete", "hpc");
        var free = await LabInstance.UntilAsync(() => client.GetNode(node.Name, CancellationToken.None), one => one.State == "idle", "an idle node");
        Assert.Equal((null, 0), (free.Image, free.Modules.Count));
        Assert.Equal(established, await FilesAsync());
        Assert.Equal("", (await RootAsync("systemctl --failed --no-legend")).Trim());
        output.WriteLine($"files of the agent's: {string.Join(' ', established.Except(before))}");

        async Task<IReadOnlyList<Api.Establish.MachinePlanDocument>> PlanAsync(string[] command)
        {
            // It fails where some do not let in, which is what a range is like.
            var (_, told, _) = await Command.TryRunAsync(["/usr/bin/env", $"GRIDCTL_URL=unix:{lab.Plan.Paths.ApiSocket}", LabPrograms.Built().Gridctl, .. command], CancellationToken.None);
            return JsonSerializer.Deserialize(told, ApiJson.Default.EstablishDocument)!.Machines;
        }

        // What is on its disk where agents and modules put anything, by name.
        async Task<IReadOnlyList<string>> FilesAsync() =>
            (await RootAsync("find /etc /opt /usr /var/lib/grid /var/log/grid -xdev ! -path '/etc/.pwd.lock' 2>/dev/null | sort")).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        // The first line is sudo's, the others are the shell's.
        async Task<string> RootAsync(string script)
        {
            var input = Path.Combine(lab.Plan.Paths.Data, "input");
            await File.WriteAllTextAsync(input, $"{await File.ReadAllTextAsync(password)}{script}\n");
            try
            {
                return await Command.RunAsync(Namespaces.Inside(lab.Plan.Appliance.Namespace,
                    ["/bin/sh", "-c", $"exec /usr/bin/ssh -i {key} -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=5 -o ServerAliveInterval=5 -o ServerAliveCountMax=2 debian@{address} \"sudo -S -p '' sh\" < {input}"]), CancellationToken.None);
            }
            catch (LabException e) { return e.Message; }
        }
    }
}
