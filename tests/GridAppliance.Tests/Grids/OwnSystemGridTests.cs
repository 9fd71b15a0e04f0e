using GridAppliance.Boot.Files;
using GridAppliance.Grids;
using GridAppliance.Nodes;
using GridAppliance.Testing;
using GridAppliance.Tests.Agent;
using GridAppliance.Tests.Boot;
using GridAppliance.Tests.Establish;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Grids;

/// <summary>
/// Real Slurm of the Debian image (<c>make image-debian</c>) on machines that have a system of their own and stay in it: they are established over SSH, and the image is the root of what Slurm sees. The appliance's
/// own machine is one of them.
/// </summary>
[Trait("Soak", "yes")]
public sealed class OwnSystemGridTests : IAsyncLifetime
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    MachineNetwork network = null!;
    ManagementPlaneHost appliance = null!;

    public async Task InitializeAsync()
    {
        network = await MachineNetwork.CreateAsync();
        appliance = await network.StartApplianceAsync();
        var files = BootBench.Catalog().Current!;
        appliance.Get<BootCatalogState>().Current = new([files.Kernel, files.Initramfs], files.Kernel, files.Initramfs, files.CommandLine, files.Profile) { Root = RootImageReader.Read(Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(DebianRootTests.RootImage()))!, "virtual"), null) };
    }

    public async Task DisposeAsync()
    {
        await network.DisposeAsync();
        await appliance.DisposeAsync();
    }

    [Fact]
    public async Task Machines_with_a_system_of_their_own_and_the_appliances_own_are_a_grid_and_are_as_before_when_it_is_deleted()
    {
        var (own, first, second) = (network.AddOwn(), await network.AddAsync("echo secret > /root/of-the-machine; chmod 644 /root/of-the-machine; chmod 755 /root"), await network.AddAsync());
        await Task.WhenAll(own.StartAsync(), first.StartAsync(), second.StartAsync());
        var refused = await appliance.Gridctl("grid", "create", "hpc", "--masters", "appliance", "--workers", "n1");
        Assert.Contains($"the appliance's own machine is no node yet: gridctl establish --hosts {own.Address}", refused.Error, StringComparison.Ordinal);

        var nodes = await EstablishAsync($"{own.Address}:{MachineNetwork.TestMachine.OwnPort}", first.Address, second.Address);
        var (master, worker, other) = (nodes[0], nodes[1], nodes[2]);
        Assert.True(appliance.Nodes.Current.Find(master)!.HasOwnSystem);
        Assert.Equal(own.Address, appliance.Nodes.Current.Find(master)!.Ip.ToString());
        var before = (OverlayFiles.Of(own.Folder), OverlayFiles.Of(first.Folder));

        await RunAsync("grid", "create", "hpc", "--masters", "appliance", "--workers", worker);
        Assert.Equal(worker, (await RunAsync("grid", "run", "hpc", "hostname")).Trim());
        // What runs there sees the image, and nothing of the machine.
        Assert.Equal("gone\n", await ShellAsync("cat /root/of-the-machine /proc/1/root/root/of-the-machine 2> /dev/null || echo gone"));
        Assert.Equal("", await ShellAsync("cat /proc/*/cmdline | tr '\\0' ' ' | grep -o '[g]rid-agent[.]dll\\|[s]shd' || :"));

        await RunAsync("grid", "add", "hpc", other);
        var script = Path.Combine(network.Directory, "job");
        await File.WriteAllTextAsync(script, "#!/bin/sh\nsleep 1\necho task $SLURM_ARRAY_TASK_ID\n");
        var job = (await RunAsync("grid", "submit", "hpc", script, "--count", "4")).Trim();
        await Eventually.UntilAsync(() => appliance.Client().GetGrid("hpc", CancellationToken.None), grid => grid.Jobs.Count(one => one.Id.StartsWith($"{job}_", StringComparison.Ordinal) && one.State == "COMPLETED") == 4, "the end of four tasks");
        Assert.Equal(["task 1", "task 2", "task 3", "task 4"], (await RunAsync("grid", "output", "hpc", job)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));

        await RunAsync("grid", "delete", "hpc");
        Assert.Empty(appliance.Get<GridDirectory>().All);
        Assert.All(nodes, name => Assert.Equal((NodeState.Idle, 0), (appliance.Nodes.Current.Find(name)!.State, appliance.Nodes.Current.Find(name)!.Modules.Length)));
        Assert.Equal(before, (OverlayFiles.Of(own.Folder), OverlayFiles.Of(first.Folder)));
    }

    async Task<IReadOnlyList<string>> EstablishAsync(params string[] hosts)
    {
        var ran = await appliance.Gridctl("establish", "--hosts", string.Join(',', hosts), "--user", "root", "--key", network.KeyFile, "--apply");
        Assert.True(ran.Status == 0, ran.Output + ran.Error);
        return [.. hosts.Select(host => appliance.Nodes.Current.Nodes.Single(node => node.Ip.ToString() == host.Split(':')[0]).Name)];
    }

    async Task<string> ShellAsync(string command)
    {
        var (answer, defect) = await appliance.Get<GridWork>().RequestAsync(appliance.Get<GridDirectory>().Find("hpc")!, new() { Kind = "run", Command = ["sh", "-c", command] }, CancellationToken.None);
        Assert.True(answer is { Succeeded: true }, defect ?? $"{answer!.Message}: {answer.Output}");
        return answer!.Output;
    }

    async Task<string> RunAsync(params string[] arguments)
    {
        var ran = await appliance.Gridctl(arguments).WaitAsync(Patience * 3);
        Assert.True(ran.Status == 0, $"gridctl {string.Join(' ', arguments)}: {ran.Output}{ran.Error}");
        return ran.Output;
    }
}
