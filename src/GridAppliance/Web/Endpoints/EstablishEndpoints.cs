using GridAppliance.Api.Establish;
using GridAppliance.Establish;
using GridAppliance.Web.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GridAppliance.Web.Endpoints;

static class EstablishEndpoints
{
    public static void MapEstablish(this IEndpointRouteBuilder api)
    {
        var establish = api.MapGroup("/establish").WithTags("establish");
        establish.MapPost("/plan", Plan).WithName("planEstablish").WithSummary("Look at machines over SSH, and say what would be done with each and why.");
        establish.MapPost("/apply", Apply).WithName("applyEstablish").WithSummary("Make nodes of machines over SSH: one durable operation each. Again, for one that waits for credentials.");
    }

    static Task<Results<Ok<EstablishDocument>, ProblemHttpResult>> Plan(EstablishRequest request, EstablishRequests requests, CancellationToken cancellation) =>
        Answer(request, requests, machines => requests.PlanAsync(request, machines, cancellation));

    static Task<Results<Ok<EstablishDocument>, ProblemHttpResult>> Apply(EstablishRequest request, HttpContext context, EstablishRequests requests, CancellationToken cancellation) =>
        Answer(request, requests, machines => requests.ApplyAsync(request, machines, Caller.Of(context).Actor, cancellation));

    static async Task<Results<Ok<EstablishDocument>, ProblemHttpResult>> Answer(
        EstablishRequest request, EstablishRequests requests, Func<IReadOnlyList<MachineAddress>, Task<EstablishDocument>> answer)
    {
        if (requests.Defect(request, out var machines, out var twice) is { } defect) return Problems.Answer(StatusCodes.Status422UnprocessableEntity, defect);
        try
        {
            var document = await answer(machines);
            return TypedResults.Ok(new EstablishDocument { Machines = [.. document.Machines.Select(machine => twice.Any(again => again.ToString() == machine.Host) ? machine with { Message = $"{machine.Message} (the list names it more than once)" } : machine)] });
        }
        catch (FormatException e)
        {
            return Problems.Answer(StatusCodes.Status422UnprocessableEntity, e.Message);
        }
    }
}
