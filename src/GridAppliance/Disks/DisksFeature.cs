using GridAppliance.Boot.Http;
using GridAppliance.Operations;

namespace GridAppliance.Disks;

static class DisksFeature
{
    /// <summary>Systems on nodes' disks, what cloud-init is told there, and their end.</summary>
    public static void AddDisks(this IServiceCollection services)
    {
        services.AddSingleton<DiskOrders>();
        services.AddSingleton<InstallDisk>();
        services.AddSingleton<IOperationKind>(static provider => provider.GetRequiredService<InstallDisk>());
        services.AddSingleton<IOperationKind, ReleaseNode>();
        services.AddSingleton<IBootPlaneEndpoints, CloudSeedEndpoint>();
        services.AddSingleton<InstallRequests>();
    }
}
