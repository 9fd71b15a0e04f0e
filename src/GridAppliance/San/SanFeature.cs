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
        services.AddSingleton<TimedAccess>();
        services.AddHostedService(static provider => provider.GetRequiredService<TimedAccess>());
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
