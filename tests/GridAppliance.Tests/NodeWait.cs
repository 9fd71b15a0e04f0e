using GridAppliance.Nodes;

namespace GridAppliance.Tests;

static class NodeWait
{
    /// <summary>Waits until a node is as wanted; changes are what it waits for, not time.</summary>
    public static async Task<Node> UntilAsync(this NodeDirectory nodes, string name, Func<Node, bool> holds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var changed = new SemaphoreSlim(0);
        void Poke() => changed.Release();
        nodes.Changed += Poke;
        try
        {
            while (true)
            {
                if (nodes.Current.Find(name) is { } node && holds(node)) return node;
                await changed.WaitAsync(patience.Token);
            }
        }
        finally
        {
            nodes.Changed -= Poke;
        }
    }
}
