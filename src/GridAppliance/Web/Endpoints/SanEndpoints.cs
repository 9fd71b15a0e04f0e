using GridAppliance.Api.San;
using GridAppliance.Hosting;
using GridAppliance.Hosting.Configuration;
using GridAppliance.Nodes;
using GridAppliance.San;
using GridAppliance.Switches.Fleet;
using GridAppliance.Web.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GridAppliance.Web.Endpoints;

static class SanEndpoints
{
    const string LookAtIt = "look at the fabric and the way to it";

    public static void MapSan(this IEndpointRouteBuilder api)
    {
        var san = api.MapGroup("/san").WithTags("san");
        san.MapGet("/", (SanFabrics fabrics) => TypedResults.Ok<IReadOnlyList<SanFabricDocument>>([.. fabrics.Current.Values.Select(f => Document(f.Record))])).WithName("listSanFabrics").WithSummary("The storage fabrics that are looked after.");
        san.MapPost("/", Add).WithName("addSanFabric").WithSummary("Look after a storage fabric; it is read once.");
        san.MapDelete("/{name}", Remove).WithName("removeSanFabric").WithSummary("Look after a storage fabric no longer; its zones stay.");
        san.MapGet("/{name}/zones", Zones).WithName("listSanZones").WithSummary("The zones in force, read from the fabric now.");
        san.MapPost("/{name}/connect", (string name, SanZoneRequest request, HttpContext context, SanFabrics fabrics, CancellationToken cancellation) =>
            Change(name, request, context, fabrics, "in force", async (fabric, zone) => await fabric.ConnectAsync(zone, cancellation), cancellation)).WithName("connectSan").WithSummary("Make a zone so and put it in force.");
        san.MapPost("/{name}/disconnect", (string name, SanZoneRequest request, HttpContext context, SanFabrics fabrics, CancellationToken cancellation) =>
            Change(name, request, context, fabrics, "taken away", async (fabric, zone) => await fabric.DisconnectAsync(zone.Name, cancellation), cancellation)).WithName("disconnectSan").WithSummary("Take a zone out of force and remove it.");
    }

    /// <summary>Nodes that boot from a LUN, and whoever is let in for a while.</summary>
    public static void MapSanBoots(this IEndpointRouteBuilder api)
    {
        var san = api.MapGroup("/san").WithTags("san");
        san.MapGet("/boots", (SanBoots boots, NodeDirectory nodes) => TypedResults.Ok<IReadOnlyList<SanBootDocument>>([.. boots.Current.Values.Select(b => Document(b, nodes.Current))])).WithName("listSanBoots").WithSummary("Nodes that boot from a LUN of their own.");
        san.MapPost("/{name}/boot", Boot).WithName("bootFromSan").WithSummary("Give a node a clone of a golden image, and have it boot from that.");
        san.MapDelete("/boots/{node}", Unboot).WithName("unbootFromSan").WithSummary("Take a node's LUN away, and have it boot as others do.");
        san.MapPost("/{name}/access", Open).WithName("openSan").WithSummary("Let somebody into a zone for a while.");
    }

    static SanBootDocument Document(SanBootRecord record, NodeSnapshot nodes) =>
        new() { Node = nodes.Find(record.Node)?.Name ?? record.Node.ToString(), Fabric = record.Fabric, Image = record.Image, Kernel = record.Kernel, Zone = record.Zone, Initiator = record.Initiator };

    static async Task<Results<Ok<SanBootDocument>, ProblemHttpResult>> Boot(string name, SanBootRequest request, HttpContext context, SanBoots boots, NodeDirectory nodes, CancellationToken cancellation)
    {
        if (nodes.Current.Find(request.Node) is not { } node) return Problems.Answer(StatusCodes.Status404NotFound, $"there is no node '{Problems.Short(request.Node)}'", "list them with `gridctl nodes`");
        return await DeviceAnswer.OfAsync<SanBootDocument>(LookAtIt, async () => await boots.AssignAsync(node, name, request.Image, request.Kernel, Caller.Of(context).Actor, cancellation) is { } refusal
            ? Problems.Answer(StatusCodes.Status422UnprocessableEntity, refusal, "see `gridctl san boot --help`")
            : TypedResults.Ok(Document(boots.Current[node.Id], nodes.Current)));
    }

    static async Task<Results<NoContent, ProblemHttpResult>> Unboot(string node, HttpContext context, SanBoots boots, NodeDirectory nodes, CancellationToken cancellation, bool keep = false)
    {
        if (nodes.Current.Find(node) is not { } found) return Problems.Answer(StatusCodes.Status404NotFound, $"there is no node '{Problems.Short(node)}'", "list them with `gridctl nodes`");
        return await boots.ReleaseAsync(found, keep, Caller.Of(context).Actor, cancellation) is { } refusal ? Problems.Answer(StatusCodes.Status422UnprocessableEntity, refusal, LookAtIt) : TypedResults.NoContent();
    }

