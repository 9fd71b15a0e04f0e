using GridAppliance.Agents;
using GridAppliance.Operations;

namespace GridAppliance.Grids;

static class GridsFeature
{
    /// <summary>Pools of nodes that take requests from outside. Every engine is one line here.</summary>
    public static void AddGrids(this IServiceCollection services)
    {
        services.AddSingleton<IGridEngine, SlurmEngine>();

        services.AddSingleton<GridEngines>();
        services.AddSingleton<GridDirectory>();
        services.AddSingleton<GridSecrets>();
        services.AddSingleton<ISecretSource>(static provider => provider.GetRequiredService<GridSecrets>());
        services.AddSingleton<GridCalls>();
        services.AddSingleton<GridTelling>();
        services.AddSingleton<GridRequests>();
        services.AddSingleton<GridPasses>();
        services.AddSingleton<GridSightings>();
        services.AddSingleton<GridWork>();
        services.AddSingleton<GridSuccession>();
        services.AddSingleton<GridReturns>();
        services.AddSingleton<GridWatch>();
        services.AddHostedService(static provider => provider.GetRequiredService<GridWatch>());
        services.AddSingleton<IOperationKind, JoinGrid>();
        services.AddSingleton<IOperationKind, LeaveGrid>();
    }
}
