using GridAppliance.Agent;
using GridAppliance.Agent.Resources;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Resources;
using GridAppliance.Testing;

namespace GridAppliance.Tests.Agent;

public sealed class ResourceHostTests : IDisposable
{
    static readonly CancellationToken Never = CancellationToken.None;
    static readonly MachineResources Machine = new([0, 1, 2, 3], 4096, 100_000, ["0000:3b:00.0"]);

    readonly ScratchFolder folder = new();
    readonly ScriptedGroups groups = new();
    readonly ManualClock clock = new();

    public void Dispose() => folder.Dispose();

    (ResourceHost Host, ResourceBook Book) Start(string boot = "boot-1", TimeProvider? time = null)
    {
        var book = new ResourceBook(new AgentPaths(folder.Path), Machine, boot);
        return (new(book, groups, new HeartbeatTrigger(), new AgentConsole(TextWriter.Null), time ?? clock), book);
    }

    static HoldingOrder Order(int number, int cpus, bool allocated = true, long memory = 0, int seconds = 60, string owner = "alice") => new()
    {
        Id = $"00000000-0000-7000-8000-{number:x12}", Owner = owner, Amounts = new() { Cpus = cpus, MemoryMiB = memory }, Allocated = allocated, Seconds = seconds,
    };

    [Fact]
    public async Task Owners_get_processors_of_their_own_and_what_is_left_is_all_that_is_left()
    {
        var (host, book) = Start();
        Assert.True((await host.HoldAsync(Order(1, 2), Never)).Succeeded);
        Assert.True((await host.HoldAsync(Order(2, 1, owner: "bob"), Never)).Succeeded);
        Assert.Equal([0, 1], book.Find(Order(1, 0).Id)!.Cpus);
        Assert.Equal([2], book.Find(Order(2, 0).Id)!.Cpus);
        var refused = await host.HoldAsync(Order(3, 2, owner: "carol"), Never);
        Assert.Equal((false, "2 CPUs are asked for and 1 is free"), (refused.Succeeded, refused.Message));
        Assert.True((await host.FreeAsync(Order(1, 0).Id, Never)).Succeeded);
        Assert.True((await host.HoldAsync(Order(3, 2, owner: "carol"), Never)).Succeeded);
        Assert.Equal(["bob", "carol"], groups.InForce.Values.Select(group => group.Owner).Order());
    }

    [Fact]
    public async Task A_reservation_keeps_others_out_without_limits_and_becomes_an_allocation_with_them()
    {
        var (host, _) = Start();
        await host.HoldAsync(Order(1, 3, allocated: false), Never);
        Assert.Empty(groups.InForce);
        Assert.False((await host.HoldAsync(Order(2, 2, owner: "bob"), Never)).Succeeded);
        await host.HoldAsync(Order(1, 3), Never);
        Assert.Equal([0, 1, 2], Assert.Single(groups.InForce).Value.Cpus);
        await host.HoldAsync(Order(1, 3, allocated: false), Never);
        Assert.Empty(groups.InForce);
    }

    [Fact]
    public async Task What_is_being_ended_takes_no_programs_any_more()
    {
        var (host, book) = Start();
        await host.HoldAsync(Order(1, 1) with { Modules = ["web"] }, Never);
        Assert.NotNull(host.GroupFor("web"));
        var asked = "nobody";
        groups.Before = at => { if (at == "end") asked = host.GroupFor("web"); };
        await host.FreeAsync(Order(1, 0).Id, Never);
        Assert.Null(asked);
        Assert.Empty(book.Holdings);
    }

