using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;

namespace GridAppliance.Cli.Commands;

sealed class DiscoverReleaseCommand() : ChangeCommand("release", "Take a hold away: the node goes on by policy.")
{
    protected override string Verb => "release";

    protected override Task<ChangeDocument> Change(Session session, string range, bool dryRun, CancellationToken cancellation) =>
        session.Client.ChangeNodes(NodeChange.ReleaseHold, new() { Range = range, DryRun = dryRun }, cancellation);
}