    static async Task<Results<Ok<SanChangeDocument>, ProblemHttpResult>> Open(string name, SanAccessRequest request, HttpContext context, TimedAccess access, CancellationToken cancellation) =>
        await access.AdmitAsync(name, request.Zone, request.Initiator, TimeSpan.FromSeconds(request.Seconds), Caller.Of(context).Actor, cancellation) is { } refusal
            ? Problems.Answer(StatusCodes.Status422UnprocessableEntity, refusal, LookAtIt)
            : TypedResults.Ok(new SanChangeDocument { Zone = request.Zone, Outcome = "done", Message = $"{request.Initiator} is let in for {request.Seconds} s" });

    static SanFabricDocument Document(SanRecord record) => new() { Name = record.Name, Address = record.Address.ToString(), Account = SanFabrics.IsLocal(record.Address) ? "this machine" : record.Account.ToString() };

    static async Task<Results<Created<SanFabricDocument>, ProblemHttpResult>> Add(SanFabricRequest request, HttpContext context, SanFabrics fabrics, CancellationToken cancellation)
    {
        if (!ConfigurationFile.IsLabel(request.Name)) return Problems.Answer(StatusCodes.Status400BadRequest, "a fabric's name is made of letters, digits and hyphens", "choose another");
        if (!Uri.TryCreate(request.Address, UriKind.Absolute, out var address) || address.UserInfo.Length > 0) return Problems.Answer(StatusCodes.Status400BadRequest, "the address is written like snmp+mds://10.0.0.5/20, lio+iscsi://10.0.0.1 or tgt+unix:///run/tgtd/socket.0", "see `gridctl san add --help`");
        // The account is read as a switch's is.
        var (like, problem) = SwitchDocuments.ReadAccount(request.User, request.Authentication, request.Privacy);
        if (like is null) return Problems.Answer(StatusCodes.Status400BadRequest, problem!, "see `gridctl san add --help`");
        var record = new SanRecord(request.Name, address, like);
        return await fabrics.AddAsync(record, request.Secret, Caller.Of(context).Actor, cancellation) is { } refusal
            ? Problems.Answer(StatusCodes.Status422UnprocessableEntity, refusal, "check the address and the secret")
            : TypedResults.Created((string?)null, Document(record));
    }

    static async Task<Results<NoContent, ProblemHttpResult>> Remove(string name, HttpContext context, SanFabrics fabrics, CancellationToken cancellation) =>
        await fabrics.RemoveAsync(name, Caller.Of(context).Actor, cancellation) ? TypedResults.NoContent() : NoSuch(name);

    static async Task<Results<Ok<IReadOnlyList<SanZoneDocument>>, ProblemHttpResult>> Zones(string name, SanFabrics fabrics, CancellationToken cancellation)
    {
        if (!fabrics.Current.TryGetValue(name, out var found)) return NoSuch(name);
        return await DeviceAnswer.OfAsync<IReadOnlyList<SanZoneDocument>>(LookAtIt, async () =>
        {
            var zones = await found.Fabric.ReadAsync(cancellation);
            return TypedResults.Ok<IReadOnlyList<SanZoneDocument>>([.. zones.Select(z => new SanZoneDocument { Name = z.Name, Initiators = [.. z.Initiators], Storage = [.. z.Storage] })]);
        });
    }

    static async Task<Results<Ok<SanChangeDocument>, ProblemHttpResult>> Change(
        string name, SanZoneRequest request, HttpContext context, SanFabrics fabrics, string what, Func<ISanFabric, SanZone, Task<SanOutcome>> change, CancellationToken cancellation)
    {
        if (!fabrics.Current.TryGetValue(name, out var found)) return NoSuch(name);
        var zone = new SanZone(request.Zone, [.. request.Initiators], [.. request.Storage]);
        return await DeviceAnswer.OfAsync<SanChangeDocument>(LookAtIt, async () =>
        {
            if (request.DryRun) return TypedResults.Ok(await PlanAsync(found.Fabric, zone, what, cancellation));
            var outcome = await change(found.Fabric, zone);
            await fabrics.TellAsync(name, zone.Name, what, outcome, Caller.Of(context).Actor, cancellation);
            return TypedResults.Ok(new SanChangeDocument { Zone = zone.Name, Outcome = outcome.Ending.ToString().ToLowerInvariant(), Message = outcome.Reason });
        });
    }

    static async Task<SanChangeDocument> PlanAsync(ISanFabric fabric, SanZone zone, string what, CancellationToken cancellation)
    {
        if (SanNames.ProblemOf(zone.Name) is { } problem) return new() { Zone = zone.Name, Outcome = "refused", Message = problem };
        var there = (await fabric.ReadAsync(cancellation)).FirstOrDefault(z => z.Name == zone.Name);
        return new() { Zone = zone.Name, Outcome = "planned", Message = $"would be {what}; {(there is null ? "it is not there now" : $"in it now: {string.Join(", ", there.Initiators.Union(there.Storage))}")}" };
    }

    static ProblemHttpResult NoSuch(string name) => Problems.Answer(StatusCodes.Status404NotFound, $"there is no storage fabric '{Problems.Short(name)}'", "list them with `gridctl san list`");
}
