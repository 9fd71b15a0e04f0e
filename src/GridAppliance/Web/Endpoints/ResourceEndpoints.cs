using GridAppliance.Api.Modules;
using GridAppliance.Api.NodeRanges;
using GridAppliance.Api.Resources;
using GridAppliance.Nodes;
using GridAppliance.Resources;
using GridAppliance.Web.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GridAppliance.Web.Endpoints;

static class ResourceEndpoints
{
    static readonly TimeSpan LongestIdle = TimeSpan.FromDays(366);

    public static void MapResources(this IEndpointRouteBuilder api)
    {
        var resources = api.MapGroup("/resources").WithTags("resources");
        resources.MapGet("/", List).WithName("listResources").WithSummary("What is free where, and who holds what, of every node or those of ?range=.");
        resources.MapPost("/reserve", (HoldRequest request, HttpContext context, NodeDirectory directory, ResourceRequests requests, CancellationToken cancellation) =>
            Hold(request, allocate: false, context, directory, requests, cancellation)).WithName("reserveResources").WithSummary("Keep resources of the nodes of a range for an owner: one operation per node.");
        resources.MapPost("/allocate", (HoldRequest request, HttpContext context, NodeDirectory directory, ResourceRequests requests, CancellationToken cancellation) =>
            Hold(request, allocate: true, context, directory, requests, cancellation)).WithName("allocateResources")
            .WithSummary("Give resources to an owner, limits in force and modules running: one operation per node, done when it is ready to use.");
        resources.MapPost("/free", Free).WithName("freeResources").WithSummary("Take back what an owner holds: one operation per node.");
        resources.MapGet("/idle", (ModuleUses uses) => TypedResults.Ok(Policies(uses))).WithName("listIdlePolicies").WithSummary("How long modules stay that nobody asks for.");
        resources.MapPut("/idle", SetIdle).WithName("setIdlePolicy").WithSummary("How long a module, or those of a class, may stay when nobody asks for it.");
    }

    static Results<Ok<IReadOnlyList<NodeResourcesDocument>>, ProblemHttpResult> List(string? range, NodeDirectory directory, ResourceRequests requests)
    {
        if (range is null) return TypedResults.Ok<IReadOnlyList<NodeResourcesDocument>>([.. directory.Current.Nodes.OrderBy(node => node.Name, NodeNameOrder.Instance).Select(requests.Describe)]);
        return RangeSelection.TryRead(range, directory, out var selection, out var problem)
            ? TypedResults.Ok<IReadOnlyList<NodeResourcesDocument>>([.. selection.Nodes.Select(requests.Describe)])
            : problem;
    }

    static async Task<Results<Ok<ChangeDocument>, ProblemHttpResult>> Hold(
        HoldRequest request, bool allocate, HttpContext context, NodeDirectory directory, ResourceRequests requests, CancellationToken cancellation)
    {
        if (requests.Defect(request, allocate) is { } defect) return Problems.Answer(StatusCodes.Status422UnprocessableEntity, defect);
        return await RangeSelection.ChangeAsync(request.Range, directory, nodes => requests.HoldAsync(nodes, request, allocate, Caller.Of(context).Actor, cancellation));
    }

    static async Task<Results<Ok<ChangeDocument>, ProblemHttpResult>> Free(FreeRequest request, HttpContext context, NodeDirectory directory, ResourceRequests requests, CancellationToken cancellation)
    {
        if (request is { Owner: null, Holding: null }) return Problems.Answer(StatusCodes.Status422UnprocessableEntity, "say whose, or which holding");
        return await RangeSelection.ChangeAsync(request.Range, directory, nodes => requests.FreeAsync(nodes, request, Caller.Of(context).Actor, cancellation));
    }

    static async Task<Results<Ok<IReadOnlyList<IdlePolicyDocument>>, ProblemHttpResult>> SetIdle(IdlePolicyDocument policy, ModuleUses uses, CancellationToken cancellation)
    {
        if (!ModuleManifest.IsName(policy.Module)) return Problems.Answer(StatusCodes.Status422UnprocessableEntity, "a module or a class is named by letters, digits and dashes");
        if (policy.Seconds is <= 0 || policy.Seconds > LongestIdle.TotalSeconds) return Problems.Answer(StatusCodes.Status422UnprocessableEntity, "an idle time-out is between a second and a year");
        await uses.SetPolicyAsync(policy.Module, policy.Seconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null, cancellation);
        return TypedResults.Ok(Policies(uses));
    }

    static IReadOnlyList<IdlePolicyDocument> Policies(ModuleUses uses) => [.. uses.Policies.Select(policy => new IdlePolicyDocument { Module = policy.Module, Seconds = (long)policy.Timeout.TotalSeconds })];
}
