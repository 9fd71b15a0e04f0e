using GridAppliance.Api.Nodes;
using GridAppliance.Nodes;
using GridAppliance.Operations;

namespace GridAppliance.Tests.Operations;

public sealed class EnrollNodeTests
{
    static Node With(Node node, byte key) => node with { AgentKey = [key], Inventory = new() { Cpus = 1, Nics = [new() { Name = "eth0", Mac = TestStore.Mac(1).ToString() }] } };

    [Fact]
    public async Task A_node_that_boots_again_in_the_very_moment_in_which_it_becomes_idle_is_left_to_its_new_enrolment()
    {
        await using var store = new TestStore();
        var id = (await store.DiscoverAsync(1)).Id;
        var node = await store.Nodes.ApplyAsync(id, NodeEvent.AgentEnrolled, "enrolling", "node", latest => With(latest, 1), CancellationToken.None);
        var wanted = EnrollNode.For(node!, null);
        var kind = new EnrollNode(store.Nodes, new(new(store.Database, store.Nodes, new(), store.Clock), store.Clock), store.Clock);
        var operation = new Operation
        {
            Id = Guid.NewGuid(), Kind = wanted.Kind, Input = wanted.Input, NodeId = wanted.NodeId, Node = wanted.Node, Key = wanted.Key, Started = store.Clock.GetUtcNow(), StartedBy = "test",
        };

        // The next boot's agent is being written down while the first boot's last step looks at the node as it still is.
        using ManualResetEventSlim writing = new(), goOn = new();
        var again = Task.Run(() => store.Nodes.ChangeAsync(id, latest =>
        {
            writing.Set();
            Assert.True(goOn.Wait(TimeSpan.FromSeconds(60)), "waited for the last step to look");
            return (With(latest, 2), []);
        }, CancellationToken.None));
        Assert.True(writing.Wait(TimeSpan.FromSeconds(60)), "waited for the second enrolment");
        var ready = kind.StepsFor(operation)[^1].Do(CancellationToken.None);
        Assert.False(ready.IsCompleted);
        goOn.Set();
        await again;

        Assert.Equal("n1 changed in the meantime", Assert.IsType<StepOutcome.Failed>(await ready.WaitAsync(TimeSpan.FromSeconds(60))).Reason);
        Assert.Equal((NodeState.Enrolling, (byte)2), (store.Nodes.Current.Find(id)!.State, store.Nodes.Current.Find(id)!.AgentKey[0]));
        await kind.ConcludeAsync(operation, new OperationEnd.Failed("n1 changed in the meantime"), CancellationToken.None);
        Assert.Equal(NodeState.Enrolling, store.Nodes.Current.Find(id)!.State);
    }
}
