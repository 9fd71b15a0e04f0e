using GridAppliance.Api.Modules;
using GridAppliance.Api.Resources;
using GridAppliance.Modules;

namespace GridAppliance.Resources;

/// <summary>What modules of the catalogue provide: named resources, by their manifests.</summary>
sealed class ModuleOffers(ModuleCatalog catalog)
{
    static readonly IReadOnlyDictionary<string, int> Nothing = new Dictionary<string, int>();

    public ModuleCatalog Catalog => catalog;

    /// <summary>The module that is meant by a module's name, its class, or something that it provides; the newest import where several are.</summary>
    public ModuleDocument? Find(string wanted) => catalog.Find(wanted)
        ?? catalog.List().FirstOrDefault(module => module.Class == wanted)
        ?? catalog.List().FirstOrDefault(module => Of(module).ContainsKey(wanted));

    public ModuleDocument? ProviderOf(string resource) => catalog.List().FirstOrDefault(module => Of(module).ContainsKey(resource));

    /// <summary>Units of a named resource that a node has once its provider runs there.</summary>
    public int UnitsOf(string resource) => ProviderOf(resource) is { } module ? Of(module)[resource] : 0;

    public ResourceAmounts ProvidedBy(string name, string version) => new() { Named = catalog.Find(name, version) is { } module ? Of(module) : Nothing };

    IReadOnlyDictionary<string, int> Of(ModuleDocument module) => catalog.ManifestOf(module)?.Provides ?? Nothing;
}
