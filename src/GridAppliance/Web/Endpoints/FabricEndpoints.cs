using GridAppliance.Api.Switches;
using GridAppliance.Fabric;
using GridAppliance.Guard;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.San;
using GridAppliance.Switches;
using GridAppliance.Switches.Fleet;
using GridAppliance.Web.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GridAppliance.Web.Endpoints;

static class FabricEndpoints
{
    public static void MapFabric(this IEndpointRouteBuilder api)
    {
        var fabric = api.MapGroup("/fabric").WithTags("fabric");
        fabric.MapGet("/map", (FabricState state, SwitchFleet fleet, NodeDirectory nodes, SanDocuments storage, GuardReport guard) =>
                TypedResults.Ok(FabricDocuments.Of(state.Current, fleet.Current.Values, nodes.Current, state.Cabling.Lines.Length, storage.Map(state.Current), GuardDocuments.Forged(guard.Current, nodes.Current, fleet))))
            .WithName("getFabricMap").WithSummary("Where everything is: which NIC is behind which port, who reaches which storage, who sends in another's name, and what is odd about it.");
        fabric.MapGet("/cabling", (FabricState state) => TypedResults.Ok(Document(state.Cabling))).WithName("getCabling").WithSummary("The plan of who should be where, as CSV.");
        fabric.MapPut("/cabling", Plan).WithName("setCabling").WithSummary("Replace the plan of who should be where; an empty one is none.");
        fabric.MapPost("/verify", async (FabricVerification verification, CancellationToken cancellation, bool probe = false) => TypedResults.Ok(await verification.RunAsync(probe, cancellation)))
            .WithName("verifyFabric").WithSummary("Read every switch now, with probe=true send frames between groups too, and say what is not as it should be.");
        fabric.MapGet("/guard", (GuardReport guard, FabricState state, NodeDirectory nodes, SwitchFleet fleet) => TypedResults.Ok(GuardDocuments.Of(guard.Current, state.Current, nodes.Current, fleet)))
            .WithName("getGuard").WithSummary("What keeps nodes from speaking in others' names, and what it has dropped.");
        fabric.MapGet("/drift", (DriftReconciler drift) => TypedResults.Ok(new DriftDocument { Differences = [.. drift.Current.Select(Document)] })).WithName("getDrift").WithSummary("Ports that are not as they were left.");
        fabric.MapPost("/drift/assert", Assert).WithName("assertDrift").WithSummary("Make switches as they were left.");
        fabric.MapPost("/drift/adopt", Adopt).WithName("adoptDrift").WithSummary("Take what switches have for what is wanted.");
    }

    static PortDriftDocument Document(PortDrift drift) => new()
    {
        Switch = drift.Switch, Port = drift.Port, Wanted = drift.Wanted.ToString(), Actual = drift.Actual?.ToString(), By = drift.Left.By, At = drift.Left.At, Right = drift.Right.ToString().ToLowerInvariant(),
    };

    static Task<Results<Ok<DriftAnswerDocument>, ProblemHttpResult>> Assert(DriftRequest request, HttpContext context, SwitchFleet fleet, DriftReconciler drift, CancellationToken cancellation) => Decide(request, fleet, drift, async one =>
    {
        var outcome = await drift.AssertAsync(one, Caller.Of(context).Actor, cancellation);
        return (outcome.Ending is ChangeEnding.Done or ChangeEnding.Unchanged, outcome.Reason ?? (outcome.Ending == ChangeEnding.Done ? $"as it was left, with {outcome.Pdus} writes" : "was as it was left"));
    });

    static Task<Results<Ok<DriftAnswerDocument>, ProblemHttpResult>> Adopt(DriftRequest request, HttpContext context, SwitchFleet fleet, DriftReconciler drift, CancellationToken cancellation) =>
        Decide(request, fleet, drift, async one => (true, $"{await drift.AdoptAsync(one, Caller.Of(context).Actor, cancellation)} ports are adopted as they are"));

    static async Task<Results<Ok<DriftAnswerDocument>, ProblemHttpResult>> Decide(DriftRequest request, SwitchFleet fleet, DriftReconciler drift, Func<ManagedSwitch, Task<(bool Accepted, string Message)>> decide)
    {
        if (request.Switch is { } name && fleet.Find(name) is null) return Problems.Answer(StatusCodes.Status404NotFound, $"there is no switch '{Problems.Short(name)}'", "list them with `gridctl switch list`");
        var differing = drift.Current.Select(d => d.Switch).ToHashSet();
        var which = request.Switch is { } only ? [fleet.Find(only)!] : fleet.Current.Values.Where(s => differing.Contains(s.Name)).ToList();
        return TypedResults.Ok(new DriftAnswerDocument { Switches = await Task.WhenAll(which.Select(Each)) });

        async Task<DriftAnswerSwitchDocument> Each(ManagedSwitch one)
        {
            try
            {
                var (accepted, message) = await decide(one);
                return new() { Switch = one.Name, Accepted = accepted, Message = message };
            }
            catch (DeviceException e)
            {
                return new() { Switch = one.Name, Accepted = false, Message = e.Message };
            }
        }
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
