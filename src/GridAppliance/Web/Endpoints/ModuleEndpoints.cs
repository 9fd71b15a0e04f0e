using GridAppliance.Api.Modules;
using GridAppliance.Modules;
using GridAppliance.Nodes;
using GridAppliance.Web.Security;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace GridAppliance.Web.Endpoints;

static class ModuleEndpoints
{
    public static void MapModules(this IEndpointRouteBuilder api)
    {
        var modules = api.MapGroup("/modules").WithTags("modules");
        modules.MapGet("/", (ModuleCatalog catalog) => TypedResults.Ok(catalog.List())).WithName("listModules").WithSummary("The catalogue, by name, the newest import first.");
        modules.MapPost("/", Import).WithName("importModule").WithSummary("Take a signed package into the catalogue; the body is the package.")
            .WithMetadata(new RequestSizeLimitAttribute(ModuleCatalog.LargestPackage)).Accepts<Stream>("application/octet-stream");
        modules.MapGet("/{name}", One).WithName("getModule").WithSummary("One module with its manifest: its newest import, or NAME@VERSION.");
        api.MapGet("/nodes/{name}/modules/{module}/changes", Changes).WithTags("modules").WithName("getModuleChanges").WithSummary("What a module has changed on a node, as its agent told last.");
        modules.MapGet("/{name}/changes", ChangesOfRange).WithName("listModuleChanges").WithSummary("The same of the nodes of ?range= (all without it), of those that have told of the module.");
        modules.MapPost("/install", Install).WithName("installModule").WithSummary("Install a module on the nodes of a range: one operation per node.");
        modules.MapPost("/remove", Remove).WithName("removeModule").WithSummary("Remove a module from the nodes of a range: one operation per node.");
    }

    static Results<Ok<ModuleDocument>, ProblemHttpResult> One(string name, ModuleCatalog catalog) =>
        catalog.Find(name) is { } module ? TypedResults.Ok(module with { Manifest = catalog.ManifestOf(module) })
        : Problems.Answer(StatusCodes.Status404NotFound, $"there is no module {Problems.Short(name)} in the catalogue", "see what there is: gridctl module list");

    static Results<Ok<ModuleChangesDocument>, ProblemHttpResult> Changes(string name, string module, NodeDirectory directory, ModuleMirror mirror) =>
        directory.Current.Find(name) is not { } node ? Problems.NoSuchNode(name)
        : mirror.Find(node, module) is { } changes ? TypedResults.Ok(changes)
        : Problems.Answer(StatusCodes.Status404NotFound, $"{node.Name} has no module {Problems.Short(module)}", $"see what it has: gridctl node show {node.Name}");

    static Results<Ok<IReadOnlyList<ModuleChangesDocument>>, ProblemHttpResult> ChangesOfRange(string name, string? range, NodeDirectory directory, ModuleMirror mirror)
    {
        if (!RangeSelection.TryRead(range ?? "all", directory, out var selection, out var problem)) return problem;
        if (selection.Missing is [var missing, ..]) return Problems.NoSuchNode(missing);
        IReadOnlyList<ModuleChangesDocument> changes = [.. selection.Nodes.Select(node => mirror.Find(node, name)).OfType<ModuleChangesDocument>()];
        return changes.Count > 0 ? TypedResults.Ok(changes)
            : selection.Nodes is [var one] ? Problems.Answer(StatusCodes.Status404NotFound, $"{one.Name} has no module {Problems.Short(name)}", $"see what it has: gridctl node show {one.Name}")
            : Problems.Answer(StatusCodes.Status404NotFound, $"none of these {selection.Nodes.Count} nodes has a module {Problems.Short(name)}", "see what there is: gridctl module list");
    }

    static async Task<Results<Ok<ModuleDocument>, Created<ModuleDocument>, ProblemHttpResult>> Import(
        HttpContext context, ModuleCatalog catalog, ModuleUploads uploads, CancellationToken cancellation)
    {
        await uploads.Turn.WaitAsync(cancellation);
        try
        {
            return await catalog.ImportAsync(context.Request.Body, Caller.Of(context).Actor, cancellation) switch
            {
                ModuleImport.Accepted { IsNew: true } accepted => TypedResults.Created((string?)null, accepted.Module),
                ModuleImport.Accepted accepted => TypedResults.Ok(accepted.Module),
                ModuleImport.Refused refused => Problems.Answer(StatusCodes.Status422UnprocessableEntity, refused.Reason, "check the package, and that the key that signed it is trusted here"),
                var other => throw new InvalidOperationException($"an import of no known kind: {other}"),
            };
        }
        finally
        {
            uploads.Turn.Release();
        }
    }

    static Task<Results<Ok<ChangeDocument>, ProblemHttpResult>> Install(
        ModuleChangeRequest request, HttpContext context, NodeDirectory directory, ModuleChanges changes, CancellationToken cancellation) =>
        RangeSelection.ChangeAsync(request.Range, directory, nodes => changes.InstallAsync(nodes, request.Module, request.DryRun, Caller.Of(context).Actor, cancellation,
            new(request.Owner, request.RefuseUpgrade, request.OnlyUpgrade, request.Parameters)));

    static Task<Results<Ok<ChangeDocument>, ProblemHttpResult>> Remove(
        ModuleChangeRequest request, HttpContext context, NodeDirectory directory, ModuleChanges changes, CancellationToken cancellation) =>
        RangeSelection.ChangeAsync(request.Range, directory, nodes => changes.RemoveAsync(nodes, request.Module, request.DryRun, Caller.Of(context).Actor, cancellation, request.Owner));
}

/// <summary>A package lies on the disk until it has been checked: one upload at a time, the others wait.</summary>
sealed class ModuleUploads
{
    public SemaphoreSlim Turn { get; } = new(1, 1);
}
