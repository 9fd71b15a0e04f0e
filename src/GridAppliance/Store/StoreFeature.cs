using GridAppliance.Hosting;
using GridAppliance.Nodes;

namespace GridAppliance.Store;

static class StoreFeature
{
    /// <summary>The database, and what lives on it: nodes and their timeline.</summary>
    public static void AddStore(this IServiceCollection services)
    {
        services.AddSingleton(provider => Database.Open(Path.Combine(provider.GetRequiredService<ApplianceOptions>().DataDir, "gridappliance.db"), Schema.All));
        services.AddSingleton<Timeline>();
        services.AddSingleton<NodeDirectory>();
    }
}
