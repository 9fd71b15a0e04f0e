namespace GridAppliance.Operations;

static class OperationsFeature
{
    /// <summary>The journal and the runner. Every kind of operation is one line here.</summary>
    public static void AddOperations(this IServiceCollection services)
    {
        services.AddSingleton<IOperationKind, EnrollNode>();
        services.AddSingleton<IOperationKind, InstallModule>();
        services.AddSingleton<IOperationKind, RemoveModule>();
        services.AddSingleton<IOperationKind, HoldResources>();
        services.AddSingleton<IOperationKind, FreeResources>();
        services.AddSingleton<IOperationKind, SetMaster>();
        services.AddSingleton<IOperationKind, UpdateAgent>();
        services.AddSingleton<IOperationKind, BootImage>();

        services.AddSingleton<ModuleOrders>();
        services.AddSingleton<ImageSteps>();
        services.AddSingleton<OperationJournal>();
        services.AddSingleton<OperationRegistry>();
        services.AddSingleton<OperationPokes>();
        services.AddSingleton<OperationRunner>();
        services.AddHostedService(static provider => provider.GetRequiredService<OperationRunner>());
    }
}
