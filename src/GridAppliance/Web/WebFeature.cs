using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Web.Endpoints;
using GridAppliance.Web.Metrics;

namespace GridAppliance.Web;

static class WebFeature
{
    /// <summary>REST, status page, metrics and health, on <see cref="ApplianceOptions.ManagementListen"/>.</summary>
    public static void AddManagementPlane(this IServiceCollection services)
    {
        services.AddSingleton(provider => new ApplianceStart(provider.GetRequiredService<TimeProvider>().GetUtcNow()));
        services.AddSingleton<PrometheusExporter>();
        services.AddSingleton<WhyReader>();
        services.AddHostedService<ProblemReporter>();
        services.AddHostedService(SystemdNotify.FromEnvironment);
        services.AddSingleton<ManagementPlane>();
        services.AddHostedService(provider => provider.GetRequiredService<ManagementPlane>());
    }
}
