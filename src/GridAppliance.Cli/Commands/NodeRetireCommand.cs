using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;

namespace GridAppliance.Cli.Commands;

sealed class NodeRetireCommand() : ChangeCommand("retire", "Take nodes out of use: an address, but nothing to boot.")
{
    protected override string Verb => "retire";

    protected override Task<ChangeDocument> Change(Session session, string range, bool dryRun, CancellationToken cancellation) =>
        session.Client.ChangeNodes(NodeChange.Retire, new() { Range = range, DryRun = dryRun }, cancellation);
}
