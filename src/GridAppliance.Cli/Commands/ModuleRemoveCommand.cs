using System.CommandLine;
using GridAppliance.Api.Modules;

namespace GridAppliance.Cli.Commands;

sealed class ModuleRemoveCommand : ChangeCommand
{
    readonly Argument<string> module = new("MODULE") { Description = "Its name." };

    readonly Option<string?> owner = new("--owner") { Description = "Who needs it no longer (default: the operator)." };

    public ModuleRemoveCommand() : base("remove", "Take a module out of nodes again.")
    {
        Add(module);
        Add(owner);
    }

    protected override string Verb => "remove it from";

    protected override Task<ChangeDocument> Change(Session session, string range, bool dryRun, CancellationToken cancellation) =>
        session.Client.RemoveModule(new() { Range = range, Module = session.Parsed.GetRequiredValue(module), DryRun = dryRun, Owner = session.Parsed.GetValue(owner) }, cancellation);
}
