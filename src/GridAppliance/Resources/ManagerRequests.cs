using GridAppliance.Api.Modules;
using GridAppliance.Modules;
using GridAppliance.Nodes;
using GridAppliance.Operations;

namespace GridAppliance.Resources;

/// <summary>What a person wants of the managers themselves: each node gets an operation of its own, or says why not. A dry run asks the same questions and starts nothing.</summary>
sealed class ManagerRequests(NodeDirectory nodes, OperationRunner operations, ModuleCatalog catalog, ImageSteps images)
{
    public Task<ChangeDocument> SetMasterAsync(IReadOnlyList<Node> range, string? master, bool dryRun, string actor, CancellationToken cancellationToken)
    {
        var wanted = master is null ? null : nodes.Current.Find(master);
        return NodeSubmissions.SubmitAsync(operations, range, node => master is not null && wanted is null
            ? (null, $"there is no node {master}")
            : SetMaster.Refusal(nodes.Current, node, wanted?.Id) is { } refusal ? (null, refusal)
            : (SetMaster.For(node, wanted, actor), wanted is null ? $"{node.Name} will have no master" : $"{wanted.Name} will be {node.Name}'s master"), dryRun, cancellationToken);
    }

    public Task<ChangeDocument> BootImageAsync(IReadOnlyList<Node> range, string image, bool dryRun, string actor, CancellationToken cancellationToken) => NodeSubmissions.SubmitAsync(operations, range, node =>
        images.Refusal(node, image) is { } refusal ? (null, refusal)
        : node.Image == image ? (null, $"{node.Name} runs the {image} image already")
        : (BootImage.For(node, image, actor), $"{node.Name} will boot the {image} image, without going through its firmware where that can be"), dryRun, cancellationToken);

    /// <param name="range">Where.</param>
    /// <param name="version">Null for the newest import.</param>
    /// <param name="dryRun">Only say what would be done.</param>
    /// <param name="actor">Who.</param>
    /// <param name="cancellationToken">Ends the starting; what is started goes on.</param>
    public Task<ChangeDocument> UpdateAgentsAsync(IReadOnlyList<Node> range, string? version, bool dryRun, string actor, CancellationToken cancellationToken)
    {
        var package = catalog.Find(version is null ? ModuleManifest.Agent : $"{ModuleManifest.Agent}@{version}");
        return NodeSubmissions.SubmitAsync(operations, range, node => package is null
            ? (null, $"there is no {ModuleManifest.Agent} {version} in the catalogue: import one with gridctl module import".Replace("  ", " ", StringComparison.Ordinal))
            : InstallModule.NoAgent(node) is { } obstacle ? (null, obstacle)
            : node.AgentVersion == package.Version ? (null, $"{node.Name} runs agent {package.Version} already")
            : (UpdateAgent.For(node, package, actor), $"agent {node.AgentVersion} will be replaced by {package.Version}"), dryRun, cancellationToken);
    }
}
