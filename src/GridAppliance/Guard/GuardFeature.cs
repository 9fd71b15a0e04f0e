using System.Diagnostics.Metrics;
using GridAppliance.Hosting;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace GridAppliance.Guard;

static class GuardFeature
{
    /// <summary>What keeps nodes from speaking in others' names. Before the boot services: nothing is served to a stranger for a moment first.</summary>
    public static void AddGuard(this IServiceCollection services)
    {
        services.TryAddSingleton<GuardReport>();
        services.AddHostedService<SourceGuard>();
    }

    /// <summary>What the guard drops, read when somebody asks.</summary>
    /// <returns>Dispose it to have it forgotten.</returns>
    public static Meter Observe(GuardReport report)
    {
        var meter = new Meter(Telemetry.Name);
        static KeyValuePair<string, object?> Of(NetworkGuard network) => new("network", network.Network);
        meter.CreateObservableCounter("gridappliance.guard.dropped", () => report.Current.Networks.Select(n => new Measurement<long>((long)n.Dropped, Of(n))), "{frame}", "Frames with a forged source that the kernel dropped, by network");
        meter.CreateObservableGauge("gridappliance.guard.assigned", () => report.Current.Networks.Select(n => new Measurement<int>(n.Assigned, Of(n))), "{nic}", "NICs that may speak from their addresses, by network");
        meter.CreateObservableGauge("gridappliance.guard.up", () => report.Current.Networks.Select(n => new Measurement<int>(n.Trouble is null ? 1 : 0, Of(n))), "{network}", "Whether a network's guard is in force");
        return meter;
    }
}
