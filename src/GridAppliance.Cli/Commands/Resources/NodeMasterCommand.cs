using System.CommandLine;
using GridAppliance.Api.Modules;

namespace GridAppliance.Cli.Commands.Resources;

sealed class NodeMasterCommand : ChangeCommand
{
    readonly Argument<string> master = new("MASTER") { Description = "The node whose manager is their master; 'none' for nobody." };

    public NodeMasterCommand() : base("master", "Say whose manager is the master of these nodes' managers; both sides confirm it.") => Add(master);

    protected override string Verb => "change the master of";

    protected override Task<ChangeDocument> Change(Session session, string range, bool dryRun, CancellationToken cancellation) =>
        session.Client.SetMaster(new() { Range = range, Master = session.Parsed.GetRequiredValue(master) is var name && name == "none" ? null : name, DryRun = dryRun }, cancellation);
}
