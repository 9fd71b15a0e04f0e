using GridAppliance.Hosting;
using GridAppliance.Power.Discovery;
using GridAppliance.Power.Ipmi;
using GridAppliance.Power.Nodes;
using GridAppliance.Power.Ports;
using GridAppliance.Switches;

namespace GridAppliance.Power;

static class PowerFeature
{
    /// <summary>What acts on nodes without their operating systems. Outlets speak through the switches' SNMP socket: <see cref="SwitchFeature.AddSwitches"/> too.</summary>
    public static void AddPower(this IServiceCollection services)
    {
        services.AddSecrets();
        services.AddSingleton<IpmiSocket>();
        services.AddSingleton<PowerFamily>();
        services.AddSingleton<NodePorts>();
        services.AddSingleton<NodePower>();
        services.AddSingleton<BmcSettings>();
        services.AddSingleton<PowerReconciler>();
        services.AddHostedService(provider => provider.GetRequiredService<PowerReconciler>());
        services.AddHostedService<DeviceEventWatcher>();
        services.AddSingleton<StrangerBoot>();
        services.AddSingleton(new BmcScanSettings());
        services.AddSingleton<BmcScan>();
        services.AddSingleton<OwnedBmcs>();
        services.AddHostedService<PortClaims>();
        services.AddHostedService<BmcAdopter>();
    }
}
