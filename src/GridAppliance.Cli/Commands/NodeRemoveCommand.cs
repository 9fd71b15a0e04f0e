using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;

namespace GridAppliance.Cli.Commands;

sealed class NodeRemoveCommand() : ChangeCommand("remove", "Forget nodes for good: those discovered, held, failed or retired. One that boots again is a new node.")
{
    protected override string Verb => "remove";

    protected override Task<ChangeDocument> Change(Session session, string range, bool dryRun, CancellationToken cancellation) =>
        session.Client.ChangeNodes(NodeChange.Remove, new() { Range = range, DryRun = dryRun }, cancellation);
}
