using System.Diagnostics;
using System.Globalization;
using GridAppliance.EndToEnd.Lab;
using GridAppliance.Lab;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Servers;
using Xunit.Abstractions;

namespace GridAppliance.EndToEnd.Grids;

/// <summary>The appliance's own machine is the master of a grid: established over SSH as any machine with a system of its own, and the Debian image the root of what Slurm sees there. Workers are booted nodes.</summary>
public sealed class ApplianceMasterTests(ITestOutputHelper output)
{
    const int MemoryMiB = 1024;

    [LabFact]
    [Trait("Soak", "yes")]
    public async Task The_appliances_own_machine_is_the_master_of_a_booted_worker_and_is_as_before_when_the_grid_is_deleted()
    {
        await using var lab = await StartAsync("e2eown", servers: 1);
        await using var machine = await OwnMachine.StartAsync(lab);
        var worker = Assert.Single(await lab.NodesAsync()).Name;
        var (own, before) = await EstablishAsync(lab, machine);

        var began = Stopwatch.GetTimestamp();
        await lab.GridctlAsync("grid", "create", "hpc", "--masters", "appliance", "--workers", worker);
        Say("an established appliance and an idle node to a grid whose engine counts on its worker", began);
        Assert.Equal(worker, (await lab.GridctlAsync("grid", "run", "hpc", "hostname")).Trim());
        Say("to the first job's output", began);
        Assert.Equal([("master", own), ("worker", worker)], (await lab.Rig.Appliance.Client.GetGrid("hpc", CancellationToken.None)).Members.Select(member => (member.Role, member.Node)));
        await SubmitAsync(lab, "hpc", worker);

        // Others on the network ask it at the appliance's address.
        var pass = await lab.Rig.Appliance.Client.PassForGrid("hpc", new(), CancellationToken.None);
        Assert.StartsWith($"http://{lab.Plan.Appliance.Address.Address}:", pass.Url, StringComparison.Ordinal);

        await DeleteAsync(lab, "hpc", worker, image: "tiny");
        await UntilIdleAsync(lab, own, image: null);
        Assert.Equal(before, machine.Files());
    }

    // Three emulated machines and the appliance's own.
    [LabFact]
    [Trait("Soak", "yes")]
    public async Task Two_grids_are_side_by_side_one_of_them_with_the_appliance_as_its_master_and_one_goes_without_the_other()
    {
        await using var lab = await StartAsync("e2etwo", servers: 3);
        await using var machine = await OwnMachine.StartAsync(lab);
        if ((await lab.NodesAsync()).Select(node => node.Name).Order(StringComparer.Ordinal).ToList() is not [var worker, var master, var other]) throw new LabException("there are not three nodes");
        var (own, _) = await EstablishAsync(lab, machine);

        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(lab.GridctlAsync("grid", "create", "one", "--masters", "appliance", "--workers", worker), lab.GridctlAsync("grid", "create", "two", "--masters", master, "--workers", other));
        Say("two grids, made at once", began);
        Assert.Equal([worker, other], await Task.WhenAll(RunAsync("one"), RunAsync("two")));
        await SubmitAsync(lab, "one", worker);
        await SubmitAsync(lab, "two", other);

        await DeleteAsync(lab, "one", worker, image: "tiny");
        await UntilIdleAsync(lab, own, image: null);
        Assert.Equal(other, await RunAsync("two"));
        await DeleteAsync(lab, "two", other, image: "tiny");

        async Task<string> RunAsync(string grid) => (await lab.GridctlAsync("grid", "run", grid, "hostname")).Trim();
    }

    static async Task<LabInstance> StartAsync(string name, int servers)
    {
        var plan = LabPlan.For(LabName.Parse(name), Enumerable.Repeat(ServerFirmware.Bios, servers));
        var lab = await LabInstance.BuildAsync(plan with { Servers = [.. plan.Servers.Select(server => server with { MemoryMiB = MemoryMiB })] });
        await lab.Rig.Appliance.StartAsync(CancellationToken.None);
        await lab.PowerOnAsync();
        await lab.UntilIdleAsync();
        return lab;
    }

    /// <returns>The node's name, and what is on its disk from then on.</returns>
    static async Task<(string Node, string Files)> EstablishAsync(LabInstance lab, OwnMachine machine)
    {
        var address = lab.Plan.Appliance.Address.Address.ToString();
        await lab.GridctlAsync("establish", "--hosts", address, "--user", "root", "--key", machine.KeyFile, "--apply");
        var node = (await lab.NodesAsync()).Single(node => node.Ip == address);
        Assert.Equal(("idle", null), (node.State, node.Image));
        return (node.Name, machine.Files());
    }

    static async Task SubmitAsync(LabInstance lab, string grid, string worker)
    {
        var script = Path.Combine(lab.Plan.Paths.Data, "job");
        await File.WriteAllTextAsync(script, "#!/bin/sh\necho task $SLURM_ARRAY_TASK_ID on $(hostname)\n");
        var job = (await lab.GridctlAsync("grid", "submit", grid, script, "--count", "3")).Trim();
        await LabInstance.UntilAsync(() => lab.Rig.Appliance.Client.GetGrid(grid, CancellationToken.None), found => found.Jobs.Count(one => one.Id.StartsWith($"{job}_", StringComparison.Ordinal) && one.State == "COMPLETED") == 3, "the end of three tasks");
        Assert.Equal([$"task 1 on {worker}", $"task 2 on {worker}", $"task 3 on {worker}"], (await lab.GridctlAsync("grid", "output", grid, job)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
    }

    static async Task DeleteAsync(LabInstance lab, string grid, string worker, string image)
    {
        await lab.GridctlAsync("grid", "delete", grid);
        Assert.DoesNotContain(await lab.Rig.Appliance.Client.GetGrids(CancellationToken.None), one => one.Name == grid);
        await UntilIdleAsync(lab, worker, image);
    }

    static async Task UntilIdleAsync(LabInstance lab, string name, string? image)
    {
        var node = await LabInstance.UntilAsync(() => lab.Rig.Appliance.Client.GetNode(name, CancellationToken.None), found => found.State == "idle", "an idle node");
        Assert.Equal((image, 0), (node.Image, node.Modules.Count));
    }

    void Say(string what, long since) => output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {Stopwatch.GetElapsedTime(since).TotalSeconds:0.0} s"));
}
