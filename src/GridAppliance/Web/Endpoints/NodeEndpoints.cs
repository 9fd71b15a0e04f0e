using GridAppliance.Api.NodeRanges;
using GridAppliance.Api.Nodes;
using GridAppliance.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GridAppliance.Web.Endpoints;

static class NodeEndpoints
{
    /// <summary>A boot is about thirty events: many boots of history, and a bound on the answer.</summary>
    const int TimelineLimit = 2000;

    public static void MapNodes(this IEndpointRouteBuilder api)
    {
        var nodes = api.MapGroup("/nodes").WithTags("nodes");
        nodes.MapGet("/", List).WithName("listNodes").WithSummary("Every node, or those of ?range=, in natural order of names.").ProducesProblem(400);
        nodes.MapGet("/{name}", Get).WithName("getNode").WithSummary("One node.");
        nodes.MapGet("/{name}/timeline", Timeline).WithName("getTimeline").WithSummary("What happened to a node, oldest first.");
        nodes.MapGet("/{name}/why", Why).WithName("getWhy").WithSummary("Why a node is not ready, and what to do.");
    }

    static Results<Ok<IReadOnlyList<NodeDocument>>, ProblemHttpResult> List(string? range, NodeDirectory directory)
    {
        IReadOnlyList<NodeDocument> all = [.. directory.Current.Nodes.Select(node => node.ToDocument())];
        if (!NodeRange.TryParse(range ?? NodeRange.All.Text, out var wanted, out var defect)) return Problems.BadRange(defect.ToString());
        var picked = wanted.Select(all);
        return picked.Unknown.Count > 0 ? Problems.BadRange($"'{Problems.Short(picked.Unknown[0])}' names no node and no group") : TypedResults.Ok(picked.Nodes);
    }

    static Results<Ok<NodeDocument>, ProblemHttpResult> Get(string name, NodeDirectory directory) =>
        directory.Current.Find(name) is { } node ? TypedResults.Ok(node.ToDocument()) : Problems.NoSuchNode(name);

    static Results<Ok<TimelineDocument>, ProblemHttpResult> Timeline(string name, NodeDirectory directory, Timeline timeline)
    {
        if (directory.Current.Find(name) is not { } node) return Problems.NoSuchNode(name);
        var events = timeline.ReadNode(node.Id, TimelineLimit);
        var boot = BootSummary.Of(events);
        return TypedResults.Ok(new TimelineDocument
        {
            Node = node.Name,
            Events = events,
            LastBootApplianceMs = node.Boot?.Appliance.TotalMilliseconds ?? boot.ApplianceMs,
            LastBootSeconds = node.Boot is null ? boot.Seconds : (node.Boot.Finished - node.Boot.Started)?.TotalSeconds,
        });
    }

    static Results<Ok<WhyDocument>, ProblemHttpResult> Why(string name, NodeDirectory directory, WhyReader reader) =>
        directory.Current.Find(name) is { } node ? TypedResults.Ok(reader.Read(node)) : Problems.NoSuchNode(name);
}
