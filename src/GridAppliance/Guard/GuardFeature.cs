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
}
