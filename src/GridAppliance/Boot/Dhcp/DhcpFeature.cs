using GridAppliance.Boot.Dhcp.Leases;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace GridAppliance.Boot.Dhcp;

static class DhcpFeature
{
    /// <summary>DHCP and ProxyDHCP on every network that asks for one, with leases in the store.</summary>
    public static void AddDhcp(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<BootObserver>();
        services.TryAddSingleton<BootDirectoryState>();
        services.TryAddSingleton<BootClients>();
        services.AddSingleton<ILeaseStore, LeaseStore>();
        services.AddSingleton<DhcpServer>();
        services.AddHostedService(provider => provider.GetRequiredService<DhcpServer>());
    }
}
