using GridAppliance.Api.Switches;
using GridAppliance.Fabric;
using GridAppliance.Nodes;
using GridAppliance.Switches.Fleet;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GridAppliance.Web.Endpoints;

static class FabricEndpoints
{
    public static void MapFabric(this IEndpointRouteBuilder api)
    {
        var fabric = api.MapGroup("/fabric").WithTags("fabric");
        fabric.MapGet("/map", (FabricState state, SwitchFleet fleet, NodeDirectory nodes) =>
                TypedResults.Ok(FabricDocuments.Of(state.Current, fleet.Current.Values, nodes.Current, state.Cabling.Lines.Length)))
            .WithName("getFabricMap").WithSummary("Where everything is: which NIC is behind which port, and what is odd about it.");
        fabric.MapGet("/cabling", (FabricState state) => TypedResults.Ok(Document(state.Cabling))).WithName("getCabling").WithSummary("The plan of who should be where, as CSV.");
        fabric.MapPut("/cabling", Plan).WithName("setCabling").WithSummary("Replace the plan of who should be where; an empty one is none.");
    }

    static async Task<Results<Ok<CablingDocument>, ProblemHttpResult>> Plan(CablingRequest request, FabricState state, FabricPokes pokes, CancellationToken cancellation)
    {
        var plan = Cabling.Read(request.Csv, out var problems);
        if (problems.Count > 0) return Problems.Answer(StatusCodes.Status400BadRequest, string.Join("; ", problems.Take(8)), "write a line for each cable: machine,switch,port");
        await state.PlanAsync(plan, cancellation);
        pokes.Renew();
        return TypedResults.Ok(Document(plan));
    }

    static CablingDocument Document(Cabling plan) => new() { Csv = plan.Text, Cables = plan.Lines.Length };
}
