using GridAppliance.Agents;
using GridAppliance.Boot;
using GridAppliance.Boot.Files;
using GridAppliance.Boot.Http;
using GridAppliance.Consoles;
using GridAppliance.Disks;
using GridAppliance.Establish;
using GridAppliance.Fabric;
using GridAppliance.Grids;
using GridAppliance.Hosting;
using GridAppliance.Modules;
using GridAppliance.Nodes;
using GridAppliance.Operations;
using GridAppliance.Power;
using GridAppliance.Resources;
using GridAppliance.San;
using GridAppliance.Store;
using GridAppliance.Switches;
using GridAppliance.Web;
using Microsoft.Extensions.DependencyInjection;

namespace GridAppliance.Tests.Web;

/// <summary>The daemon but for what listens on provisioning networks, as tests and benchmarks compose it.</summary>
static class ManagementPlaneParts
{
    /// <param name="services">With options and a clock in it.</param>
    /// <param name="boots">For the boot plane, which is there to be asked and serves when somebody starts it.</param>
    public static void AddDaemonWithoutBootServices(this IServiceCollection services, BootPlaneSettings boots)
    {
        services.AddSingleton<ApplianceProblems>();
        services.AddSingleton(static provider => ApplianceKey.Open(provider.GetRequiredService<ApplianceOptions>().DataDir));
        services.AddStore();
        services.AddNodes();
        services.AddOperations();
        services.AddAgents();
        services.AddModules();
        services.AddResources();
        services.AddDisks();
        services.AddGrids();
        services.AddSingleton<BootCatalogState>();
        services.AddEstablish();
        services.AddSingleton<BootObserver>();
        services.AddSingleton<BootClients>();
        services.AddSingleton<BootReporter>();
        services.AddSingleton<BootAttempts>();
        services.AddSingleton(boots);
        services.AddSingleton<BootPlane>();
        services.AddSingleton<IBootPlaneEndpoints, RootImageEndpoint>();
        services.AddSwitches();
        services.AddFabric();
        services.AddSan();
        services.AddPower();
        services.AddConsoles();
        services.AddManagementPlane();
    }
}
