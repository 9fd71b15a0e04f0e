using GridAppliance.Modules;
using GridAppliance.Operations;

namespace GridAppliance.Resources;

static class ResourcesFeature
{
    /// <summary>Who holds what of which node, and which modules stay for how long.</summary>
    public static void AddResources(this IServiceCollection services)
    {
        services.AddSingleton<ModuleOffers>();
        services.AddSingleton<ResourceLedger>();
        services.AddSingleton<ModuleUses>();
        services.AddSingleton<HoldingOrders>();
        services.AddSingleton<HoldingModules>();
        services.AddSingleton<ResourceRequests>();
        services.AddSingleton<ManagerRelations>();
        services.AddSingleton<ManagerRequests>();
        // Operations that start operations: the runner is made of the kinds that are made of these.
        services.AddSingleton(static provider => new Lazy<ModuleChanges>(provider.GetRequiredService<ModuleChanges>));
        services.AddSingleton(static provider => new Lazy<OperationRunner>(provider.GetRequiredService<OperationRunner>));
        services.AddHostedService<LeaseWatch>();
        services.AddHostedService<IdleReconciler>();
    }
}
