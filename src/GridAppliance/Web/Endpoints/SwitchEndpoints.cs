using GridAppliance.Api.Switches;
using GridAppliance.Fabric;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Switches.Fleet;
using GridAppliance.Web.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GridAppliance.Web.Endpoints;

static class SwitchEndpoints
{
    public static void MapSwitches(this IEndpointRouteBuilder api)
    {
        var switches = api.MapGroup("/switches").WithTags("switches");
        switches.MapGet("/", (SwitchFleet fleet) => TypedResults.Ok<IReadOnlyList<SwitchDocument>>([.. fleet.Current.Values.Select(SwitchDocuments.Of)])).WithName("listSwitches").WithSummary("The switches that are looked after.");
        switches.MapPost("/", Add).WithName("addSwitch").WithSummary("Take a switch in: it is read, marked as ours and tried.");
        switches.MapPost("/vlan", Vlan).WithName("changeVlans").WithSummary("Put ports, named by themselves or by their nodes, into a VLAN; open, shut or describe them.");
        switches.MapGet("/{name}", Get).WithName("getSwitch").WithSummary("One switch.");
        switches.MapDelete("/{name}", Remove).WithName("removeSwitch").WithSummary("Look after a switch no longer; it is left as it is, without our mark.");
        switches.MapGet("/{name}/ports", Ports).WithName("listSwitchPorts").WithSummary("A switch's ports, their VLANs, and who is behind them.");
        switches.MapPost("/{name}/allow", Allow).WithName("allowSwitch").WithSummary("Say what of a switch is ours to write.");
        switches.MapPost("/{name}/probe", Probe).WithName("probeSwitch").WithSummary("Find out what the switch can do, by writing to it what it holds already.");
        switches.MapPost("/{name}/take", Take).WithName("takeSwitch").WithSummary("Make a switch ours that bears another appliance's mark.");
    }

    static async Task<Results<Created<SwitchDocument>, ProblemHttpResult>> Add(SwitchRequest request, HttpContext context, SwitchFleet fleet, CancellationToken cancellation)
    {
        var (record, problem) = SwitchDocuments.Read(request);
        if (record is null) return Problems.Answer(StatusCodes.Status400BadRequest, problem!, "see `gridctl switch add --help`");
        return await fleet.AddAsync(record, request.Secret, Caller.Of(context).Actor, cancellation) switch
        {
            SwitchEnrolment.Accepted accepted => TypedResults.Created((string?)null, SwitchDocuments.Of(accepted.Switch)),
            SwitchEnrolment.Refused refused => Problems.Answer(StatusCodes.Status422UnprocessableEntity, refused.Reason, refused.NextStep),
            var other => throw new InvalidOperationException($"an enrolment of no known kind: {other}"),
        };
    }

    static Results<Ok<SwitchDocument>, ProblemHttpResult> Get(string name, SwitchFleet fleet) =>
        fleet.Find(name) is { } found ? TypedResults.Ok(SwitchDocuments.Of(found)) : NoSuch(name);

    static Results<Ok<IReadOnlyList<SwitchPortDocument>>, ProblemHttpResult> Ports(string name, SwitchFleet fleet, FabricState state, NodeDirectory nodes) =>
        fleet.Find(name) is not { } found ? NoSuch(name)
        : found.Reading is null ? Problems.Answer(StatusCodes.Status409Conflict, $"switch {found.Name} has not been read yet{(found.Trouble is { } trouble ? $": {trouble.Message}" : "")}", $"look with `gridctl switch show {found.Name}`")
        : TypedResults.Ok<IReadOnlyList<SwitchPortDocument>>([.. SwitchDocuments.Ports(found, state.Current, nodes.Current)]);

    static async Task<Results<NoContent, ProblemHttpResult>> Remove(string name, HttpContext context, SwitchFleet fleet, CancellationToken cancellation)
    {
        if (fleet.Find(name) is not { } found) return NoSuch(name);
        if (found.Record.IsFromFile) return Problems.Answer(StatusCodes.Status409Conflict, $"switch {found.Name} stands in the configuration file", "remove it there, and restart the appliance");
        await fleet.RemoveAsync(name, Caller.Of(context).Actor, cancellation);
        return TypedResults.NoContent();
    }

