using System.Diagnostics;
using System.Globalization;
using GridAppliance.Api.Nodes;
using GridAppliance.EndToEnd.Lab;
using GridAppliance.Lab;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Servers;
using Xunit.Abstractions;

namespace GridAppliance.EndToEnd.Grids;

/// <summary>Real Slurm of the Debian image, on machines that were idle nodes of the tiny image a moment before.</summary>
public sealed class GridTests(ITestOutputHelper output)
{
    const int MemoryMiB = 1024;

    // Minutes under emulation, and the Debian image beside.
    [LabFact]
    [Trait("Soak", "yes")]
    public async Task Idle_nodes_become_a_grid_by_one_command_do_its_work_and_are_idle_again()
    {
        var plan = LabPlan.For(LabName.Parse("e2egrid"), [ServerFirmware.Bios, ServerFirmware.Bios]);
        await using var lab = await LabInstance.BuildAsync(plan with { Servers = [.. plan.Servers.Select(server => server with { MemoryMiB = MemoryMiB })] });
        await lab.Rig.Appliance.StartAsync(CancellationToken.None);
        await lab.PowerOnAsync();
        await lab.UntilIdleAsync();
        var nodes = (await lab.NodesAsync()).Select(node => node.Name).Order(StringComparer.Ordinal).ToList();
        var (master, worker) = (nodes[0], nodes[1]);
        Assert.All(await lab.NodesAsync(), node => Assert.Equal("tiny", node.Image));

        var began = Stopwatch.GetTimestamp();
        await lab.GridctlAsync("grid", "create", "hpc", "--masters", master, "--workers", worker);
        Say("idle nodes to a grid whose engine counts on its worker", began);
        var answer = await lab.GridctlAsync("grid", "run", "hpc", "hostname");
        Say("to the first job's output", began);
        Assert.Equal(worker, answer.Trim());

        var script = Path.Combine(plan.Paths.Data, "job");
        await File.WriteAllTextAsync(script, "#!/bin/sh\necho task $SLURM_ARRAY_TASK_ID on $(hostname)\n");
        var job = (await lab.GridctlAsync("grid", "submit", "hpc", script, "--count", "3")).Trim();
        await LabInstance.UntilAsync(() => lab.Rig.Appliance.Client.GetGrid("hpc", CancellationToken.None), grid => grid.Jobs.Count(one => one.Id.StartsWith($"{job}_", StringComparison.Ordinal) && one.State == "COMPLETED") == 3, "the end of three tasks");
        Assert.Equal([$"task 1 on {worker}", $"task 2 on {worker}", $"task 3 on {worker}"], (await lab.GridctlAsync("grid", "output", "hpc", job)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));

        var grid = await lab.Rig.Appliance.Client.GetGrid("hpc", CancellationToken.None);
        Assert.Equal([("master", "member", null), ("worker", "member", "idle")], grid.Members.Select(member => (member.Role, member.Standing, member.State)));
        Assert.All(await lab.NodesAsync(), node => Assert.Equal(("active", "debian"), (node.State, node.Image)));
        var kernels = (await lab.Rig.Appliance.Client.GetTimeline(worker, CancellationToken.None)).Events.Count(happened => happened.Kind == "boot.script");
        Assert.Equal(1, kernels);

        await lab.GridctlAsync("grid", "delete", "hpc");
        Assert.Empty(await lab.Rig.Appliance.Client.GetGrids(CancellationToken.None));
        foreach (var name in nodes)
        {
            var node = await LabInstance.UntilAsync(() => lab.Rig.Appliance.Client.GetNode(name, CancellationToken.None), found => found.State == "idle", "an idle node");
            Assert.Equal(("tiny", 0), (node.Image, node.Modules.Count));
        }
        Say("and idle again", began);
    }

    void Say(string what, long since) => output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {Stopwatch.GetElapsedTime(since).TotalSeconds:0.0} s"));
}