    [Fact]
    public async Task What_others_need_as_well_is_moved_to_them_before_a_holding_ends_and_what_nobody_needs_is_not()
    {
        var book = new ResourceBook(new AgentPaths(folder.Path), Machine, "boot-1");
        var host = new ResourceHost(book, groups, new HeartbeatTrigger(), new AgentConsole(TextWriter.Null), clock, module => module == "cache");
        await host.HoldAsync(Order(1, 1) with { Modules = ["web", "cache", "alone"] }, Never);
        await host.HoldAsync(Order(2, 1, owner: "bob") with { Modules = ["web"] }, Never);
        await host.HoldAsync(Order(3, 1, owner: "carol", allocated: false) with { Modules = ["alone"] }, Never);
        var ends = 0;
        groups.Before = at =>
        {
            if (at == "end") ends = groups.Moved.Count;
            // What cannot be moved keeps no holding from ending.
            if (at == "move" && groups.Moved.Count == 2) throw new IOException("it does not come out");
        };
        Assert.True((await host.FreeAsync(Order(1, 0).Id, Never)).Succeeded);
        Assert.Equal(2, ends);
        Assert.Equal([(Order(1, 0).Id, "web", Order(2, 0).Id), (Order(1, 0).Id, "cache", null)], groups.Moved);
        // Bob's is allocated no more: the web module is nobody's now.
        Assert.True((await host.HoldAsync(Order(2, 1, owner: "bob", allocated: false) with { Modules = ["web", "cache"] }, Never)).Succeeded);
        Assert.Equal(2, groups.Moved.Count);
        Assert.DoesNotContain(book.Holdings, holding => holding.Id == Order(1, 0).Id);
    }

    [Fact]
    public async Task An_order_twice_is_the_order_once_and_what_has_ended_does_not_come_back()
    {
        var (host, book) = Start();
        await host.HoldAsync(Order(1, 2), Never);
        await host.HoldAsync(Order(1, 2), Never);
        Assert.Single(book.Holdings);
        await host.FreeAsync(Order(1, 2).Id, Never);
        Assert.True((await host.FreeAsync(Order(1, 2).Id, Never)).Succeeded);
        Assert.Equal("it has ended already", (await host.HoldAsync(Order(1, 2), Never)).Message);
        // Freed before it came: the order that was under way is too late.
        await host.FreeAsync(Order(2, 1).Id, Never);
        Assert.False((await Start().Host.HoldAsync(Order(2, 1), Never)).Succeeded);
        Assert.Empty(groups.InForce);
    }

    [Fact]
    public async Task A_holding_keeps_its_owner_and_its_amounts()
    {
        var (host, _) = Start();
        await host.HoldAsync(Order(1, 2), Never);
        Assert.False((await host.HoldAsync(Order(1, 2, owner: "bob"), Never)).Succeeded);
        Assert.False((await host.HoldAsync(Order(1, 3), Never)).Succeeded);
    }

    [Fact]
    public async Task Named_resources_are_counted_against_what_there_is_of_them()
    {
        var (host, _) = Start();
        HoldingOrder Slots(int number, int slots) => Order(number, 1) with
        {
            Amounts = new() { Cpus = 1, Named = new Dictionary<string, int> { ["slot"] = slots } },
            Of = new Dictionary<string, int> { ["slot"] = 4 },
        };
        Assert.True((await host.HoldAsync(Slots(1, 3), Never)).Succeeded);
        Assert.Equal("2 slot are asked for and 1 is free", (await host.HoldAsync(Slots(2, 2), Never)).Message);
        Assert.True((await host.HoldAsync(Slots(3, 1), Never)).Succeeded);
    }

    [Fact]
    public async Task A_lease_ends_on_the_clock_that_never_jumps_whatever_the_date_is()
    {
        var jumping = new JumpingClock(clock);
        var (host, book) = Start(time: jumping);
        await host.HoldAsync(Order(1, 4, seconds: 60), Never);
        foreach (var years in (int[])[10, -10, 10])
        {
            jumping.Jump(TimeSpan.FromDays(365 * years));
            await host.EndLeasesAsync(Never);
            Assert.Single(book.Holdings);
        }
        clock.Advance(TimeSpan.FromSeconds(59));
        await host.EndLeasesAsync(Never);
        Assert.Single(groups.InForce);
        clock.Advance(TimeSpan.FromSeconds(1));
        await host.EndLeasesAsync(Never);
        Assert.Empty(groups.InForce);
        Assert.Empty(book.Holdings);
        Assert.True((await host.HoldAsync(Order(2, 4, owner: "bob"), Never)).Succeeded);
    }

