using System.Net;
using System.Security.Cryptography;
using GridAppliance.Agents;
using GridAppliance.Api;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Nodes;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Operations;
using GridAppliance.Testing;

namespace GridAppliance.Tests.Agents;

public sealed class EnrolmentTests
{
    [Fact]
    public async Task A_booted_machine_becomes_an_idle_node_with_its_inventory_and_its_place()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        var node = appliance.Nodes.Current.Find("n1")!;
        Assert.Equal((NodeState.Idle, "rack3", "swp7", 2, null), (node.State, node.Switch, node.SwitchPort, node.Inventory!.Cpus, node.Problem));
        Assert.Equal(node.Id.ToString(), agent.NodeId);
        Assert.True(node.Boot is { Milestone: BootMilestone.Idle, Finished: not null });
        var events = appliance.Timeline.ReadNode(node.Id, 100);
        Assert.Matches(@"^n1 is idle after \d+\.\d s, the appliance's own share \d+\.\d\d s$", events.Single(e => e.Kind == "state.idle").Message);
        Assert.True(events.Single(e => e.Kind == "agent.enrolled").ApplianceMs > 0);
        Assert.Contains(events, e => e.Kind == "operation.step" && e.Message.Contains("2 CPUs, 512 MiB of memory, 1 disk, 1 NIC", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_node_tries_a_module_before_it_is_idle_and_one_on_which_none_works_says_why_until_one_does()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = new ScriptedAgent(appliance, TestStore.Mac(1)) { TriesModules = true };
        await agent.BootAndEnrolAsync();
        var order = await agent.NextOrderAsync();
        Assert.Equal((OrderKinds.TryModule, "trial"), (order!.Kind, order.Module!.Name));
        Assert.Equal(NodeState.Enrolling, appliance.Nodes.Current.Find("n1")!.State);
        await agent.ReportAsync(order.Id, false, "trial 1.0 cannot be installed: no overlay");
        var idle = await appliance.StateAsync("n1", NodeState.Idle);
        Assert.Equal("modules do not work on it: trial 1.0 cannot be installed: no overlay", idle.Problem);
        Assert.Contains("modules do not work on it", Assert.Single(appliance.Timeline.ReadNode(idle.Id, 100), e => e.Kind == "module.trial-failed").Message, StringComparison.Ordinal);
        await Eventually.UntilAsync(() => appliance.Operations.UnfinishedOn(idle.Id).Count == 0, "the end of the enrolment");
        Assert.Equal((false, "n1 is idle: modules do not work on it: trial 1.0 cannot be installed: no overlay."), WhyAnswer.Of(new() { Node = idle, Events = appliance.Timeline.ReadNode(idle.Id, 100), Problems = [], Now = TimeProvider.System.GetUtcNow() }) is var why ? (why.Ok, why.Reason) : default);

        await agent.HeartbeatAsync([new() { Name = "web", Version = "1", State = "running" }]);
        Assert.Null(appliance.Nodes.Current.Find("n1")!.Problem);

        await agent.BootAndEnrolAsync();
        await agent.ReportAsync((await agent.NextOrderAsync())!.Id, true, "modules work here");
        Assert.Null((await appliance.StateAsync("n1", NodeState.Idle)).Problem);
        Assert.Contains(appliance.Timeline.ReadNode(idle.Id, 100), e => e.Kind == "operation.step" && e.Message.Contains("modules work here", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_node_that_boots_again_while_it_tries_a_module_tries_it_in_its_new_boot()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = new ScriptedAgent(appliance, TestStore.Mac(1)) { TriesModules = true };
        await agent.BootAndEnrolAsync();
        var first = await agent.NextOrderAsync();
        await agent.BootAndEnrolAsync();
        // The order that the boot before has taken comes to its end first.
        Assert.Equal(first!.Id, (await agent.NextOrderAsync())!.Id);
        await agent.ReportAsync(first.Id, true, "modules work here");
        var second = await agent.NextOrderAsync();
        Assert.NotEqual(first.Id, second!.Id);
        await agent.ReportAsync(second.Id, true, "modules work here");
        Assert.Null((await appliance.StateAsync("n1", NodeState.Idle)).Problem);
    }

    [Fact]
    public async Task What_a_node_had_in_memory_is_told_to_be_gone_when_it_boots_again()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        await agent.HeartbeatAsync([new() { Name = "web", Version = "2", State = "running" }]);
        Assert.Single(appliance.Nodes.Current.Find("n1")!.Modules);
        await agent.BootAndEnrolAsync();
        Assert.Empty(appliance.Nodes.Current.Find("n1")!.Modules);
        Assert.Equal("module web 2 went with the memory of the boot before", Assert.Single(appliance.Timeline.ReadNode(appliance.Nodes.Current.Find("n1")!.Id, 100), e => e.Kind == "module.gone").Message);
    }

    [Fact]
    public async Task The_answer_names_the_key_that_the_boot_script_named()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = new ScriptedAgent(appliance, TestStore.Mac(1));
        var response = (await agent.EnrolAsync(await appliance.BootAsync(TestStore.Mac(1)))).Read(ApiJson.Default.EnrollResponse);
        Assert.Equal(appliance.Get<ApplianceKey>().Fingerprint, AgentSignature.Fingerprint(Convert.FromBase64String(response.ApplianceKey)));
        Assert.Equal(10, response.HeartbeatSeconds);
    }

    [Fact]
    public async Task The_same_token_and_key_get_the_same_answer_again_and_change_nothing()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = new ScriptedAgent(appliance, TestStore.Mac(1));
        var token = await appliance.BootAsync(TestStore.Mac(1));
        var first = await agent.EnrolAsync(token);
        await appliance.StateAsync("n1", NodeState.Idle);
        var second = await agent.EnrolAsync(token);
        Assert.Equal(first.Text, second.Text);
        Assert.Equal(NodeState.Idle, appliance.Nodes.Current.Find("n1")!.State);
        Assert.Single(appliance.Operations.List(null, 10));
        Assert.Single(appliance.EventsOf("n1"), kind => kind == "agent.enrolled");
    }

