using GridAppliance.Boot.Files;
using GridAppliance.Boot.Http;
using GridAppliance.Boot.Tftp;
using GridAppliance.Hosting;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace GridAppliance.Boot;

static class BootFeature
{
    /// <summary>Boot files and the ways they are served. The catalogue is read before any port opens: hosted services start in this order.</summary>
    public static void AddBootServices(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<BootObserver>();
        services.TryAddSingleton<BootDirectoryState>();
        services.TryAddSingleton<BootClients>();
        services.TryAddSingleton<SanBootState>();
        services.AddSingleton<BootReporter>();

        services.AddSingleton<BootCatalogState>();
        services.AddSingleton<BootCatalogLoader>();
        services.AddHostedService(p => p.GetRequiredService<BootCatalogLoader>());

        services.AddSingleton(new TftpSettings());
        services.AddSingleton<TftpCounters>();
        services.AddHostedService<TftpServer>();

        services.AddSingleton(p => ApplianceKey.Open(p.GetRequiredService<ApplianceOptions>().DataDir));
        services.AddSingleton<BootAttempts>();
        services.AddSingleton<BootScripts>();
        services.AddSingleton<IBootPlaneEndpoints, BootScriptEndpoint>();
        services.AddSingleton<IBootPlaneEndpoints, BootFileEndpoints>();
        services.AddSingleton<IBootPlaneEndpoints, RootImageEndpoint>();
        services.AddSingleton(new BootPlaneSettings());
        services.AddSingleton<BootPlane>();
        services.AddHostedService(p => p.GetRequiredService<BootPlane>());
    }
}
