using GridAppliance.Api.Operations;
using GridAppliance.Nodes;
using GridAppliance.Operations;
using GridAppliance.Web.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GridAppliance.Web.Endpoints;

static class OperationEndpoints
{
    const int DefaultLimit = 100;
    const int LargestLimit = 1000;

    public static void MapOperations(this IEndpointRouteBuilder api)
    {
        var operations = api.MapGroup("/operations").WithTags("operations");
        operations.MapGet("/", List).WithName("listOperations").WithSummary("Operations, the newest first; of one node with ?node=.");
        operations.MapGet("/{id}", Get).WithName("getOperation").WithSummary("One operation, step by step.");
        operations.MapPost("/{id}/cancel", Cancel).WithName("cancelOperation").WithSummary("Stop an operation and take back what it did.");
    }

    static Results<Ok<IReadOnlyList<OperationDocument>>, ProblemHttpResult> List(string? node, int? limit, OperationRunner runner, NodeDirectory directory)
    {
        if (limit is <= 0 or > LargestLimit) return Problems.Answer(StatusCodes.Status400BadRequest, $"limit is between 1 and {LargestLimit}");
        if (node is null) return TypedResults.Ok(runner.List(null, limit ?? DefaultLimit));
        return directory.Current.Find(node) is { } found ? TypedResults.Ok(runner.List(found.Id, limit ?? DefaultLimit)) : Problems.NoSuchNode(node);
    }

    static Results<Ok<OperationDocument>, ProblemHttpResult> Get(string id, OperationRunner runner) => Find(id, runner) is { } found ? TypedResults.Ok(found) : NoSuchOperation(id);

    static async Task<Results<Ok<OperationDocument>, ProblemHttpResult>> Cancel(string id, HttpContext context, OperationRunner runner, CancellationToken cancellation)
    {
        if (!Guid.TryParse(id, out var key)) return NoSuchOperation(id);
        return await runner.CancelAsync(key, Caller.Of(context).Actor, null, cancellation) switch
        {
            Cancellation.Asked when runner.Find(key) is { } found => TypedResults.Ok(found),
            Cancellation.Asked or Cancellation.NoSuchOperation => NoSuchOperation(id),
            Cancellation.AlreadyEnded => Problems.Answer(StatusCodes.Status409Conflict, "the operation has ended already", "see how with `gridctl operation show " + key + "`"),
            Cancellation.TooLate => Problems.Answer(StatusCodes.Status409Conflict, "the operation is ending already", "wait for it with `gridctl operation wait " + key + "`"),
        };
    }

    static OperationDocument? Find(string id, OperationRunner runner) => Guid.TryParse(id, out var key) ? runner.Find(key) : null;

    static ProblemHttpResult NoSuchOperation(string id) =>
        Problems.Answer(StatusCodes.Status404NotFound, $"there is no operation '{Problems.Short(id)}'", "list them with `gridctl operation list`");
}
