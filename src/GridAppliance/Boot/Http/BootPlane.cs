using System.Net;
using System.Net.Sockets;
using GridAppliance.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace GridAppliance.Boot.Http;

/// <summary>
/// HTTP for machines that boot and for agents: a Kestrel of its own, with no middleware, configuration or service of the management plane's, listening on each boot
/// network's address and interface and nowhere else; and at the same address to this very machine, which may have an agent too, and whose calls to itself go over no interface but the loop.
/// </summary>
sealed partial class BootPlane(
    ApplianceOptions options, BootPlaneSettings settings, IEnumerable<IBootPlaneEndpoints> endpoints, ILoggerFactory loggers, ILogger<BootPlane> log) : IHostedService, IAsyncDisposable
{
    /// <summary>Enough to keep a fast link busy between two turns of the writer.</summary>
    const int ResponseBuffer = 512 << 10;

    const string Loop = "lo";

    readonly List<NetworkOptions> networks = [.. options.Networks.Where(n => n is { Boot: true, Via: null })];
    WebApplication? web;

    /// <summary>Where it listens, once started; with the port that a port 0 became.</summary>
    public IReadOnlyList<Uri> Addresses => web is null ? [] : [.. web.Urls.Distinct().Select(u => new Uri(u))];

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (networks.Count == 0) return;
        // Empty: a boot plane that takes addresses from the environment, or logs for itself, would be somebody else's.
        var builder = WebApplication.CreateEmptyBuilder(new() { ApplicationName = "boot-plane" });
        builder.Services.AddSingleton(loggers);
        builder.Services.AddRoutingCore();
        builder.Services.RemoveAll<IHostLifetime>();
        builder.Services.AddSingleton<IHostLifetime, OwnedLifetime>();
        builder.WebHost.UseKestrelCore().UseSockets(sockets => sockets.CreateBoundListenSocket = Bind).ConfigureKestrel(Configure);

        web = builder.Build();
        web.UseRouting();
        foreach (var endpoint in endpoints) endpoint.Map(web);
        try
        {
            await web.StartAsync(cancellationToken);
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
        foreach (var network in networks) LogListening(network.Name, network.Interface, network.Address.Address.ToString(), settings.Port);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (web is not null) await web.StopAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (web is not null) await web.DisposeAsync();
        web = null;
    }

    void Configure(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        var limits = kestrel.Limits;
        limits.MaxRequestBodySize = settings.MaxRequestBody;
        limits.RequestHeadersTimeout = settings.HeaderTimeout;
        limits.MaxRequestLineSize = 2048;
        limits.MaxRequestHeadersTotalSize = 8192;
        limits.MaxRequestHeaderCount = 40;
        limits.MaxConcurrentConnections = settings.MaxConnections;
        limits.MaxResponseBufferSize = ResponseBuffer;
        var perAddress = new ConnectionLimit(settings.MaxConnectionsPerAddress);
        foreach (var network in networks)
        {
            var address = network.Address.Address.ToIPAddress();
            Serve(new(address, settings.Port));
            // A port that the kernel chooses would be another one on the loop.
            if (settings.Port != 0) Serve(new LoopEndPoint(address, settings.Port));

            void Serve(IPEndPoint at) => kestrel.Listen(at, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                listen.Use(perAddress.Around);
                listen.Use(next => connection =>
                {
                    connection.Features.Set(network);
                    return next(connection);
                });
            });
        }
    }

    Socket Bind(EndPoint endPoint)
    {
        var at = (IPEndPoint)endPoint;
        var network = networks.First(n => n.Address.Address.ToIPAddress().Equals(at.Address));
        return InterfaceSocket.Open(at is LoopEndPoint ? network with { Interface = Loop } : network, ProtocolType.Tcp, at, "The HTTP boot plane");
    }

    /// <summary>A boot network's address, as this machine itself reaches it.</summary>
    sealed class LoopEndPoint(IPAddress address, int port) : IPEndPoint(address, port);

    /// <summary>The daemon's host starts and stops this one; it listens to no signals itself.</summary>
    sealed class OwnedLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The boot plane serves network {Network} on {Interface}, http://{Address}:{Port}")]
    partial void LogListening(string network, string @interface, string address, int port);
}
