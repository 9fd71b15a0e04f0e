using System.CommandLine;
using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;

namespace GridAppliance.Cli.Commands;

sealed class DiscoverHoldCommand : ChangeCommand
{
    readonly Option<string?> reason = new("--reason") { Description = "Why, for the timeline.", HelpName = "TEXT" };

    public DiscoverHoldCommand() : base("hold", "Keep nodes out until they are approved.") => Add(reason);

    protected override string Verb => "hold";

    protected override Task<ChangeDocument> Change(Session session, string range, bool dryRun, CancellationToken cancellation) =>
        session.Client.ChangeNodes(NodeChange.Hold, new() { Range = range, Reason = session.Parsed.GetValue(reason), DryRun = dryRun }, cancellation);
}
