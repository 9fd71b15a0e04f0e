using GridAppliance.Api.Agents;
using GridAppliance.Operations;

namespace GridAppliance.Tests.Operations;

public sealed class InstallDiskTests
{
    static readonly TimeSpan Longest = TimeSpan.FromHours(2);

    [Theory]
    [InlineData(true, "still calls from the tiny image")]
    [InlineData(false, "did not come back from its disk")]
    public async Task A_node_that_does_not_start_from_its_disk_is_not_waited_for_for_ever(bool calls, string reason)
    {
        await using var world = new NeverStarts();
        var (operation, _) = await world.Journal.CreateAsync(await world.PrepareAsync(), CancellationToken.None);
        var steps = world.Kind.StepsFor(operation);
        var (end, last) = (world.Store.Clock.GetUtcNow() + Longest, "");
        foreach (var step in steps)
        {
            last = step.Name;
            StepOutcome outcome;
            while ((outcome = await step.Do(CancellationToken.None)) is StepOutcome.NotYet)
            {
                world.Store.Clock.Advance(TimeSpan.FromSeconds(30));
                if (calls) world.Call();
                await world.MeanwhileAsync();
                Assert.True(world.Store.Clock.GetUtcNow() < end, $"{last} is still waited for");
            }
            if (outcome is not StepOutcome.Failed failed) continue;
            Assert.Equal("arrive", last);
            Assert.Contains(reason, failed.Reason, StringComparison.Ordinal);
            return;
        }
        Assert.Fail("it is active without having started");
    }

    /// <summary>Its agent says that it restarts, and that is the last of it.</summary>
    sealed class NeverStarts : InstallDiskWorld
    {
        public void Call() => Store.Nodes.Touch(Idle[0], node => node with { AgentLastSeen = Store.Clock.GetUtcNow() });

        protected override Task CarryOutAsync(Guid node, OrderDocument order) => order.Kind == OrderKinds.Reboot ? Task.CompletedTask : base.CarryOutAsync(node, order);
    }
}
