namespace GridAppliance.Modules;

static class ModulesFeature
{
    /// <summary>Packages that agents install.</summary>
    public static void AddModules(this IServiceCollection services) => services.AddSingleton<ModuleFiles>();
}
