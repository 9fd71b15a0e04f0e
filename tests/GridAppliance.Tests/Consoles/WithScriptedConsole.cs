using GridAppliance.Nodes;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Consoles;

/// <summary>What a test of a console begins with: a daemon, and its node n1, whose console a test plays.</summary>
public abstract class WithScriptedConsole : IAsyncLifetime
{
    private protected readonly ScriptedConsole console = new();
    private protected ManagementPlaneHost plane = null!;
    private protected Node node = null!;

    public async Task InitializeAsync()
    {
        plane = await ManagementPlaneHost.StartAsync();
        node = await SampleNodes.DiscoverAsync(plane, 1);
        Assert.Equal(0, (await plane.Gridctl("port", "set", "n1", $"tcp://{console.EndPoint}")).Status);
        await console.ConnectedAsync();
    }

    public virtual async Task DisposeAsync()
    {
        await plane.DisposeAsync();
        console.Dispose();
    }
}
