namespace GridAppliance.Modules;

static class ModulesFeature
{
    /// <summary>The catalogue of packages that agents install, and what people do with it.</summary>
    public static void AddModules(this IServiceCollection services)
    {
        services.AddSingleton<ModuleFiles>();
        services.AddSingleton<TrustedKeys>();
        services.AddSingleton<ModuleCatalog>();
        services.AddSingleton<ModuleChanges>();
        services.AddSingleton<ModuleMirror>();
        services.AddHostedService(provider => ActivatorUtilities.CreateInstance<ShippedModules>(provider, ShippedModules.Beside));
    }
}
