using GridAppliance.EndToEnd.Lab;
using GridAppliance.Lab;
using GridAppliance.Lab.Servers;

namespace GridAppliance.EndToEnd.Grids;

/// <summary>What every test of grids does with its lab.</summary>
static class GridLab
{
    /// <summary>What the Debian image needs.</summary>
    public const int MemoryMiB = 1024;

    /// <summary>So many BIOS machines, idle in the tiny image.</summary>
    public static async Task<LabInstance> StartAsync(string name, int servers)
    {
        var plan = LabPlan.For(LabName.Parse(name), Enumerable.Repeat(ServerFirmware.Bios, servers));
        var lab = await LabInstance.BuildAsync(plan with { Servers = [.. plan.Servers.Select(server => server with { MemoryMiB = MemoryMiB })] });
        await lab.Rig.Appliance.StartAsync(CancellationToken.None);
        await lab.PowerOnAsync();
        await lab.UntilIdleAsync();
        return lab;
    }

    /// <summary>Three tasks that end at once, and what they write.</summary>
    public static async Task AssertArrayAsync(this LabInstance lab, string grid, string worker)
    {
        var script = Path.Combine(lab.Plan.Paths.Data, "job");
        await File.WriteAllTextAsync(script, "#!/bin/sh\necho task $SLURM_ARRAY_TASK_ID on $(hostname)\n");
        var job = (await lab.GridctlAsync("grid", "submit", grid, script, "--count", "3")).Trim();
        await LabInstance.UntilAsync(() => lab.Rig.Appliance.Client.GetGrid(grid, CancellationToken.None), found => found.Jobs.Count(one => one.Id.StartsWith($"{job}_", StringComparison.Ordinal) && one.State == "COMPLETED") == 3, "the end of three tasks");
        Assert.Equal([$"task 1 on {worker}", $"task 2 on {worker}", $"task 3 on {worker}"], (await lab.GridctlAsync("grid", "output", grid, job)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
    }

    /// <summary>A node that nobody has any more, with nothing left on it.</summary>
    public static async Task UntilFreeAsync(this LabInstance lab, string name, string? image)
    {
        var node = await LabInstance.UntilAsync(() => lab.Rig.Appliance.Client.GetNode(name, CancellationToken.None), found => found.State == "idle", "an idle node");
        Assert.Equal((image, 0), (node.Image, node.Modules.Count));
    }
}
