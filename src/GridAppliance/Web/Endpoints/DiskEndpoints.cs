using GridAppliance.Api.Disks;
using GridAppliance.Api.Modules;
using GridAppliance.Disks;
using GridAppliance.Nodes;
using GridAppliance.Web.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GridAppliance.Web.Endpoints;

/// <summary>Systems on nodes' disks.</summary>
static class DiskEndpoints
{
    public static void MapDisks(this IEndpointRouteBuilder api)
    {
        api.MapPost("/nodes/install", Install).WithTags("nodes").WithName("installNodes").WithSummary("Write a system to a disk of each idle node of a range, and have them boot from there.");
        api.MapPost("/nodes/release", Release).WithTags("nodes").WithName("releaseNodes").WithSummary("Wipe what was written to disks of the nodes of a range, read that back, and make the nodes idle again.");
    }

    static Task<Results<Ok<ChangeDocument>, ProblemHttpResult>> Install(NodeInstallRequest request, HttpContext context, NodeDirectory directory, InstallRequests requests, CancellationToken cancellation) =>
        RangeSelection.ChangeAsync(request.Range, directory, nodes => requests.InstallAsync(nodes, request, Caller.Of(context).Actor, cancellation));

    static Task<Results<Ok<ChangeDocument>, ProblemHttpResult>> Release(NodeReleaseRequest request, HttpContext context, NodeDirectory directory, InstallRequests requests, CancellationToken cancellation) =>
        RangeSelection.ChangeAsync(request.Range, directory, nodes => requests.ReleaseAsync(nodes, request, Caller.Of(context).Actor, cancellation));
}
