using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;
using GridAppliance.Nodes;
using GridAppliance.Web.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GridAppliance.Web.Endpoints;

/// <summary>What a person decides about nodes: <c>POST /nodes/{verb}</c> with a range, or <c>POST /nodes/{name}/{verb}</c> for one.</summary>
static class NodeChangeEndpoints
{
    public static void MapNodeChanges(this IEndpointRouteBuilder api)
    {
        var nodes = api.MapGroup("/nodes").WithTags("nodes");
        foreach (var decision in NodeDecision.All)
        {
            nodes.MapPost($"/{decision.Verb}", (NodeChangeRequest request, HttpContext context, NodeDirectory directory, CancellationToken cancellation) =>
                    Change(decision, request, context, directory, cancellation))
                .WithName($"{decision.Verb}Nodes").WithSummary($"{decision.Summary} (the nodes of a range).");
            nodes.MapPost($"/{{name}}/{decision.Verb}", (string name, HttpContext context, NodeDirectory directory, CancellationToken cancellation) =>
                    ChangeOne(decision, name, context, directory, cancellation))
                .WithName($"{decision.Verb}Node").WithSummary($"{decision.Summary}.");
        }
    }

    static async Task<Results<Ok<ChangeDocument>, ProblemHttpResult>> Change(INodeDecision decision, NodeChangeRequest request, HttpContext context, NodeDirectory directory, CancellationToken cancellation)
    {
        if (!RangeSelection.TryRead(request.Range, directory, out var selection, out var problem)) return problem;
        var changes = new List<NodeChangeDocument>(selection.Nodes.Count + selection.Missing.Count);
        foreach (var node in selection.Nodes)
            changes.Add(request.DryRun ? Plan(decision, node) : await decision.Apply(directory, node, request.Reason, Caller.Of(context).Actor, cancellation));
        changes.AddRange(selection.Missing.Select(RangeSelection.NotThere));
        return TypedResults.Ok(new ChangeDocument { Nodes = changes, DryRun = request.DryRun });
    }

    static async Task<Results<Ok<NodeChangeDocument>, ProblemHttpResult>> ChangeOne(INodeDecision decision, string name, HttpContext context, NodeDirectory directory, CancellationToken cancellation)
    {
        if (directory.Current.Find(name) is not { } node) return Problems.NoSuchNode(name);
        var change = await decision.Apply(directory, node, null, Caller.Of(context).Actor, cancellation);
        return change.Accepted ? TypedResults.Ok(change) : Problems.Answer(StatusCodes.Status409Conflict, $"{name}: {change.Message}", "see `gridctl why " + node.Name + "`");
    }

    static NodeChangeDocument Plan(INodeDecision decision, Node node) => decision.Refusal(node) is { } refusal
        ? new() { Node = node.Name, Accepted = false, Message = refusal }
        : new() { Node = node.Name, Accepted = true, Message = $"would be {decision.Done}" };
}
