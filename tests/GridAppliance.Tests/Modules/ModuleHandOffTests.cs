using System.Net;
using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;
using GridAppliance.Hosting;
using GridAppliance.Modules;
using GridAppliance.Nodes;
using GridAppliance.Operations;
using GridAppliance.Testing;
using GridAppliance.Tests.Agents;

namespace GridAppliance.Tests.Modules;

/// <summary>The whole hand-off over real HTTP: install, run, show, remove.</summary>
public sealed class ModuleHandOffTests
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_module_is_installed_through_the_agent_and_taken_away_again()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        var installing = await InstallAsync(appliance, "hello");

        var order = (await agent.NextOrderAsync())!;
        Assert.Equal(("module.install", "hello", "1.0"), (order.Kind, order.Module!.Name, order.Module.Version));
        var package = (await agent.DownloadAsync(order.Module.Digest)).Body;
        Assert.Equal(order.Module.SizeBytes, package.Length);
        using (var stream = new MemoryStream(package)) Assert.Equal(PackageProblem.None, PackageReader.Verify(stream, appliance.Get<ApplianceKey>().Fingerprint));
        await Eventually.UntilAsync(() => Task.FromResult(appliance.Operations.Find(installing)!.Reason), static reason => reason == "n1's agent is at it", "the reason why the operation waits");
        await agent.ReportAsync(order.Id, true, "hello 1.0 runs", Running("hello"));
        Assert.IsType<OperationEnd.Done>(await appliance.Operations.EndAsync(installing, CancellationToken.None).WaitAsync(Patience));
        Assert.Equal("running", Assert.Single(appliance.Nodes.Current.Find("n1")!.Modules).State);
        // The order is over, and with it the package.
        Assert.Equal(HttpStatusCode.NotFound, (await agent.DownloadAsync(order.Module.Digest)).Status);

        var removing = Accepted(await appliance.Get<ModuleChanges>().RemoveAsync([appliance.Nodes.Current.Find("n1")!], "hello", false, "alice", CancellationToken.None));
        order = (await agent.NextOrderAsync())!;
        Assert.Equal("module.remove", order.Kind);
        await agent.ReportAsync(order.Id, true, "hello 1.0 is removed", []);
        Assert.IsType<OperationEnd.Done>(await appliance.Operations.EndAsync(removing, CancellationToken.None).WaitAsync(Patience));
        Assert.Empty(appliance.Nodes.Current.Find("n1")!.Modules);
    }

    [Fact]
    public async Task A_daemon_that_restarts_between_order_and_result_ends_the_operation_all_the_same()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        var installing = await InstallAsync(appliance, "hello");
        var order = (await agent.NextOrderAsync())!;
        await appliance.RestartAsync();
        Assert.Equal("running", appliance.Operations.Find(installing)!.State);
        Assert.Equal(order.Id, (await agent.NextOrderAsync())!.Id);
        await agent.ReportAsync(order.Id, true, "hello 1.0 runs", Running("hello"));
        Assert.IsType<OperationEnd.Done>(await appliance.Operations.EndAsync(installing, CancellationToken.None).WaitAsync(Patience));
    }

    [Fact]
    public async Task What_the_agent_could_not_do_fails_the_operation_with_its_words_and_leaves_nothing_to_undo()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        var installing = await InstallAsync(appliance, "hello");
        await agent.ReportAsync((await agent.NextOrderAsync())!.Id, false, "no room on /run");
        Assert.Equal(new OperationEnd.Failed("no room on /run"), await appliance.Operations.EndAsync(installing, CancellationToken.None).WaitAsync(Patience));
        Assert.Null(await agent.NextOrderAsync(0));
    }

    [Fact]
    public async Task A_person_who_cancels_gets_the_node_back_as_it_was()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        var installing = await InstallAsync(appliance, "hello");
        var install = (await agent.NextOrderAsync())!;
        await appliance.Operations.CancelAsync(installing, "alice", null, CancellationToken.None);
        // The agent has the order already: its end, and then the opposite.
        await agent.ReportAsync(install.Id, true, "hello 1.0 runs", Running("hello"));
        var undo = (await agent.NextOrderAsync())!;
        Assert.Equal(("module.remove", "hello"), (undo.Kind, undo.Module!.Name));
        await agent.ReportAsync(undo.Id, true, "removed", []);
        Assert.IsType<OperationEnd.Cancelled>(await appliance.Operations.EndAsync(installing, CancellationToken.None).WaitAsync(Patience));
        Assert.Empty(appliance.Nodes.Current.Find("n1")!.Modules);
    }

    [Fact]
    public async Task A_rival_of_the_same_class_and_nodes_without_an_agent_are_refused_and_a_dry_run_starts_nothing()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        await appliance.Get<ModuleCatalog>().ImportAsync(new MemoryStream(TestPackage.Signed(appliance.Get<ApplianceKey>(), TestPackage.Manifest("salute", moduleClass: "greeter"))), "alice", CancellationToken.None);
        await appliance.Nodes.DiscoverAsync(TestStore.Mac(9), "provisioning", node => node, "seen", CancellationToken.None);
        var before = appliance.Operations.List(null, 10).Count;

        var plan = await appliance.Get<ModuleChanges>().InstallAsync([.. appliance.Nodes.Current.Nodes.OrderBy(n => n.Name)], "hello", dryRun: true, "alice", CancellationToken.None);
        Assert.True(plan.DryRun);
        Assert.Equal([true, false], plan.Nodes.Select(node => node.Accepted));
        Assert.Equal(["hello 1.0 will be installed", "n2 is discovered"], plan.Nodes.Select(node => node.Message));
        Assert.Equal(before, appliance.Operations.List(null, 10).Count);

        await agent.HeartbeatAsync(Running("hello"));
        var n1 = appliance.Nodes.Current.Find("n1")!;
        var clash = await appliance.Get<ModuleChanges>().InstallAsync([n1], "salute", dryRun: false, "alice", CancellationToken.None);
        Assert.Equal("n1 has hello 1.0, which is of the same class (greeter); remove that first", Assert.Single(clash.Nodes).Message);
        Assert.Equal("there is no module nothing in the catalogue", Assert.Single((await appliance.Get<ModuleChanges>().InstallAsync([n1], "nothing", false, "alice", CancellationToken.None)).Nodes).Message);
        Assert.Equal("n1 has no module salute", Assert.Single((await appliance.Get<ModuleChanges>().RemoveAsync([n1], "salute", false, "alice", CancellationToken.None)).Nodes).Message);
    }

    [Fact]
    public async Task An_operation_for_a_node_that_is_retired_under_way_ends_with_its_reason()
    {
        await using var appliance = await TestAppliance.StartAsync();
        await appliance.IdleAgentAsync(1);
        var installing = await InstallAsync(appliance, "hello");
        var node = appliance.Nodes.Current.Find("n1")!;
        await appliance.Nodes.ApplyAsync(node.Id, NodeEvent.Retire, "retired", "alice", null, CancellationToken.None);
        var end = await appliance.Operations.EndAsync(installing, CancellationToken.None).WaitAsync(Patience);
        Assert.Contains("n1 is retired", end!.ReasonOrNull, StringComparison.Ordinal);
    }

    static async Task<Guid> InstallAsync(TestAppliance appliance, string module) =>
        Accepted(await appliance.Get<ModuleChanges>().InstallAsync([appliance.Nodes.Current.Find("n1")!], module, dryRun: false, "alice", CancellationToken.None));

    static Guid Accepted(ChangeDocument change)
    {
        var node = Assert.Single(change.Nodes);
        Assert.True(node.Accepted, node.Message);
        return Guid.Parse(node.OperationId!);
    }

    static IReadOnlyList<InstalledModuleDocument> Running(string name) => [new() { Name = name, Version = "1.0", State = "running" }];
}
