using GridAppliance.Api.Grids;
using GridAppliance.Api.Modules;
using GridAppliance.Establish;
using GridAppliance.Grids;
using GridAppliance.Nodes;
using GridAppliance.Web.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GridAppliance.Web.Endpoints;

static class GridEndpoints
{
    public static void MapGrids(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("/grids").WithTags("grids");
        group.MapGet("", (GridDirectory grids, GridWork work) => (IReadOnlyList<GridDocument>)[.. grids.All.Select(work.Describe)]).WithName("listGrids").WithSummary("Every grid, as the appliance has it and as its engine was last seen; nobody is asked.");
        group.MapPost("", Create).WithName("createGrid").WithSummary("Make a grid of idle nodes: one durable operation each.");
        group.MapGet("/{name}", Show).WithName("getGrid").WithSummary("One grid: members, load and work, as its master says.");
        group.MapPost("/{name}/add", Add).WithName("addToGrid").WithSummary("Give idle nodes to a grid as workers.");
        group.MapPost("/{name}/drain", (string name, GridChangeRequest request, HttpContext context, GridDirectory grids, NodeDirectory directory, GridRequests requests, CancellationToken cancellation) =>
            Drain(name, request, false, context, grids, directory, requests, cancellation)).WithName("drainGrid").WithSummary("No new work for workers of a grid.");
        group.MapPost("/{name}/resume", (string name, GridChangeRequest request, HttpContext context, GridDirectory grids, NodeDirectory directory, GridRequests requests, CancellationToken cancellation) =>
            Drain(name, request, true, context, grids, directory, requests, cancellation)).WithName("resumeGrid").WithSummary("Work again for workers that were drained.");
        group.MapPost("/{name}/remove", Remove).WithName("removeFromGrid").WithSummary("Take workers out of a grid; they are idle again.");
        group.MapPost("/{name}/delete", Delete).WithName("deleteGrid").WithSummary("Dissolve a grid; its nodes are idle again.");
        group.MapPost("/{name}/requests", Request).WithName("requestOfGrid").WithSummary("Hand a request to a grid's master: run, submit, output.");
        group.MapPost("/{name}/pass", Pass).WithName("passForGrid").WithSummary("What a program shows to a grid's engine to ask it itself.");
    }

    static async Task<Results<Ok<ChangeDocument>, ProblemHttpResult>> Create(GridRequest request, HttpContext context, NodeDirectory directory, GridRequests requests, ApplianceMachine own, CancellationToken cancellation)
    {
        if (!own.TryName(request.Masters, out var named, out var unnamed)) return Problems.Answer(StatusCodes.Status409Conflict, unnamed);
        if (!RangeSelection.TryRead(named, directory, out var masters, out var problem) || !RangeSelection.TryRead(request.Workers, directory, out var workers, out problem)) return problem;
        if (masters.Missing.Concat(workers.Missing).FirstOrDefault() is { } missing) return Problems.NoSuchNode(missing);
        if (requests.Defect(request, masters.Nodes, workers.Nodes) is { } defect) return Problems.Answer(StatusCodes.Status409Conflict, defect);
        return TypedResults.Ok(await requests.CreateAsync(request, masters.Nodes, workers.Nodes, Caller.Of(context).Actor, cancellation));
    }

    static async Task<Results<Ok<GridDocument>, ProblemHttpResult>> Show(string name, GridDirectory grids, GridWork work, CancellationToken cancellation) =>
        grids.Find(name) is { } grid ? TypedResults.Ok(await work.ShowAsync(grid, cancellation)) : NoSuchGrid(name);

    static Task<Results<Ok<ChangeDocument>, ProblemHttpResult>> Add(string name, GridChangeRequest request, HttpContext context, GridDirectory grids, NodeDirectory directory, GridRequests requests, CancellationToken cancellation) =>
        On(name, request, grids, directory, (grid, nodes) => requests.AddAsync(grid, nodes, request.DryRun, Caller.Of(context).Actor, cancellation));

    static Task<Results<Ok<ChangeDocument>, ProblemHttpResult>> Drain(
        string name, GridChangeRequest request, bool resume, HttpContext context, GridDirectory grids, NodeDirectory directory, GridRequests requests, CancellationToken cancellation) =>
        On(name, request, grids, directory, (grid, nodes) => requests.DrainAsync(grid, nodes, resume, request.DryRun, Caller.Of(context).Actor, cancellation));

    static Task<Results<Ok<ChangeDocument>, ProblemHttpResult>> Remove(string name, GridChangeRequest request, HttpContext context, GridDirectory grids, NodeDirectory directory, GridRequests requests, CancellationToken cancellation) =>
        On(name, request, grids, directory, (grid, nodes) => requests.LeaveAsync(grid, nodes, request, Caller.Of(context).Actor, cancellation));

    static async Task<Results<Ok<ChangeDocument>, ProblemHttpResult>> Delete(string name, GridChangeRequest request, HttpContext context, GridDirectory grids, GridRequests requests, CancellationToken cancellation) =>
        grids.Find(name) is { } grid ? TypedResults.Ok(await requests.LeaveAsync(grid, null, request, Caller.Of(context).Actor, cancellation)) : NoSuchGrid(name);

    static async Task<Results<Ok<GridWorkDocument>, ProblemHttpResult>> Request(string name, GridWorkRequest request, GridDirectory grids, GridWork work, CancellationToken cancellation)
    {
        if (grids.Find(name) is not { } grid) return NoSuchGrid(name);
        var (answer, defect) = await work.RequestAsync(grid, request, cancellation);
        return answer is null ? Problems.Answer(StatusCodes.Status409Conflict, defect!) : TypedResults.Ok(answer);
    }

    static async Task<Results<Ok<GridPassDocument>, ProblemHttpResult>> Pass(string name, GridPassRequest request, HttpContext context, GridDirectory grids, GridPasses passes, CancellationToken cancellation)
    {
        if (grids.Find(name) is not { } grid) return NoSuchGrid(name);
        var (pass, defect) = await passes.IssueAsync(grid, request.Seconds, Caller.Of(context).Actor, cancellation);
        return pass is null ? Problems.Answer(StatusCodes.Status409Conflict, defect!) : TypedResults.Ok(pass);
    }

    static async Task<Results<Ok<ChangeDocument>, ProblemHttpResult>> On(string name, GridChangeRequest request, GridDirectory grids, NodeDirectory directory, Func<Grid, IReadOnlyList<Node>, Task<ChangeDocument>> change) =>
        grids.Find(name) is { } grid ? await RangeSelection.ChangeAsync(request.Range, directory, nodes => change(grid, nodes)) : NoSuchGrid(name);

    static ProblemHttpResult NoSuchGrid(string name) => Problems.Answer(StatusCodes.Status404NotFound, $"there is no grid {Problems.Short(name)}", "see `gridctl grid list`");
}
