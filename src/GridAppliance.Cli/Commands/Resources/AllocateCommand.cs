using System.CommandLine;
using GridAppliance.Api.Modules;

namespace GridAppliance.Cli.Commands.Resources;

sealed class AllocateCommand : ChangeCommand
{
    readonly HoldOptions options = new();
    readonly Option<string?> holding = new("--holding") { Description = "The reservation to allocate, by its id; without amounts, the owner's only one is meant." };

    public AllocateCommand() : base("allocate", "Give an owner resources of nodes, or what is reserved for him: limits in force and modules running when it returns.")
    {
        options.AddTo(this);
        Add(holding);
    }

    protected override string Verb => "allocate resources of";

    protected override Task<ChangeDocument> Change(Session session, string range, bool dryRun, CancellationToken cancellation) =>
        session.Client.AllocateResources(options.Request(session.Parsed, range, session.Parsed.GetValue(holding), dryRun), cancellation);
}
