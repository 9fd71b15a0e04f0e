using System.Diagnostics;
using GridAppliance.EndToEnd.Lab;
using GridAppliance.Lab;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Servers;
using Xunit.Abstractions;

namespace GridAppliance.EndToEnd.Grids;

/// <summary>The appliance's own machine is the master of a grid: established over SSH as any machine with a system of its own, and the Debian image the root of what Slurm sees there. Workers are booted nodes.</summary>
public sealed class ApplianceMasterTests(ITestOutputHelper output)
{
    [LabFact]
    [Trait("Soak", "yes")]
    public async Task The_appliances_own_machine_is_the_master_of_a_booted_worker_and_is_as_before_when_the_grid_is_deleted()
    {
        await using var lab = await GridLab.StartAsync("e2eown", servers: 1);
        await using var machine = await OwnMachine.StartAsync(lab);
        var worker = Assert.Single(await lab.NodesAsync()).Name;
        var (own, before) = await EstablishAsync(lab, machine);

        var began = Stopwatch.GetTimestamp();
        await lab.GridctlAsync("grid", "create", "hpc", "--masters", "appliance", "--workers", worker);
        output.Say("an established appliance and an idle node to a grid whose engine counts on its worker", began);
        Assert.Equal(worker, (await lab.GridctlAsync("grid", "run", "hpc", "hostname")).Trim());
        output.Say("to the first job's output", began);
        Assert.Equal([("master", own), ("worker", worker)], (await lab.Rig.Appliance.Client.GetGrid("hpc", CancellationToken.None)).Members.Select(member => (member.Role, member.Node)));
        await lab.AssertArrayAsync("hpc", worker);

        // Others on the network ask it at the appliance's address.
        var pass = await lab.Rig.Appliance.Client.PassForGrid("hpc", new(), CancellationToken.None);
        Assert.StartsWith($"http://{lab.Plan.Appliance.Address.Address}:", pass.Url, StringComparison.Ordinal);

        await DeleteAsync(lab, "hpc", worker);
        await lab.UntilFreeAsync(own, image: null);
        Assert.Equal(before, machine.Files());
    }

    // Three emulated machines and the appliance's own.
    [LabFact]
    [Trait("Soak", "yes")]
    public async Task Two_grids_are_side_by_side_one_of_them_with_the_appliance_as_its_master_and_one_goes_without_the_other()
    {
        await using var lab = await GridLab.StartAsync("e2etwo", servers: 3);
        await using var machine = await OwnMachine.StartAsync(lab);
        if ((await lab.NodesAsync()).Select(node => node.Name).Order(StringComparer.Ordinal).ToList() is not [var worker, var master, var other]) throw new LabException("there are not three nodes");
        var (own, _) = await EstablishAsync(lab, machine);

        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(lab.GridctlAsync("grid", "create", "one", "--masters", "appliance", "--workers", worker), lab.GridctlAsync("grid", "create", "two", "--masters", master, "--workers", other));
        output.Say("two grids, made at once", began);
        Assert.Equal([worker, other], await Task.WhenAll(RunAsync("one"), RunAsync("two")));
        await lab.AssertArrayAsync("one", worker);
        await lab.AssertArrayAsync("two", other);

        await DeleteAsync(lab, "one", worker);
        await lab.UntilFreeAsync(own, image: null);
        Assert.Equal(other, await RunAsync("two"));
        await DeleteAsync(lab, "two", other);

        async Task<string> RunAsync(string grid) => (await lab.GridctlAsync("grid", "run", grid, "hostname")).Trim();
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

    static async Task DeleteAsync(LabInstance lab, string grid, string worker)
    {
        await lab.GridctlAsync("grid", "delete", grid);
        Assert.DoesNotContain(await lab.Rig.Appliance.Client.GetGrids(CancellationToken.None), one => one.Name == grid);
        await lab.UntilFreeAsync(worker, "tiny");
    }
}