    [Fact]
    public async Task Leases_end_without_anybody_asking_the_earliest_first()
    {
        var (host, book) = Start();
        using var life = new CancellationTokenSource();
        var ended = new SemaphoreSlim(0);
        groups.Before = at => { if (at == "ended") ended.Release(); };
        var running = host.RunAsync(life.Token);
        await host.HoldAsync(Order(1, 2, seconds: 600), Never);
        await host.HoldAsync(Order(2, 1, seconds: 60, owner: "bob"), Never);
        // The watch may not have gone to sleep yet when the first second passes.
        for (var second = 0; second < 120 && groups.InForce.Count == 2; second++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            if (second >= 59) await ended.WaitAsync(TimeSpan.FromMilliseconds(200));
        }
        Assert.Equal("alice", Assert.Single(groups.InForce).Value.Owner);
        await life.CancelAsync();
        await running.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.NotNull(book.Find(Order(1, 0).Id));
    }

    [Fact]
    public async Task An_agent_that_dies_at_any_moment_finds_at_least_what_is_in_use_and_ends_what_nobody_holds()
    {
        foreach (var (index, moment) in ((string[])["make", "made", "end", "ended"]).Index())
        {
            var number = 10 * (index + 1);
            var (host, _) = Start();
            if (moment is "end" or "ended") await host.HoldAsync(Order(number, 4), Never);
            groups.Before = at => { if (at == moment) throw new OperationCanceledException(moment); };
            await Assert.ThrowsAsync<OperationCanceledException>(() => moment is "end" or "ended" ? host.FreeAsync(Order(number, 4).Id, Never) : host.HoldAsync(Order(number, 4), Never));
            groups.Before = null;

            var (again, book) = Start();
            await again.RecoverAsync(Never);
            Assert.Equal(book.Holdings.Select(holding => holding.Id), groups.InForce.Keys);
            Assert.False((await again.HoldAsync(Order(number + 1, 1, owner: "bob"), Never)).Succeeded);
            await again.FreeAsync(Order(number, 4).Id, Never);
            Assert.Empty(groups.InForce);
        }
    }

    [Fact]
    public async Task After_another_boot_nothing_is_held_and_a_book_that_is_damaged_gives_nothing_away()
    {
        var (host, _) = Start();
        await host.HoldAsync(Order(1, 4), Never);
        groups.Clear();
        var (next, book) = Start("boot-2");
        Assert.Empty(book.Holdings);
        Assert.True((await next.HoldAsync(Order(2, 4, owner: "bob"), Never)).Succeeded);

        await File.WriteAllTextAsync(new AgentPaths(folder.Path).Resources, "{ half");
        var (blind, _) = Start("boot-2");
        await blind.RecoverAsync(Never);
        Assert.Single(groups.InForce);
        Assert.Contains("is damaged", (await blind.HoldAsync(Order(3, 1), Never)).Message);
    }

    [Fact]
    public async Task Without_a_kernel_that_can_enforce_limits_nothing_is_allocated()
    {
        groups.Missing = "this node's kernel has no memory controller: limits could not be enforced";
        var (host, book) = Start();
        Assert.Equal(groups.Missing, (await host.HoldAsync(Order(1, 1), Never)).Message);
        Assert.Empty(book.Holdings);
        Assert.True((await host.HoldAsync(Order(1, 1, allocated: false), Never)).Succeeded);
    }

    [Theory]
    [InlineData("0-3", 4)]
    [InlineData("0-1,4,6-7", 5)]
    [InlineData("0", 1)]
    [InlineData("", 0)]
    public void Lists_of_processors_are_read_as_the_kernel_writes_them(string list, int count) => Assert.Equal(count, MachineResourcesReader.Cpus(list).Count);

    /// <summary>A machine whose date is set by somebody while its counter goes on.</summary>
    sealed class JumpingClock(ManualClock clock) : TimeProvider
    {
        TimeSpan off;

        public void Jump(TimeSpan by) => off += by;

        public override DateTimeOffset GetUtcNow() => clock.GetUtcNow() + off;

        public override long TimestampFrequency => clock.TimestampFrequency;

        public override long GetTimestamp() => clock.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => clock.CreateTimer(callback, state, dueTime, period);
    }
}