    static Task<Results<Ok<SwitchDocument>, ProblemHttpResult>> Allow(string name, SwitchAllowRequest request, HttpContext context, SwitchFleet fleet, CancellationToken cancellation) => Asking(name, fleet, async found =>
    {
        if (found.Record.IsFromFile) return Problems.Answer(StatusCodes.Status409Conflict, $"switch {found.Name} stands in the configuration file", "change it there, and restart the appliance");
        if (SwitchDocuments.ProblemOf(request) is { } problem) return Problems.Answer(StatusCodes.Status400BadRequest, problem, "see `gridctl switch allow --help`");
        await fleet.ChangeAsync(name, record => SwitchDocuments.Apply(request, record), "what of it is ours was changed", Caller.Of(context).Actor, cancellation);
        return TypedResults.Ok(SwitchDocuments.Of(found));
    });

    static Task<Results<Ok<SwitchDocument>, ProblemHttpResult>> Probe(string name, SwitchFleet fleet, CancellationToken cancellation) => Asking(name, fleet, async found =>
    {
        await fleet.ProbeAsync(found, cancellation);
        return TypedResults.Ok(SwitchDocuments.Of(found));
    });

    static Task<Results<Ok<SwitchDocument>, ProblemHttpResult>> Take(string name, HttpContext context, SwitchFleet fleet, CancellationToken cancellation) => Asking(name, fleet, async found =>
    {
        await fleet.TakeOverAsync(name, Caller.Of(context).Actor, cancellation);
        return TypedResults.Ok(SwitchDocuments.Of(found));
    });

    static async Task<Results<Ok<VlanChangeDocument>, ProblemHttpResult>> Vlan(VlanChangeRequest request, HttpContext context, VlanChanges changes, CancellationToken cancellation)
    {
        const int longest = 64; // ifAlias, RFC 2863
        if (request is { Vlan: null, Enabled: null, Description: null }) return Problems.Answer(StatusCodes.Status400BadRequest, "nothing is asked for", "name a VLAN, a description, or whether the port is to be open");
        if (request is { Vlan: null, Tagged.Count: > 0 }) return Problems.Answer(StatusCodes.Status400BadRequest, "a trunk has a VLAN for frames without a tag", "name it as vlan");
        if (request.Description is { } text && (text.Length > longest || text.Any(c => c is < ' ' or > '~'))) return Problems.Answer(StatusCodes.Status400BadRequest, $"a port's description has at most {longest} plain characters", "shorten it");
        if (request.Tagged.Concat(request.Vlan is { } vlan ? [vlan] : (int[])[]).FirstOrDefault(v => !Switches.VlanId.IsValid(v), -1) is var wrong && wrong != -1)
            return Problems.Answer(StatusCodes.Status400BadRequest, $"{wrong} is not a VLAN", "a VLAN is between 1 and 4094");
        return request.Targets.Count is 0 or > 1024
            ? Problems.Answer(StatusCodes.Status400BadRequest, "between 1 and 1024 ports are named", "write nodes, or SWITCH/PORT")
            : TypedResults.Ok(await changes.ApplyAsync(request, Caller.Of(context).Actor, cancellation));
    }

    static async Task<Results<Ok<SwitchDocument>, ProblemHttpResult>> Asking(string name, SwitchFleet fleet, Func<ManagedSwitch, Task<Results<Ok<SwitchDocument>, ProblemHttpResult>>> ask) =>
        fleet.Find(name) is { } found ? await DeviceAnswer.OfAsync("look at the switch and the way to it", () => ask(found)) : NoSuch(name);

    static ProblemHttpResult NoSuch(string name) => Problems.Answer(StatusCodes.Status404NotFound, $"there is no switch '{Problems.Short(name)}'", "list them with `gridctl switch list`");
}
