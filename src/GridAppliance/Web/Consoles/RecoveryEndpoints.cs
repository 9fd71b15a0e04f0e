using GridAppliance.Api.Consoles;
using GridAppliance.Api.Modules;
using GridAppliance.Nodes;
using GridAppliance.Power;
using GridAppliance.Power.Nodes;
using GridAppliance.Power.Ports;
using GridAppliance.Web.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GridAppliance.Web.Consoles;

static class RecoveryEndpoints
{
    public static void MapRecovery(this IEndpointRouteBuilder api) =>
        api.MapPost("/nodes/{name}/recover", Recover).WithName("recoverNode").WithTags("consoles")
            .WithSummary("Make a node's next boot over the network one for a person at its console: no agent, disks read-only, its file systems listed.");

    static async Task<Results<Ok<NodeChangeDocument>, ProblemHttpResult>> Recover(
        string name, RecoverRequest request, HttpContext context, NodeDirectory directory, NodePorts ports, NodePower power, TimeProvider time, CancellationToken cancellation)
    {
        if (directory.Current.Find(name) is not { } node) return Problems.NoSuchNode(name);
        var actor = Caller.Of(context).Actor;
        if (request.Cancel)
        {
            var was = node.Recovery is not null;
            await directory.ChangeAsync(node.Id, latest => latest.Recovery is null ? null : (latest with { Recovery = null },
                [NewEvent.About(latest, "recovery.cancelled", $"{latest.Name} boots as usual again, says {actor}") with { Actor = actor }]), cancellation);
            return TypedResults.Ok(new NodeChangeDocument { Node = node.Name, Accepted = true, Message = was ? "its next boot is an ordinary one again" : "no recovery was asked for" });
        }

        // The wish first: the machine may ask for its script as soon as it is restarted.
        await directory.ChangeAsync(node.Id, latest => (latest with { Recovery = new(actor, time.GetUtcNow()) },
            [NewEvent.About(latest, "recovery.asked", $"the next boot of {latest.Name} over the network is for recovery, says {actor}") with { Actor = actor }]), cancellation);
        if (!request.Restart) return Waits(node, "restart it over the network");
        if (ports.For<IBootOverride>(node.Id) is null) return Waits(node, "it has no port that could restart it: restart it over the network yourself, or by a console script");
        var restarted = (await power.BootAsync([node], new(BootDevice.Network, IsPersistent: false, Power: true, Firmware: null, Via: null), dryRun: false, actor, cancellation)).Nodes[0];
        return TypedResults.Ok(restarted with { Message = restarted.Accepted ? $"its next boot is for recovery; {restarted.Message}" : $"its next boot is for recovery, but it could not be restarted: {restarted.Message}" });
    }

    static Ok<NodeChangeDocument> Waits(Node node, string what) =>
        TypedResults.Ok(new NodeChangeDocument { Node = node.Name, Accepted = true, Message = $"its next boot is for recovery; {what}" });
}
