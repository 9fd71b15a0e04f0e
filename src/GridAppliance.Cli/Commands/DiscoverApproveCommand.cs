using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;

namespace GridAppliance.Cli.Commands;

sealed class DiscoverApproveCommand() : ChangeCommand("approve", "Let nodes join that policy holds back.")
{
    protected override string Verb => "approve";

    protected override Task<ChangeDocument> Change(Session session, string range, bool dryRun, CancellationToken cancellation) =>
        session.Client.ChangeNodes(NodeChange.Approve, new() { Range = range, DryRun = dryRun }, cancellation);
}