    [Fact]
    public async Task A_spent_token_buys_nothing_for_another_key()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var token = await appliance.BootAsync(TestStore.Mac(1));
        Assert.Equal(HttpStatusCode.OK, (await new ScriptedAgent(appliance, TestStore.Mac(1)).EnrolAsync(token)).Status);
        var thief = await new ScriptedAgent(appliance, TestStore.Mac(1)).EnrolAsync(token);
        Assert.Equal((HttpStatusCode.Forbidden, "its token was spent by another key"), (thief.Status, thief.Detail));
        Assert.Contains("agent.refused", appliance.EventsOf("n1"));
    }

    [Fact]
    public async Task An_old_token_an_unknown_one_and_a_proof_by_another_key_are_refused()
    {
        var clock = new ManualClock();
        await using var appliance = await TestAppliance.StartAsync(clock);
        var agent = new ScriptedAgent(appliance, TestStore.Mac(1));
        var token = await appliance.BootAsync(TestStore.Mac(1));
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.Equal("its key or its proof is not what it should be", (await agent.EnrolAsync(token, provenBy: other)).Detail);
        Assert.Equal("its token is not known here", (await agent.EnrolAsync("made-up")).Detail);
        Assert.Equal("its key or its proof is not what it should be", (await agent.EnrolAsync(new string('x', 1000))).Detail);
        clock.Advance(TimeSpan.FromMinutes(16));
        Assert.Equal("its token is too old", (await agent.EnrolAsync(token)).Detail);
        Assert.Empty(appliance.Nodes.Current.Nodes);
    }

    [Fact]
    public async Task A_token_of_an_earlier_boot_does_not_take_the_node_back()
    {
        var clock = new ManualClock();
        await using var appliance = await TestAppliance.StartAsync(clock);
        var earlier = new ScriptedAgent(appliance, TestStore.Mac(1));
        var earlierToken = await appliance.BootAsync(TestStore.Mac(1));
        clock.Advance(TimeSpan.FromSeconds(5));
        var later = new ScriptedAgent(appliance, TestStore.Mac(1));
        await later.BootAndEnrolAsync();
        var reply = await earlier.EnrolAsync(earlierToken);
        Assert.Equal("its token is from an earlier boot than the one that enrolled last", reply.Detail);
        Assert.Equal(HttpStatusCode.OK, (await later.HeartbeatAsync()).Status);
    }

    [Fact]
    public async Task NICs_of_another_node_stay_there_whatever_an_agent_claims()
    {
        await using var appliance = await TestAppliance.StartAsync();
        await appliance.IdleAgentAsync(1);
        var thief = new ScriptedAgent(appliance, TestStore.Mac(2));
        thief.Inventory = thief.Inventory with { Nics = [.. thief.Inventory.Nics, new() { Name = "eth1", Mac = TestStore.Mac(1).ToString() }, new() { Name = "eth2", Mac = TestStore.Mac(3).ToString() }] };
        await thief.BootAndEnrolAsync();
        var node = await appliance.StateAsync("n2", NodeState.Idle);
        Assert.Equal([TestStore.Mac(2), TestStore.Mac(3)], node.Macs.AsEnumerable());
        Assert.Equal("its agent claims a NIC that belongs to another node: 52:54:00:00:00:01 (n1)", node.Problem);
        Assert.Equal("n1", appliance.Nodes.Current.Find(TestStore.Mac(1))!.Name);
        Assert.Contains("agent.claims-nic", appliance.EventsOf("n2"));
    }

    [Theory]
    [InlineData("UUID")]
    [InlineData("serial number")]
    public async Task A_second_machine_with_a_copied_MAC_does_not_take_the_node_of_one_that_is_alive(string what)
    {
        var clock = new ManualClock();
        await using var appliance = await TestAppliance.StartAsync(clock);
        InventoryDocument Machine(ScriptedAgent agent, string text) => what == "UUID" ? agent.Inventory with { Uuid = text } : agent.Inventory with { Serial = text };
        const string first = "03000200-0400-0500-0006-000700080009", second = "13000200-0400-0500-0006-000700080009";
        var owner = new ScriptedAgent(appliance, TestStore.Mac(1));
        owner.Inventory = Machine(owner, first);
        await owner.BootAndEnrolAsync();
        var copy = new ScriptedAgent(appliance, TestStore.Mac(1));
        copy.Inventory = Machine(copy, second);
        clock.Advance(TimeSpan.FromSeconds(5));
        var reply = await copy.EnrolAsync(await appliance.BootAsync(TestStore.Mac(1)));
        Assert.Equal((HttpStatusCode.Forbidden, $"n1 is alive and has the {what} {first}, this machine has {second}: two machines have the NIC address 52:54:00:00:00:01"), (reply.Status, reply.Detail));
        Assert.Contains("agent.refused", appliance.EventsOf("n1"));
        // The owner notices nothing of it, and boots again whenever it wants to.
        Assert.Equal(HttpStatusCode.OK, (await owner.HeartbeatAsync()).Status);
        await owner.BootAndEnrolAsync();
        Assert.Equal(HttpStatusCode.OK, (await owner.HeartbeatAsync()).Status);
        // A board that was changed: the old one has been silent for long enough.
        clock.Advance(TimeSpan.FromMinutes(1));
        await copy.BootAndEnrolAsync();
        Assert.Equal(HttpStatusCode.OK, (await copy.HeartbeatAsync()).Status);
    }

    [Fact]
    public async Task A_shared_UUID_is_noted_and_does_not_make_two_machines_one()
    {
        await using var appliance = await TestAppliance.StartAsync();
        foreach (var number in (int[])[1, 2])
        {
            var agent = new ScriptedAgent(appliance, TestStore.Mac(number));
            agent.Inventory = agent.Inventory with { Uuid = "03000200-0400-0500-0006-000700080009" };
            await agent.BootAndEnrolAsync();
            await appliance.StateAsync(agent.Node, NodeState.Idle);
        }
        Assert.Equal(2, appliance.Nodes.Current.ById.Count);
        Assert.Contains("node.uuid-shared", appliance.EventsOf("n2"));
    }

    [Fact]
    public async Task Where_policy_asks_a_person_the_node_waits_for_approval_and_then_goes_on()
    {
        await using var appliance = await TestAppliance.StartAsync(policy: EnrollPolicy.Approve);
        var agent = new ScriptedAgent(appliance, TestStore.Mac(1));
        await agent.BootAndEnrolAsync();
        var held = await appliance.StateAsync("n1", NodeState.Held);
        Assert.Equal(HttpStatusCode.OK, (await agent.HeartbeatAsync()).Status);
        Assert.Contains(appliance.Timeline.ReadNode(held.Id, 100), e => e.Kind == "state.held" && e.Message.EndsWith("gridctl discover approve n1", StringComparison.Ordinal));
        Assert.Empty(appliance.Operations.List(null, 10));

        var approve = NodeDecision.All.Single(d => d.Verb == "approve");
        await approve.Apply(appliance.Nodes, held, null, "alice", CancellationToken.None);
        await appliance.StateAsync("n1", NodeState.Idle);
        // Approved once: it is not asked for again.
        await agent.BootAndEnrolAsync();
        await appliance.StateAsync("n1", NodeState.Idle);
    }

    [Fact]
    public async Task A_node_that_boots_again_in_the_middle_starts_anew_and_two_operations_do_not_fight()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        for (var i = 0; i < 5; i++) await agent.BootAndEnrolAsync();
        await appliance.NodeAsync("n1", node => node.State == NodeState.Idle && node.AgentKey.AsSpan().SequenceEqual(agent.Key.ExportSubjectPublicKeyInfo()));
        foreach (var operation in appliance.Operations.List(null, 20)) await appliance.Operations.EndAsync(Guid.Parse(operation.Id), CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal("done", appliance.Operations.List(null, 20)[0].State);
        Assert.Equal(NodeState.Idle, appliance.Nodes.Current.Find("n1")!.State);
        Assert.DoesNotContain("state.failed", appliance.EventsOf("n1"));
    }

    [Fact]
    public async Task A_retired_node_is_refused()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        var node = appliance.Nodes.Current.Find("n1")!;
        await appliance.Nodes.ApplyAsync(node.Id, NodeEvent.Retire, "retired", "alice", null, CancellationToken.None);
        Assert.Equal(HttpStatusCode.Forbidden, (await agent.HeartbeatAsync()).Status);
        Assert.Equal("n1 is retired; revive it first", (await new ScriptedAgent(appliance, TestStore.Mac(1)).EnrolAsync(await appliance.BootAsync(TestStore.Mac(1)))).Detail);
    }

    [Fact]
    public async Task A_body_that_is_no_enrolment_is_answered_and_not_thrown()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = new ScriptedAgent(appliance, TestStore.Mac(1));
        foreach (var body in (string[])["", "null", "{}", "[]", "{\"token\":null}", "{\"token\":null,\"publicKey\":null,\"proof\":null,\"agentVersion\":null,\"inventory\":null}", "\0", new string('[', 1000)])
            Assert.Equal(HttpStatusCode.BadRequest, (await agent.SendAsync(HttpMethod.Post, "/agent/v1/enroll", System.Text.Encoding.UTF8.GetBytes(body), null)).Status);
        try
        {
            Assert.Equal(HttpStatusCode.BadRequest, (await agent.SendAsync(HttpMethod.Post, "/agent/v1/enroll", new byte[AgentBody.Longest + 1], null)).Status);
        }
        catch (HttpRequestException)
        {
            // Refused before all of it was sent: the connection may be gone before the answer is read.
        }
        await AssertStillServes(agent);
    }

    /// <summary>The client may have kept the connection that the appliance has just closed, and finds that out with the next request: once more, then.</summary>
    static async Task AssertStillServes(ScriptedAgent agent)
    {
        for (var again = true; ; again = false)
        {
            try
            {
                Assert.Equal(HttpStatusCode.BadRequest, (await agent.SendAsync(HttpMethod.Post, "/agent/v1/enroll", "{}"u8.ToArray(), null)).Status);
                return;
            }
            catch (HttpRequestException) when (again) { /* on a fresh connection now */ }
        }
    }

    [Fact]
    public async Task Nulls_and_excess_in_an_inventory_are_left_out()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        var nics = string.Join(',', Enumerable.Repeat("null", 5).Concat(Enumerable.Range(100, 500).Select(i => $"{{\"name\":\"{new string('e', 1000)}\",\"mac\":\"{TestStore.Mac(i)}\",\"neighbours\":[null]}}")));
        var body = System.Text.Encoding.UTF8.GetBytes($"{{\"agentVersion\":\"1.0\",\"modules\":[null],\"inventory\":{{\"cpus\":3,\"disks\":null,\"nics\":[{nics},{{\"name\":null,\"mac\":null}}]}}}}");
        Assert.Equal(HttpStatusCode.OK, (await agent.SignedAsync(HttpMethod.Post, "/agent/v1/heartbeat", body)).Status);
        var inventory = appliance.Nodes.Current.Find("n1")!.Inventory!;
        Assert.Equal((3, 0, 128), (inventory.Cpus, inventory.Disks.Count, inventory.Nics.Count));
        Assert.All(inventory.Nics, nic => Assert.Equal((256, 0), (nic.Name.Length, nic.Neighbours.Count)));
    }

    [Fact]
    public async Task A_daemon_that_died_between_enrolment_and_operation_finds_the_node_again()
    {
        await using var appliance = await TestAppliance.StartAsync();
        await appliance.IdleAgentAsync(1);
        var node = appliance.Nodes.Current.Find("n1")!;
        // As if it had died after the node became "enrolling" and before its operation was written.
        await appliance.Get<OperationRunner>().StopAsync(CancellationToken.None);
        await appliance.Nodes.ApplyAsync(node.Id, NodeEvent.AgentEnrolled, "again", "node", null, CancellationToken.None);
        await appliance.RestartAsync();
        await appliance.StateAsync("n1", NodeState.Idle);
    }
}
