using System.Net.Sockets;
using GridAppliance.Api;
using GridAppliance.Boot.Dhcp;
using GridAppliance.Consoles;
using GridAppliance.Consoles.Scripts;
using GridAppliance.Disks;
using GridAppliance.Establish;
using GridAppliance.Fabric;
using GridAppliance.Guard;
using GridAppliance.Grids;
using GridAppliance.Hosting;
using GridAppliance.Modules;
using GridAppliance.Nodes;
using GridAppliance.Operations;
using GridAppliance.Power.Discovery;
using GridAppliance.Power.Nodes;
using GridAppliance.Power.Ports;
using GridAppliance.Resources;
using GridAppliance.San;
using GridAppliance.Store;
using GridAppliance.Switches.Fleet;
using GridAppliance.Web.Consoles;
using GridAppliance.Web.Endpoints;
using GridAppliance.Web.Metrics;
using GridAppliance.Web.Security;
using Microsoft.AspNetCore.Connections;

namespace GridAppliance.Web;

/// <summary>
/// The management plane: an HTTP server of its own, apart from the boot plane's, so that no address of one can be reached through a socket of the other.
/// Opens its sockets in <see cref="StartAsync"/>: one that is taken fails the start.
/// </summary>
sealed class ManagementPlane(IServiceProvider daemon) : IHostedService, IAsyncDisposable
{
    readonly ApplianceOptions options = daemon.GetRequiredService<ApplianceOptions>();
    WebApplication? app;

    /// <summary>Addresses that it listens on, with the ports that were chosen.</summary>
    public IReadOnlyCollection<string> Addresses => [.. app?.Urls ?? []];

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            app = Build();
            await app.StartAsync(cancellationToken);
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            throw new StartupException($"the management plane cannot listen: {e.Message}", "Stop what listens there (`ss -ltnp` names it), or change management.listen.", e);
        }
        catch (SocketException e)
        {
            throw new StartupException($"the management plane cannot listen: {e.Message}", "Name addresses of this machine in management.listen (`ip address` shows them).", e);
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (app is not null) await app.StopAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (app is not null) await app.DisposeAsync();
    }

    WebApplication Build()
    {
        var builder = WebApplication.CreateEmptyBuilder(new() { ApplicationName = typeof(ManagementPlane).Assembly.GetName().Name });
        Lend(builder.Services);
        var token = ManagementListeners.Configure(builder.WebHost, builder.Services, options, daemon.GetRequiredService<TimeProvider>());
        builder.Services.AddRoutingCore();
        builder.Services.AddProblemDetails();
        // A body that cannot be read is answered by Problems, with the reason, like everything else.
        builder.Services.Configure<RouteHandlerOptions>(handlers => handlers.ThrowOnBadRequest = true);
        builder.Services.AddOpenApi("v1", OpenApiText.Configure);
        builder.Services.ConfigureHttpJsonOptions(json =>
        {
            // The same shape as the contract's own context, which knows every body.
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, ApiJson.Default);
            json.SerializerOptions.DefaultIgnoreCondition = ApiJson.Default.Options.DefaultIgnoreCondition;
            json.SerializerOptions.MaxDepth = ApiJson.Default.Options.MaxDepth;
        });

        var plane = builder.Build();
        plane.Use(SecurityHeaders.Add);
        plane.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandler = Problems.OfException, SuppressDiagnosticsCallback = static context => context.Exception is BadHttpRequestException or StoreException { Fault: StoreFault.DiskFull } });
        plane.UseStatusCodePages(Problems.OfStatus);
        // Before the guard, which asks whether it is one.
        plane.UseWebSockets();
        plane.Use(new RequestGuard(token).Check);
        plane.UseRouting();
        Map(plane);
        return plane;
    }

    static void Map(WebApplication plane)
    {
        plane.MapStatusPage();
        plane.MapHealth();
        plane.MapMetrics();
        plane.MapOpenApi("/api/v1/openapi.json");
        var api = plane.MapGroup("/api/v1");
        api.MapStatus();
        api.MapNodes();
        api.MapNodeChanges();
        api.MapEvents();
        api.MapOperations();
        api.MapModules();
        api.MapResources();
        api.MapManagers();
        api.MapDisks();
        api.MapGrids();
        api.MapEstablish();
        api.MapPorts();
        api.MapSwitches();
        api.MapPower();
        api.MapBmc();
        api.MapBmcSettings();
        api.MapFabric();
        api.MapSan();
        api.MapSanBoots();
        api.MapConsoles();
        api.MapConsoleScripts();
        api.MapRecovery();
    }

    /// <summary>The daemon's own objects, by instance: this server's container uses them and never disposes of them.</summary>
    void Lend(IServiceCollection services)
    {
        void Lent<T>() where T : class => services.AddSingleton(daemon.GetRequiredService<T>());
        Lent<ApplianceOptions>();
        Lent<TimeProvider>();
        Lent<ILoggerFactory>();
        Lent<NodeDirectory>();
        Lent<Timeline>();
        Lent<OperationRunner>();
        Lent<ModuleCatalog>();
        Lent<ModuleChanges>();
        Lent<ModuleMirror>();
        Lent<ResourceLedger>();
        Lent<GridDirectory>();
        Lent<GridRequests>();
        Lent<GridWork>();
        Lent<GridPasses>();
        Lent<ResourceRequests>();
        Lent<ModuleUses>();
        Lent<ManagerRequests>();
        Lent<InstallRequests>();
        Lent<EstablishRequests>();
        Lent<ApplianceMachine>();
        Lent<NodePorts>();
        Lent<NodePower>();
        Lent<BmcSettings>();
        Lent<StrangerBoot>();
        Lent<BmcScan>();
        Lent<OwnedBmcs>();
        Lent<ApplianceProblems>();
        Lent<ApplianceStart>();
        Lent<PrometheusExporter>();
        Lent<WhyReader>();
        Lent<SwitchFleet>();
        Lent<VlanChanges>();
        Lent<FabricState>();
        Lent<FabricPokes>();
        Lent<DriftReconciler>();
        Lent<FabricVerification>();
        Lent<GuardReport>();
        Lent<SanFabrics>();
        Lent<SanBoots>();
        Lent<TimedAccess>();
        Lent<SanDocuments>();
        Lent<ConsoleDirectory>();
        Lent<ConsoleReconciler>();
        Lent<ConsoleScripts>();
        services.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        // Signals are the daemon's to hear; it stops this plane in its turn.
        services.AddSingleton<IHostLifetime, StoppedByTheDaemon>();
        // A test's daemon, and one day a site's, may serve no DHCP at all.
        services.AddSingleton(new LeaseUse(daemon.GetService<DhcpServer>()));
        services.AddSingleton<ModuleUploads>();
        services.AddSingleton<EventStreams>();
    }
}

sealed class StoppedByTheDaemon : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
