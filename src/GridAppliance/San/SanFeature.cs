using System.Diagnostics.Metrics;
using GridAppliance.Boot;
using GridAppliance.Hosting;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace GridAppliance.San;

static class SanFeature
{
    /// <summary>The storage fabrics, and who reaches what on them.</summary>
    public static void AddSan(this IServiceCollection services)
    {
        services.AddSecrets();
        services.AddSingleton<SanFabrics>();
        services.TryAddSingleton<SanBootState>();
        services.AddSingleton<SanBoots>();
        // Made, with everything that is hosted, before anything starts: no machine is to get another script in the moment before it is known.
        services.AddHostedService(static provider => new Awake(provider.GetRequiredService<SanBoots>()));
        services.AddSingleton<SanWatcher>();
        services.AddHostedService(static provider => provider.GetRequiredService<SanWatcher>());
        services.AddSingleton<TimedAccess>();
        services.AddHostedService(static provider => provider.GetRequiredService<TimedAccess>());
        services.AddSingleton<SanDocuments>();
    }

    /// <summary>What is known of storage fabrics, read when somebody asks.</summary>
    /// <returns>Dispose it to have it forgotten.</returns>
    public static Meter Observe(SanWatcher watcher)
    {
        var meter = new Meter(Telemetry.Name);
        static KeyValuePair<string, object?> Of(string fabric) => new("fabric", fabric);
        meter.CreateObservableGauge("gridappliance.san.up", () => watcher.Current.Select(s => new Measurement<int>(s.Value.Trouble is null ? 1 : 0, Of(s.Key))), "{fabric}", "Whether a storage fabric could be read");
        meter.CreateObservableGauge("gridappliance.san.zones", () => watcher.Current.Select(s => new Measurement<int>(s.Value.Zones.Count, Of(s.Key))), "{zone}", "Zones of ours in force, by storage fabric");
        return meter;
    }

    /// <summary>Has something made at the start.</summary>
    sealed class Awake(SanBoots boots) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken)
        {
            GC.KeepAlive(boots);
            return Task.CompletedTask;
        }
    }
}
