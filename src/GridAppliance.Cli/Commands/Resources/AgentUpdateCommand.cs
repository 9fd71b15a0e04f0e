using System.CommandLine;
using GridAppliance.Api.Modules;

namespace GridAppliance.Cli.Commands.Resources;

sealed class AgentUpdateCommand : ChangeCommand
{
    readonly Option<string?> version = new("--to") { Description = "A version of grid-agent in the catalogue; without it the newest import." };

    public AgentUpdateCommand() : base("update", "Replace nodes' agents; running modules go on, and a new agent that does not report within a minute is taken back.") => Add(version);

    protected override string Verb => "replace the agent of";

    protected override Task<ChangeDocument> Change(Session session, string range, bool dryRun, CancellationToken cancellation) =>
        session.Client.UpdateAgents(new() { Range = range, Version = session.Parsed.GetValue(version), DryRun = dryRun }, cancellation);
}
