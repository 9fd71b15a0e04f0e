using System.Diagnostics;
using System.Globalization;
using GridAppliance.Api.Grids;
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
    // Minutes under emulation, and the Debian image beside.
    [LabFact]
    [Trait("Soak", "yes")]
    public async Task Idle_nodes_become_a_grid_by_one_command_do_its_work_and_are_idle_again()
    {
        await using var lab = await GridLab.StartAsync("e2egrid", servers: 2);
        var nodes = (await lab.NodesAsync()).Select(node => node.Name).Order(StringComparer.Ordinal).ToList();
        var (master, worker) = (nodes[0], nodes[1]);
        Assert.All(await lab.NodesAsync(), node => Assert.Equal("tiny", node.Image));

        var began = Stopwatch.GetTimestamp();
        await lab.GridctlAsync("grid", "create", "hpc", "--masters", master, "--workers", worker);
        output.Say("idle nodes to a grid whose engine counts on its worker", began);
        var answer = await lab.GridctlAsync("grid", "run", "hpc", "hostname");
        output.Say("to the first job's output", began);
        Assert.Equal(worker, answer.Trim());

        await lab.AssertArrayAsync("hpc", worker);

        // A program that speaks the engine's own language: with a pass, and not without.
        var pass = await lab.Rig.Appliance.Client.PassForGrid("hpc", new(), CancellationToken.None);
        Task<string> Ask(params string[] more) => Command.RunAsync(Namespaces.Inside(lab.Plan.Appliance.Namespace, ["/usr/bin/curl", "-sS", "-w", "\n%{http_code}", .. more, pass.Url + pass.Try]), CancellationToken.None);
        Assert.EndsWith("\n401", await Ask(), StringComparison.Ordinal);
        var told = await Ask([.. pass.Headers.SelectMany(header => new[] { "-H", $"{header.Key}: {header.Value}" })]);
        Assert.EndsWith("\n200", told, StringComparison.Ordinal);
        Assert.Contains($"\"{worker}\"", told, StringComparison.Ordinal);

        var grid = await lab.Rig.Appliance.Client.GetGrid("hpc", CancellationToken.None);
        Assert.Equal([("master", "member", null), ("worker", "member", "idle")], grid.Members.Select(member => (member.Role, member.Standing, member.State)));
        Assert.All(await lab.NodesAsync(), node => Assert.Equal(("active", "debian"), (node.State, node.Image)));
        var kernels = (await lab.Rig.Appliance.Client.GetTimeline(worker, CancellationToken.None)).Events.Count(happened => happened.Kind == "boot.script");
        Assert.Equal(1, kernels);

        await lab.GridctlAsync("grid", "delete", "hpc");
        Assert.Empty(await lab.Rig.Appliance.Client.GetGrids(CancellationToken.None));
        foreach (var name in nodes) await lab.UntilFreeAsync(name, "tiny");
        output.Say("and idle again", began);
    }

    // Four machines, and a controller that has to miss one of them for half a minute: the longest test of all.
    [LabFact]
    public async Task A_worker_killed_in_the_middle_of_an_array_is_taken_out_its_tasks_end_elsewhere_and_another_worker_is_added()
    {
        const int Tasks = 8;
        await using var lab = await GridLab.StartAsync("e2egrow", servers: 4);
        var servers = new Dictionary<string, LabServer>();
        foreach (var server in lab.Plan.Servers) servers[(await lab.NodeOfAsync(server)).Name] = server;
        if (servers.Keys.Order(StringComparer.Ordinal).ToList() is not [var master, var first, var second, var third]) throw new LabException("there are not four nodes");
        Task<GridDocument> Grid() => lab.Rig.Appliance.Client.GetGrid("hpc", CancellationToken.None);

        var began = Stopwatch.GetTimestamp();
        await lab.GridctlAsync("grid", "create", "hpc", "--masters", master, "--workers", $"{first},{second}");
        output.Say("three idle nodes to a grid whose engine counts on two workers", began);
        Assert.Contains((await lab.GridctlAsync("grid", "run", "hpc", "hostname")).Trim(), (string[])[first, second]);
        output.Say("to the first job's output", began);
        await SayStepsAsync(lab, master);
        var script = Path.Combine(lab.Plan.Paths.Data, "job");
        await File.WriteAllTextAsync(script, "#!/bin/sh\nsleep 10\necho task $SLURM_ARRAY_TASK_ID on $(hostname)\n");
        var job = (await lab.GridctlAsync("grid", "submit", "hpc", script, "--count", $"{Tasks}")).Trim();
        await LabInstance.UntilAsync(Grid, grid => new[] { first, second }.All(node => grid.Jobs.Any(one => one.State == "RUNNING" && one.Nodes == node)), "a task on either worker");
        var killed = Stopwatch.GetTimestamp();
        await lab.Rig.Servers.PowerOffAsync(servers[second], CancellationToken.None);
        await LabInstance.UntilAsync(Grid, grid => grid.Members.Single(member => member.Node == second).DownSince is not null, "the record that a worker is down");
        output.Say("a killed worker to the record that it is down", killed);
        Assert.Contains($"{second} works for grid hpc, whose slurm has it as down", (await lab.Rig.Appliance.Client.GetWhy(second, CancellationToken.None)).Reason, StringComparison.Ordinal);

        began = Stopwatch.GetTimestamp();
        await lab.GridctlAsync("grid", "add", "hpc", third);
        output.Say("an idle node to a worker that the engine counts on", began);
        await SayStepsAsync(lab, third);
        await LabInstance.UntilAsync(Grid, grid => grid.Members.Single(member => member.Node == third).State is "idle" or "busy", "a third worker that is counted on");
        // One that ran on the dead worker goes back into the queue, and waits two minutes there: Slurm's way with such.
        var ended = await LabInstance.UntilAsync(Grid, grid => grid.Jobs.Count(one => one.Id.StartsWith($"{job}_", StringComparison.Ordinal) && one.State == "COMPLETED") == Tasks, "the end of every task", TimeSpan.FromMinutes(6));
        output.Say("and to the end of every task", killed);
        Assert.DoesNotContain(ended.Jobs, one => one.State is "FAILED" or "NODE_FAIL");

        Assert.Equal([first, third], (await lab.GridctlAsync("grid", "run", "hpc", "--count", "2", "hostname")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));

        await lab.GridctlAsync("grid", "remove", "hpc", second);
        Assert.Equal(["member", "member", "member"], (await Grid()).Members.Select(member => member.Standing));
        await lab.GridctlAsync("grid", "delete", "hpc");
        foreach (var name in (string[])[master, first, third]) await LabInstance.UntilAsync(() => lab.Rig.Appliance.Client.GetNode(name, CancellationToken.None), found => found is { State: "idle", Image: "tiny" }, $"{name} idle again in the tiny image");
    }

    // Three machines; each boots twice, and the first master has to be missed for half a minute.
    [LabFact]
    [Trait("Soak", "yes")]
    public async Task A_master_switched_off_is_replaced_by_its_backup_no_job_is_lost_and_whoever_was_off_comes_back_by_itself()
    {
        const int Tasks = 6;
        await using var lab = await GridLab.StartAsync("e2eheir", servers: 3);
        var servers = new Dictionary<string, LabServer>();
        foreach (var server in lab.Plan.Servers) servers[(await lab.NodeOfAsync(server)).Name] = server;
        if (servers.Keys.Order(StringComparer.Ordinal).ToList() is not [var master, var backup, var worker]) throw new LabException("there are not three nodes");
        Task<GridDocument> Grid() => lab.Rig.Appliance.Client.GetGrid("hpc", CancellationToken.None);
        GridMemberDocument Member(GridDocument grid, string name) => grid.Members.Single(member => member.Node == name);
        int Completed(GridDocument grid, string job) => grid.Jobs.Count(one => one.Id.StartsWith($"{job}_", StringComparison.Ordinal) && one.State == "COMPLETED");

        var began = Stopwatch.GetTimestamp();
        await lab.GridctlAsync("grid", "create", "hpc", "--masters", $"{master},{backup}", "--workers", worker);
        output.Say("three idle nodes to a grid of two masters and a worker", began);
        Assert.Equal([master, backup, worker], (await Grid()).Members.Select(member => member.Node));
        Assert.Equal("ready", Member(await Grid(), backup).State);

        var script = Path.Combine(lab.Plan.Paths.Data, "job");
        await File.WriteAllTextAsync(script, "#!/bin/sh\nsleep 10\necho task $SLURM_ARRAY_TASK_ID on $(hostname)\n");
        var job = (await lab.GridctlAsync("grid", "submit", "hpc", script, "--count", $"{Tasks}")).Trim();
        await LabInstance.UntilAsync(Grid, grid => grid.Jobs.Any(one => one.State == "RUNNING"), "a task that runs");
        // Accepted a moment before its master is gone.
        var last = (await lab.GridctlAsync("grid", "submit", "hpc", script)).Trim();
        var killed = Stopwatch.GetTimestamp();
        await lab.Rig.Servers.PowerOffAsync(servers[master], CancellationToken.None);
        await LabInstance.UntilAsync(Grid, grid => grid.Members[0].Node == backup, "another master");
        output.Say("a master switched off to the record that its backup is in its place", killed);
        var after = await LabInstance.UntilAsync(Grid, grid => grid is { Problem: null, Jobs.Count: > Tasks }, "the backup's word on the jobs");
        output.Say("and to the backup's controller that has all jobs", killed);
        Assert.Contains(after.Jobs, one => one.Id.StartsWith(last, StringComparison.Ordinal));
        Assert.NotNull(Member(after, master).DownSince);

        var next = (await lab.GridctlAsync("grid", "submit", "hpc", script)).Trim();
        await LabInstance.UntilAsync(Grid, grid => Completed(grid, next) == 1, "the end of a task that the backup took");
        // One that ran when its master went, and is begun again, waits two minutes before: Slurm's way with what goes back into the queue.
        var ended = await LabInstance.UntilAsync(Grid, grid => Completed(grid, job) == Tasks && Completed(grid, last) == 1 && Completed(grid, next) == 1, "the end of every task that was accepted", TimeSpan.FromMinutes(6));
        output.Say("and to the end of every task", killed);
        Assert.DoesNotContain(ended.Jobs, one => one.State is "FAILED" or "NODE_FAIL" or "CANCELLED");
        Assert.Equal(Enumerable.Range(1, Tasks).Select(task => $"task {task} on {worker}"), (await lab.GridctlAsync("grid", "output", "hpc", job)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
        Assert.Equal(worker, (await lab.GridctlAsync("grid", "run", "hpc", "hostname")).Trim());

        began = Stopwatch.GetTimestamp();
        await lab.Rig.Servers.PowerOnAsync(servers[master], CancellationToken.None);
        await LabInstance.UntilAsync(Grid, grid => Member(grid, master) is { DownSince: null, State: "ready" }, "the first master that stands by");
        output.Say("the first master's power-on to a master that stands by", began);
        Assert.Equal(backup, (await Grid()).Members[0].Node);

        began = Stopwatch.GetTimestamp();
        await lab.Rig.Servers.PowerOffAsync(servers[worker], CancellationToken.None);
        await lab.Rig.Servers.PowerOnAsync(servers[worker], CancellationToken.None);
        await LabInstance.UntilAsync(async () => (await lab.Rig.Appliance.Client.GetTimeline(worker, CancellationToken.None)).Events.Select(happened => happened.Kind).ToList(), kinds => kinds.Contains("grid.worker-back"), "a worker that is back");
        output.Say("a worker's restart to the engine that counts on it again", began);
        Assert.Equal(worker, (await lab.GridctlAsync("grid", "run", "hpc", "hostname")).Trim());

        await lab.GridctlAsync("grid", "delete", "hpc");
        foreach (var name in servers.Keys) await LabInstance.UntilAsync(() => lab.Rig.Appliance.Client.GetNode(name, CancellationToken.None), found => found is { State: "idle", Image: "tiny", Modules.Count: 0 }, $"{name} idle again in the tiny image");
    }

    /// <summary>Where the time of a member's way in went.</summary>
    async Task SayStepsAsync(LabInstance lab, string node)
    {
        var events = (await lab.Rig.Appliance.Client.GetTimeline(node, CancellationToken.None)).Events.SkipWhile(happened => happened.Kind != "state.assigning").ToList();
        foreach (var happened in events) output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {node} {(happened.At - events[0].At).TotalSeconds,6:0.0} s  {happened.Kind,-22} {happened.Message}"));
    }
}
