using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;

namespace GridAppliance.Cli.Commands;

sealed class NodeReviveCommand() : ChangeCommand("revive", "Take retired nodes back.")
{
    protected override string Verb => "revive";

    protected override Task<ChangeDocument> Change(Session session, string range, bool dryRun, CancellationToken cancellation) =>
        session.Client.ChangeNodes(NodeChange.Revive, new() { Range = range, DryRun = dryRun }, cancellation);
}
