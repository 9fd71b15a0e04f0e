using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;
using GridAppliance.Modules;
using GridAppliance.Tests.Agents;

namespace GridAppliance.Tests.Modules;

/// <summary>What the appliance keeps of what modules have changed on nodes, told by agents over real HTTP.</summary>
public sealed class ModuleMirrorTests
{
    static InstalledModuleDocument Running(string name) => new() { Name = name, Version = "1.0", State = "running" };

    static ModuleChangesDocument Wrote(string name, params string[] paths) => new()
    {
        Module = name, Version = "1.0", Owners = ["operator"], Changes = [.. paths.Select(path => new ModuleChangeEntry { What = "file", Action = "added", Target = path, Global = false })],
    };

    static ModuleChangesDocument? Known(TestAppliance appliance, ScriptedAgent agent, string module) => appliance.Get<ModuleMirror>().Find(appliance.Nodes.Current.Find(agent.Node)!, module);

    [Fact]
    public async Task What_was_changed_before_a_boot_stays_known_as_lost_until_the_module_is_there_again()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        await agent.HeartbeatAsync([Running("web"), Running("cache")], changes: [Wrote("web", "/srv/page"), Wrote("cache", "/var/cache/a")]);
        Assert.Null(Known(appliance, agent, "web")!.Lost);
        Assert.NotNull(Known(appliance, agent, "web")!.Told);

        await agent.BootAndEnrolAsync();
        Assert.NotNull(Known(appliance, agent, "web")!.Lost);
        // The first heartbeat of the new boot has no modules to tell of.
        await agent.HeartbeatAsync(changes: []);
        await appliance.RestartAsync();
        var lost = Known(appliance, agent, "web")!;
        Assert.NotNull(lost.Lost);
        Assert.Equal("/srv/page", Assert.Single(lost.Changes).Target);

        await agent.HeartbeatAsync([Running("web")], changes: [Wrote("web", "/srv/other")]);
        var now = Known(appliance, agent, "web")!;
        Assert.Null(now.Lost);
        Assert.Equal("/srv/other", Assert.Single(now.Changes).Target);
        Assert.NotNull(Known(appliance, agent, "cache")!.Lost);
        // A module that is removed is not lost: its list goes, and that of the boot before was gone already.
        await agent.HeartbeatAsync(changes: []);
        Assert.Null(Known(appliance, agent, "web"));
    }

    [Fact]
    public async Task A_second_enrolment_of_the_same_boot_loses_nothing()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        await agent.HeartbeatAsync([Running("web")], changes: [Wrote("web", "/srv/page")]);
        // The same key again, as an agent does that was not believed for a moment.
        var answer = await agent.EnrolAsync(await appliance.BootAsync(TestStore.Mac(1)));
        Assert.True(answer.Status == System.Net.HttpStatusCode.OK, answer.Text);
        Assert.Null(Known(appliance, agent, "web")!.Lost);
    }

    [Fact]
    public async Task A_heartbeat_that_an_orders_result_has_overtaken_brings_no_changes_back()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        await agent.HeartbeatAsync([Running("web")], changes: [Wrote("web", "/srv/page")]);
        var late = agent.DelayedHeartbeat([Running("web")], [Wrote("web", "/srv/page", "/srv/more")]);
        await agent.ReportAsync("nobody-asked", new OrderResult { Succeeded = true, Modules = [], Changes = [] });
        Assert.Null(Known(appliance, agent, "web"));
        await late();
        Assert.Null(Known(appliance, agent, "web"));
        Assert.Empty(appliance.Nodes.Current.Find(agent.Node)!.Modules);
    }

    [Fact]
    public async Task Of_lost_modules_no_more_are_kept_than_a_node_can_have()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        string[] first = [.. Enumerable.Range(0, 40).Select(i => $"old-{i}")], second = [.. Enumerable.Range(0, 40).Select(i => $"new-{i}")];
        foreach (var names in (string[][])[first, second])
        {
            await agent.HeartbeatAsync([.. names.Select(Running)], changes: [.. names.Select(name => Wrote(name, "/x"))]);
            await agent.BootAndEnrolAsync();
        }
        Assert.All(second, name => Assert.NotNull(Known(appliance, agent, name)));
        Assert.Equal(24, first.Count(name => Known(appliance, agent, name) is not null));
    }
}
