using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;

namespace GridAppliance.Cli.Commands;

sealed class NodeRetryCommand() : ChangeCommand("retry", "Let failed nodes begin again at their next boot.")
{
    protected override string Verb => "retry";

    protected override Task<ChangeDocument> Change(Session session, string range, bool dryRun, CancellationToken cancellation) =>
        session.Client.ChangeNodes(NodeChange.Retry, new() { Range = range, DryRun = dryRun }, cancellation);
}
