using GridAppliance.Consoles.Scripts;

namespace GridAppliance.Consoles;

static class ConsolesFeature
{
    /// <summary>Every node's console: recorded, watched, shared.</summary>
    public static void AddConsoles(this IServiceCollection services)
    {
        services.AddSingleton<ConsoleFamily>();
        services.AddSingleton<ConsoleScripts>();
        services.AddSingleton<ConsoleDirectory>();
        services.AddHostedService(provider => provider.GetRequiredService<ConsoleDirectory>());
        services.AddSingleton<ConsoleReconciler>();
        services.AddHostedService(provider => provider.GetRequiredService<ConsoleReconciler>());
    }
}
