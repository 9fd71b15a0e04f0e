using GridAppliance.Agents;
using GridAppliance.Boot;
using GridAppliance.Boot.Files;
using GridAppliance.Boot.Http;
using GridAppliance.Disks;
using GridAppliance.Grids;
using GridAppliance.Hosting;
using GridAppliance.Modules;
using GridAppliance.Nodes;
using GridAppliance.Operations;
using GridAppliance.Power;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Resources;
using GridAppliance.Store;
using GridAppliance.Switches.Snmp;
using GridAppliance.Tests.Boot;
using GridAppliance.Tests.Grids;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace GridAppliance.Tests.Agents;

/// <summary>The daemon's agent side on loopback, with the real store, runner and HTTP server. <see cref="RestartAsync"/> keeps the data directory and nothing else.</summary>
sealed class TestAppliance : IAsyncDisposable
{
    public const string Network = "provisioning";

    readonly string directory = TestStore.NewDirectory();
    readonly TimeProvider clock;
    readonly EnrollPolicy policy;
    IHost host = null!;

    TestAppliance(TimeProvider clock, EnrollPolicy policy) => (this.clock, this.policy) = (clock, policy);

    public static async Task<TestAppliance> StartAsync(TimeProvider? clock = null, EnrollPolicy policy = EnrollPolicy.Auto)
    {
        var appliance = new TestAppliance(clock ?? TimeProvider.System, policy);
        await appliance.OpenAsync();
        return appliance;
    }

    public Uri Url => Get<BootPlane>().Addresses.Single();

    public NodeDirectory Nodes => Get<NodeDirectory>();

    public Timeline Timeline => Get<Timeline>();

    public OperationRunner Operations => Get<OperationRunner>();

    public T Get<T>() where T : notnull => host.Services.GetRequiredService<T>();

    public async Task RestartAsync()
    {
        await CloseAsync();
        await OpenAsync();
    }

    /// <summary>A machine that has got its boot script: the token in it.</summary>
    public async Task<string> BootAsync(MacAddress mac)
    {
        Get<BootClients>().Granted(Network, Loopback, mac);
        return (await Get<BootAttempts>().IssueAsync(mac, Loopback, Network, null, CancellationToken.None)).Token;
    }

    /// <summary>A machine that has booted and whose agent has enrolled and come to idle.</summary>
    /// <param name="number">Of its NIC.</param>
    /// <param name="image">What it runs; null for a system of its own.</param>
    public async Task<ScriptedAgent> IdleAgentAsync(int number, string? image = RootImage.Tiny)
    {
        var agent = new ScriptedAgent(this, TestStore.Mac(number)) { Image = image };
        await agent.BootAndEnrolAsync();
        var node = await StateAsync(agent.Node, NodeState.Idle);
        // Idle is visible a moment before the operation's own last line.
        foreach (var operation in Operations.UnfinishedOn(node.Id)) await Operations.EndAsync(operation.Id, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60));
        return agent;
    }

    /// <summary>Waits until the node has come to this state; changes are what it waits for, not time.</summary>
    public Task<Node> StateAsync(string name, NodeState state) => NodeAsync(name, node => node.State == state);

    public Task<Node> NodeAsync(string name, Func<Node, bool> holds) => Nodes.UntilAsync(name, holds);

    public IReadOnlyList<string> EventsOf(string name) => [.. Timeline.ReadNode(Nodes.Current.Find(name)!.Id, 500).Select(e => e.Kind)];

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        Directory.Delete(directory, recursive: true);
    }

    static Ipv4Address Loopback => Ipv4Address.Parse("127.0.0.1");

    async Task OpenAsync()
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        var services = builder.Services;
        services.AddSingleton(clock);
        services.AddSingleton(new ApplianceOptions
        {
            Name = "test", DataDir = directory, BootFiles = directory, ManagementListen = [], Enroll = policy,
            Networks = [new() { Name = Network, Interface = "lo", Address = Ipv4Network.Parse("127.0.0.1/8"), Boot = true }],
        });
        services.AddSingleton(ApplianceKey.Open(directory));
        services.AddSingleton<BootObserver>();
        services.AddSingleton<BootClients>();
        services.AddSingleton<BootReporter>();
        services.AddSingleton<BootAttempts>();
        services.AddSingleton(new BootPlaneSettings { Port = 0, MaxConnectionsPerAddress = 1000 });
        services.AddSingleton<BootPlane>();
        services.AddStore();
        services.AddOperations();
        services.AddAgents();
        services.AddModules();
        services.AddResources();
        services.AddDisks();
        services.AddGrids();
        services.AddSingleton<IGridEngine>(new RosterEngine());
        services.AddSingleton<IGridEngine>(new RosterEngine(RootImage.Debian));
        services.AddSingleton(BootBench.Catalog());
        services.AddSingleton<SnmpSocket>();
        services.AddPower();
        services.AddHostedService(provider => provider.GetRequiredService<BootPlane>());
        host = builder.Build();
        await host.StartAsync();
    }

    async Task CloseAsync()
    {
        await host.StopAsync();
        await ((IAsyncDisposable)host).DisposeAsync();
    }
}
