using GridAppliance.Boot;

namespace GridAppliance.Nodes;

static class NodesFeature
{
    /// <summary>What follows the boot path: nodes and their timelines from its reports, and the boot directory from the nodes.</summary>
    public static void AddNodes(this IServiceCollection services)
    {
        services.AddSingleton<BootObserver>();
        services.AddSingleton<BootDirectoryState>();
        services.AddHostedService<BootDirectoryReconciler>();
        services.AddHostedService<BootWatcher>();
        services.AddHostedService<StrangerExpiry>();
    }
}
