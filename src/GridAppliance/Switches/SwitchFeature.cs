using GridAppliance.Fabric;
using GridAppliance.Fabric.Probes;
using GridAppliance.Fabric.Traps;
using GridAppliance.Guard;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Switches.Fleet;
using GridAppliance.Switches.Snmp;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace GridAppliance.Switches;

static class SwitchFeature
{
    /// <summary>The switches that are looked after, and what follows from them: who is where, and whether it is as it should be.</summary>
    public static void AddSwitches(this IServiceCollection services)
    {
        services.TryAddSingleton<SnmpSocket>();
        services.AddSecrets();
        services.AddSingleton<SwitchFamily>();
        services.AddSingleton<ISwitchJournal, SwitchJournal>();
        services.AddSingleton<SwitchStore>();
        services.AddSingleton<PortPinStore>();
        services.AddSingleton<PortPins>();
        services.AddSingleton<UplinkRecogniser>();
        services.AddSingleton<SwitchIntents>();
        services.AddSingleton<DriftReconciler>();
        services.AddSingleton<IsolationProbes>();
        services.AddSingleton<FabricVerification>();
        services.AddSingleton<GuardReport>();
        services.AddSingleton(static provider => new SwitchSurroundings(
            provider.GetRequiredService<ISwitchJournal>(), provider.GetRequiredService<SwitchStore>(), provider.GetRequiredService<Timeline>(), provider.GetRequiredService<SwitchIntents>(),
            new(provider.GetRequiredService<ApplianceKey>().Fingerprint[..SwitchMark.IdLength], provider.GetRequiredService<ApplianceOptions>().Name),
            provider.GetRequiredService<UplinkRecogniser>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILoggerFactory>()));
        services.AddSingleton<SwitchFleet>();
        services.AddHostedService(static provider => provider.GetRequiredService<SwitchFleet>());
        services.AddSingleton<VlanChanges>();
        services.AddSingleton<CablingStore>();
        services.AddSingleton<FabricState>();
        services.AddSingleton<FabricPokes>();
        services.AddSingleton<NodeLocator>();
        services.AddHostedService<FabricWatcher>();
        services.AddSingleton<TrapListener>();
        services.AddHostedService(static provider => provider.GetRequiredService<TrapListener>());
    }
}
