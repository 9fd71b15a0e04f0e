using GridAppliance.Api.Modules;
using GridAppliance.Nodes;
using GridAppliance.Operations;

namespace GridAppliance.Modules;

/// <summary>What a person wants of modules on nodes: each node gets an operation of its own, or says why not. A dry run asks the same questions and starts nothing.</summary>
sealed class ModuleChanges(ModuleCatalog catalog, OperationRunner operations)
{
    /// <param name="nodes">Where.</param>
    /// <param name="wanted"><c>hello</c> or <c>hello@1.0</c>.</param>
    /// <param name="dryRun">Only say what would be done.</param>
    /// <param name="actor">Who.</param>
    /// <param name="cancellationToken">Ends the starting; what is started goes on.</param>
    /// <param name="terms">For whom, and with what values.</param>
    public Task<ChangeDocument> InstallAsync(IReadOnlyList<Node> nodes, string wanted, bool dryRun, string actor, CancellationToken cancellationToken, ModuleTerms? terms = null)
    {
        var module = catalog.Find(wanted);
        return NodeSubmissions.SubmitAsync(operations, nodes, node => module is null
            ? (null, $"there is no module {wanted} in the catalogue")
            : InstallModule.Refusal(catalog, node, module, terms) is { } refusal ? (null, refusal) : (InstallModule.For(catalog, node, module, actor, terms), Say(node, module)), dryRun, cancellationToken);
    }

    public Task<ChangeDocument> RemoveAsync(IReadOnlyList<Node> nodes, string name, bool dryRun, string actor, CancellationToken cancellationToken, string? owner = null) =>
        NodeSubmissions.SubmitAsync(operations, nodes, node => RemoveModule.Refusal(node, name) is { } refusal ? (null, refusal) : (RemoveModule.For(catalog, node, name, actor, owner), $"{name} will be removed"), dryRun, cancellationToken);

    static string Say(Node node, ModuleDocument module) => node.Modules.FirstOrDefault(installed => installed.Name == module.Name) switch
    {
        null => $"{module.Name} {module.Version} will be installed",
        { } same when same.Version == module.Version => $"{module.Name} {module.Version} is installed, and will be used as it is",
        { } other => $"{module.Name} {other.Version} will be upgraded to {module.Version}",
    };
}
