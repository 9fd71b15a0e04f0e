using System.Security.Cryptography;
using System.Threading.Channels;
using GridAppliance.Agent;
using GridAppliance.Agent.Calls;
using GridAppliance.Api.Agents;
using GridAppliance.Testing;

namespace GridAppliance.Tests.Agent;

public sealed class AgentTests : IAsyncLifetime
{
    // How long something that must happen may take before the test gives up; nothing waits this long when all is well.
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly ScratchFolder folder = new();
    ScriptedAppliance appliance = null!;

    public async Task InitializeAsync() => appliance = await ScriptedAppliance.StartAsync();

    public async Task DisposeAsync()
    {
        await appliance.DisposeAsync();
        folder.Dispose();
    }

    static Task<T> Next<T>(Channel<T> channel) => channel.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    static OrderDocument Order(string id, string kind = "inventory", string node = "node-1") => new() { Id = id, NodeId = node, Kind = kind };

    [Fact]
    public async Task It_enrols_with_a_key_of_its_own_and_then_signs_every_call()
    {
        await using var agent = new AgentUnderTest(appliance, folder.Path);
        var enrolment = await Next(appliance.Enrolments);
        Assert.Equal("token-1", enrolment.Token);
        var heartbeat = await Next(appliance.Heartbeats);
        Assert.NotNull(heartbeat.Inventory);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(agent.Paths.Key));
    }

    [Fact]
    public async Task An_agent_that_was_restarted_goes_on_with_its_key_and_does_not_spend_the_token_again()
    {
        await using (new AgentUnderTest(appliance, folder.Path)) await Next(appliance.Heartbeats);
        await using var second = new AgentUnderTest(appliance, folder.Path);
        await Next(appliance.Heartbeats);
        await Next(appliance.Enrolments);
        Assert.False(appliance.Enrolments.Reader.TryRead(out _));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(-10)]
    public async Task A_clock_that_is_ten_years_off_keeps_no_agent_from_enrolling_calling_and_obeying(int years)
    {
        await using var agent = new AgentUnderTest(appliance, folder.Path, clock: new WrongClock(TimeSpan.FromDays(365 * years)));
        await Next(appliance.Enrolments);
        await Next(appliance.Heartbeats);
        appliance.Send(Order("o-1"));
        Assert.True((await Next(appliance.Results)).Result.Succeeded);
    }

    sealed class WrongClock(TimeSpan off) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + off;
    }

    [Fact]
    public async Task Answers_from_a_holder_of_another_key_are_not_believed()
    {
        using var impostor = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        appliance.ImpostorKey = impostor;
        await using var agent = new AgentUnderTest(appliance, folder.Path);
        await Next(appliance.Enrolments);
        await Next(appliance.Enrolments);
        Assert.False(appliance.Heartbeats.Reader.TryRead(out _));
        Assert.Contains("its key is not the one that the boot script named", agent.Said);
        Assert.False(File.Exists(agent.Paths.Enrolment));
    }

    [Fact]
    public async Task An_order_is_carried_out_and_answered_and_a_repeated_one_is_answered_with_the_first_result()
    {
        await using var agent = new AgentUnderTest(appliance, folder.Path);
        appliance.Send(Order("o-1", "no-such-kind"));
        appliance.Send(Order("o-1", "inventory"));
        appliance.Send(Order("o-2", "inventory"));
        var (id, result) = await Next(appliance.Results);
        Assert.Equal(("o-1", false), (id, result.Succeeded));
        var (again, repeated) = await Next(appliance.Results);
        Assert.Equal(("o-1", false, result.Message), (again, repeated.Succeeded, repeated.Message));
        Assert.Equal(("o-2", true), await Next(appliance.Results) is var (last, fine) ? (last, fine.Succeeded) : default);
    }

    [Fact]
    public async Task A_result_is_told_until_it_is_taken()
    {
        appliance.ResultsToRefuse = 2;
        await using var agent = new AgentUnderTest(appliance, folder.Path);
        appliance.Send(Order("o-1"));
        Assert.Equal("o-1", (await Next(appliance.Results)).Id);
        Assert.True(appliance.ResultsToRefuse < 0);
    }

    [Fact]
    public async Task Orders_that_another_key_signed_or_that_are_for_another_node_are_refused()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await using var agent = new AgentUnderTest(appliance, folder.Path);
        appliance.Send(Order("forged"), other);
        appliance.Send(Order("misdirected", node: "node-2"), once: true);
        appliance.Send(Order("good"));
        Assert.Equal("good", (await Next(appliance.Results)).Id);
        Assert.False(appliance.Results.Reader.TryRead(out _));
        Assert.Contains("BadSignature", agent.Said);
        Assert.Contains("OtherNode", agent.Said);
    }

    [Fact]
    public async Task An_order_that_somebody_recorded_is_not_carried_out_a_second_time()
    {
        await using var agent = new AgentUnderTest(appliance, folder.Path);
        appliance.Send(Order("o-1"));
        Assert.Equal("o-1", (await Next(appliance.Results)).Id);
        var recorded = appliance.LastEnvelope;
        // As long ago as one likes: what the agent kept of it is gone.
        Directory.Delete(agent.Paths.Orders, recursive: true);
        appliance.Replay(recorded);
        appliance.Send(Order("o-2"));
        Assert.Equal("o-2", (await Next(appliance.Results)).Id);
        Assert.False(appliance.Results.Reader.TryRead(out _));
        Assert.Contains("NotFresh", agent.Said);
    }

    [Fact]
    public async Task A_restart_is_ordered_answered_first_and_then_ends_the_loop()
    {
        await using var agent = new AgentUnderTest(appliance, folder.Path);
        appliance.Send(Order("o-1", "reboot"));
        Assert.True((await Next(appliance.Results)).Result.Succeeded);
        Assert.Equal(AgentEnd.Reboot, await agent.Running.WaitAsync(Patience));
    }

    [Fact]
    public async Task An_appliance_that_was_away_for_ten_minutes_finds_its_agent_again_with_the_same_key()
    {
        var clock = new ManualClock();
        await using var agent = new AgentUnderTest(appliance, folder.Path, clock: clock);
        await Next(appliance.Heartbeats);
        await appliance.GoAwayAsync();
        for (var second = 0; second < 600; second++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
        await appliance.ComeBackAsync();
        var back = Next(appliance.Heartbeats);
        while (!back.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(back, Task.Delay(1));   // lets real sockets get on between two turns of the hand-driven clock
        }
        Assert.Null((await back).Inventory);   // nothing changed meanwhile, so it is not sent again
        await Next(appliance.Enrolments);
        Assert.False(appliance.Enrolments.Reader.TryRead(out _));
    }

    [Fact]
    public async Task An_appliance_that_lost_its_memory_is_told_anew()
    {
        await using var agent = new AgentUnderTest(appliance, folder.Path);
        var first = await Next(appliance.Enrolments);
        await Next(appliance.Heartbeats);
        appliance.ForgetNodes();
        appliance.Send(Order("o-1"));   // ends the waiting poll, and the result's call shows that the node is not known
        var second = await Next(appliance.Enrolments);
        Assert.Equal(first.PublicKey, second.PublicKey);
        Assert.NotNull((await Next(appliance.Heartbeats)).Inventory);
        Assert.Contains("does not know this node any more", agent.Said);
    }

    [Fact]
    public async Task A_token_that_is_refused_leads_to_another_boot_where_the_script_says_so()
    {
        await using var agent = new AgentUnderTest(appliance, folder.Path, token: "spent", rebootWhenUnknown: true);
        Assert.Equal(AgentEnd.Reboot, await agent.Running.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_token_that_is_refused_is_otherwise_tried_again_because_somebody_may_yet_approve()
    {
        await using var agent = new AgentUnderTest(appliance, folder.Path, token: "later");
        await Next(appliance.Enrolments);
        await Next(appliance.Enrolments);
        appliance.GoodTokens.Add("later");
        await Next(appliance.Heartbeats);
    }

    [Fact]
    public void Waits_double_up_to_fifteen_seconds_and_are_never_shorter_than_half()
    {
        var backoff = new Backoff(new Random(5));
        double[] whole = [0.25, 0.5, 1, 2, 4, 8, 15, 15, 15];
        foreach (var seconds in whole) Assert.InRange(backoff.Next().TotalSeconds, seconds / 2, seconds);
        backoff.Reset();
        Assert.InRange(backoff.Next().TotalSeconds, 0.125, 0.25);
    }
}
