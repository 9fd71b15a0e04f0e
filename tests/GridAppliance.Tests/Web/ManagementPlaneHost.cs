using System.Net;
using GridAppliance.Agents;
using GridAppliance.Api.Client;
using GridAppliance.Boot;
using GridAppliance.Boot.Files;
using GridAppliance.Boot.Http;
using GridAppliance.Cli;
using GridAppliance.Cli.Terminal;
using GridAppliance.Consoles;
using GridAppliance.Establish;
using GridAppliance.Fabric;
using GridAppliance.Grids;
using GridAppliance.Hosting;
using GridAppliance.Modules;
using GridAppliance.Nodes;
using GridAppliance.Operations;
using GridAppliance.Power;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Resources;
using GridAppliance.San;
using GridAppliance.Store;
using GridAppliance.Switches;
using GridAppliance.Web;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace GridAppliance.Tests.Web;

/// <summary>A daemon with everything but the boot path (of which it has the plane, where a test gives a network to serve): its real store, nodes and operations behind a real management plane on a unix socket and on loopback.</summary>
sealed class ManagementPlaneHost : IAsyncDisposable
{
    readonly string directory = Directory.CreateTempSubdirectory("ga-web-").FullName;
    readonly IReadOnlyList<ListenAddress> beyond;
    readonly TimeProvider clock;
    readonly string name;
    readonly NetworkOptions? boots;
    readonly int bootPort;
    readonly ILoggerProvider? logs;
    IHost host;

    ManagementPlaneHost(IReadOnlyList<ListenAddress> beyond, TimeProvider clock, int port, string name, NetworkOptions? boots, int bootPort, ILoggerProvider? logs)
    {
        (this.beyond, this.clock, this.name, this.boots, this.bootPort, this.logs) = (beyond, clock, name, boots, bootPort, logs);
        host = Compose(port);
    }

    IHost Compose(int port)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton(new ApplianceOptions
        {
            Name = name,
            DataDir = directory,
            BootFiles = directory,
            ManagementListen = [new ListenAddress.Unix(SocketPath), new ListenAddress.Tcp(new(IPAddress.Loopback, port), Tls: false), .. beyond],
            Traps = new(IPAddress.Loopback, 0),
            Networks =
            [
                boots ?? new()
                {
                    Name = "provisioning", Interface = "eth1", Address = Ipv4Network.Parse("10.77.0.1/24"), DhcpMode = DhcpMode.Server,
                    Range = Ipv4Range.Parse("10.77.0.50-10.77.0.250"), Boot = true,
                },
            ],
        });
        if (logs is not null) builder.Logging.SetMinimumLevel(LogLevel.Trace).AddProvider(logs);
        builder.Services.AddSingleton(clock);
        builder.Services.AddDaemonWithoutBootServices(new() { Port = bootPort, MaxConnectionsPerAddress = 1000 });
        if (boots is not null) builder.Services.AddHostedService(provider => provider.GetRequiredService<BootPlane>());
        builder.Services.AddSingleton<SlowKind>();
        builder.Services.AddSingleton<IOperationKind>(provider => provider.GetRequiredService<SlowKind>());
        return builder.Build();
    }

    public string SocketPath => Path.Combine(directory, "api.sock");

    public ApplianceAddress Socket => new ApplianceAddress.Unix(SocketPath);

    /// <summary><c>http://127.0.0.1:port</c>.</summary>
    public Uri Loopback => new(host.Services.GetRequiredService<ManagementPlane>().Addresses.First(address => address.StartsWith("http://127", StringComparison.Ordinal)));

    public IReadOnlyCollection<string> Addresses => host.Services.GetRequiredService<ManagementPlane>().Addresses;

    public string DataDir => directory;

    public T Get<T>() where T : notnull => host.Services.GetRequiredService<T>();

    public NodeDirectory Nodes => Get<NodeDirectory>();

    public Timeline Timeline => Get<Timeline>();

    public static async Task<ManagementPlaneHost> StartAsync(IReadOnlyList<ListenAddress>? beyond = null, TimeProvider? clock = null, int port = 0, string name = "rack12", NetworkOptions? boots = null, int bootPort = BootPlaneUrl.DefaultPort, ILoggerProvider? logs = null)
    {
        var plane = new ManagementPlaneHost(beyond ?? [], clock ?? TimeProvider.System, port, name, boots, bootPort, logs);
        try { await plane.host.StartAsync(); }
        catch
        {
            await plane.DisposeAsync();
            throw;
        }
        return plane;
    }

    public async Task StopAsync()
    {
        await host.StopAsync();
        await Get<ManagementPlane>().DisposeAsync();
        await Get<Database>().DisposeAsync();
        host.Dispose();
    }

    /// <summary>What a restart of the daemon is: a new process on the same directory.</summary>
    public async Task RestartAsync(int port)
    {
        host = Compose(port);
        await host.StartAsync();
    }

    public ApplianceClient Client() => new(Socket);

    public HttpClient Http() => new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = Loopback };

    /// <summary>Runs gridctl in this process against this plane.</summary>
    public Task<Ran> Gridctl(params string[] arguments) => GridctlWith("", arguments);

    /// <summary>The same, with something on its standard input.</summary>
    public async Task<Ran> GridctlWith(string typed, params string[] arguments)
    {
        using StringWriter output = new(), error = new();
        using var input = new StringReader(typed);
        var terminal = new GridctlTerminal(output, error, input, interactive: false);
        var status = await CommandTree.Run([.. arguments, "--url", Socket.ToString()!], terminal);
        return new(status, output.ToString(), error.ToString());
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(directory, recursive: true);
    }

    public sealed record Ran(int Status, string Output, string Error);
}
