using GridAppliance.Fabric.Probes;
using GridAppliance.Fabric.Traps;
using GridAppliance.Guard;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace GridAppliance.Fabric;

static class FabricFeature
{
    /// <summary>What follows from the switches: who is where, and whether it is as it should be.</summary>
    public static void AddFabric(this IServiceCollection services)
    {
        services.AddSingleton<UplinkRecogniser>();
        services.AddSingleton<PortPinStore>();
        services.AddSingleton<PortPins>();
        services.AddSingleton<CablingStore>();
        services.AddSingleton<DriftReconciler>();
        services.AddSingleton<IsolationProbes>();
        services.AddSingleton<FabricVerification>();
        services.TryAddSingleton<GuardReport>();
        services.AddSingleton<FabricState>();
        services.AddSingleton<FabricPokes>();
        services.AddSingleton<NodeLocator>();
        services.AddHostedService<FabricWatcher>();
        services.AddSingleton<TrapListener>();
        services.AddHostedService(static provider => provider.GetRequiredService<TrapListener>());
    }
}
