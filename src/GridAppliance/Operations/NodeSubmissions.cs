using GridAppliance.Api.Modules;
using GridAppliance.Nodes;

namespace GridAppliance.Operations;

/// <summary>Operations for the nodes of a range, and what became of each wish; a dry run starts nothing.</summary>
static class NodeSubmissions
{
    /// <summary>One operation for each node of a range, or why not.</summary>
    public static Task<ChangeDocument> SubmitAsync(
        OperationRunner operations, IReadOnlyList<Node> nodes, Func<Node, (NewOperation? Operation, string Message)> plan, bool dryRun, CancellationToken cancellationToken) =>
        SubmitAsync(operations, [.. nodes.Select(node => (node.Name, plan(node)))], dryRun, cancellationToken);

    /// <param name="operations">Where they are started.</param>
    /// <param name="plans">For each node, by its name, what is to be started, or null and why not.</param>
    /// <param name="dryRun">Only say what would be done.</param>
    /// <param name="cancellationToken">Ends the starting; what is started goes on.</param>
    public static async Task<ChangeDocument> SubmitAsync(
        OperationRunner operations, IReadOnlyList<(string Node, (NewOperation? Operation, string Message) Plan)> plans, bool dryRun, CancellationToken cancellationToken)
    {
        var changes = new List<NodeChangeDocument>();
        foreach (var (node, (operation, message)) in plans)
        {
            changes.Add(operation is null || dryRun
                ? new() { Node = node, Accepted = operation is not null, Message = message }
                : await operations.SubmitAsync(operation, cancellationToken) switch
                {
                    Submission.Accepted accepted => new() { Node = node, Accepted = true, OperationId = accepted.Operation.Id.ToString(), Message = accepted.IsNew ? message : "is under way already" },
                    Submission.Refused refused => new() { Node = node, Accepted = false, Message = refused.Reason },
                    var other => throw new InvalidOperationException($"a submission of no known kind: {other}"),
                });
        }
        return new() { Nodes = changes, DryRun = dryRun };
    }
}
