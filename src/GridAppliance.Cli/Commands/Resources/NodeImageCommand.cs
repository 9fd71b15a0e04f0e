using System.CommandLine;
using GridAppliance.Api.Modules;

namespace GridAppliance.Cli.Commands.Resources;

sealed class NodeImageCommand : ChangeCommand
{
    readonly Argument<string> image = new("IMAGE") { Description = "tiny (agent and little else) or debian (a whole system, with the engines of grids)." };

    public NodeImageCommand() : base("image", "Boot nodes into another image, without going through their firmware where that can be.") => Add(image);

    protected override string Verb => "boot another image on";

    protected override Task<ChangeDocument> Change(Session session, string range, bool dryRun, CancellationToken cancellation) =>
        session.Client.BootImage(new() { Range = range, Image = session.Parsed.GetRequiredValue(image), DryRun = dryRun }, cancellation);
}
