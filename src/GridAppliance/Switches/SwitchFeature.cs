using GridAppliance.Fabric;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Switches.Fleet;
using GridAppliance.Switches.Snmp;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace GridAppliance.Switches;

static class SwitchFeature
{
    /// <summary>The switches that are looked after. What follows from them is <see cref="FabricFeature.AddFabric"/>.</summary>
    public static void AddSwitches(this IServiceCollection services)
    {
        services.TryAddSingleton<SnmpSocket>();
        services.AddSecrets();
        services.AddSingleton<SwitchFamily>();
        services.AddSingleton<ISwitchJournal, SwitchJournal>();
        services.AddSingleton<SwitchStore>();
        services.AddSingleton<SwitchIntents>();
        services.AddSingleton(static provider => new SwitchSurroundings(
            provider.GetRequiredService<ISwitchJournal>(), provider.GetRequiredService<SwitchStore>(), provider.GetRequiredService<Timeline>(), provider.GetRequiredService<SwitchIntents>(),
            new(provider.GetRequiredService<ApplianceKey>().Fingerprint[..SwitchMark.IdLength], provider.GetRequiredService<ApplianceOptions>().Name),
            provider.GetRequiredService<UplinkRecogniser>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILoggerFactory>()));
        services.AddSingleton<SwitchFleet>();
        services.AddHostedService(static provider => provider.GetRequiredService<SwitchFleet>());
        services.AddSingleton<VlanChanges>();
    }
}
