using GridAppliance.Api.Modules;
using GridAppliance.Api.Resources;
using GridAppliance.Nodes;
using GridAppliance.Resources;
using GridAppliance.Web.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GridAppliance.Web.Endpoints;

/// <summary>The nodes' managers themselves: who is whose master, and which version of the agent runs.</summary>
static class ManagerEndpoints
{
    public static void MapManagers(this IEndpointRouteBuilder api)
    {
        api.MapPost("/nodes/master", SetMaster).WithTags("nodes").WithName("setMaster").WithSummary("Make a node's manager the master of those of a range, or of nobody; done when both sides have confirmed it.");
        api.MapPost("/nodes/image", BootImage).WithTags("nodes").WithName("bootImage").WithSummary("Boot the nodes of a range into another image: tiny or debian. By kexec, and through the firmware where that fails.");
        api.MapPost("/agents/update", Update).WithTags("agents").WithName("updateAgents").WithSummary("Replace the agents of a range by another version; each goes back by itself when the new one does not report.");
    }

    static Task<Results<Ok<ChangeDocument>, ProblemHttpResult>> SetMaster(MasterRequest request, HttpContext context, NodeDirectory directory, ManagerRequests requests, CancellationToken cancellation) =>
        RangeSelection.ChangeAsync(request.Range, directory, nodes => requests.SetMasterAsync(nodes, request.Master, request.DryRun, Caller.Of(context).Actor, cancellation));

    static Task<Results<Ok<ChangeDocument>, ProblemHttpResult>> BootImage(ImageRequest request, HttpContext context, NodeDirectory directory, ManagerRequests requests, CancellationToken cancellation) =>
        RangeSelection.ChangeAsync(request.Range, directory, nodes => requests.BootImageAsync(nodes, request.Image, request.DryRun, Caller.Of(context).Actor, cancellation));

    static Task<Results<Ok<ChangeDocument>, ProblemHttpResult>> Update(AgentUpdateRequest request, HttpContext context, NodeDirectory directory, ManagerRequests requests, CancellationToken cancellation) =>
        RangeSelection.ChangeAsync(request.Range, directory, nodes => requests.UpdateAgentsAsync(nodes, request.Version, request.DryRun, Caller.Of(context).Actor, cancellation));
}
