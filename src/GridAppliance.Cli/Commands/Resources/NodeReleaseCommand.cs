using System.CommandLine;
using GridAppliance.Api.Modules;

namespace GridAppliance.Cli.Commands.Resources;

sealed class NodeReleaseCommand : ChangeCommand
{
    readonly Option<string> wipe = new("--wipe") { Description = "quick (both ends of the disk and of its partitions) or full (every octet); either is read back.", DefaultValueFactory = _ => "quick" };

    public NodeReleaseCommand() : base("release", "Wipe what was written to nodes' disks, and make the nodes idle again.") => Add(wipe);

    protected override string Verb => "wipe a disk of";

    protected override Task<ChangeDocument> Change(Session session, string range, bool dryRun, CancellationToken cancellation) =>
        session.Client.ReleaseNodes(new() { Range = range, Wipe = session.Parsed.GetRequiredValue(wipe), DryRun = dryRun }, cancellation);
}
