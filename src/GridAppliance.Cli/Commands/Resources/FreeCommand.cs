using System.CommandLine;
using GridAppliance.Api.Modules;

namespace GridAppliance.Cli.Commands.Resources;

sealed class FreeCommand : ChangeCommand
{
    readonly Option<string?> owner = new("--owner") { Description = "Whose: everything that this owner holds there." };
    readonly Option<string?> holding = new("--holding") { Description = "One holding, by its id." };

    public FreeCommand() : base("free", "Take back what an owner holds of nodes: his programs there are ended.")
    {
        Add(owner);
        Add(holding);
    }

    protected override string Verb => "free resources of";

    protected override Task<ChangeDocument> Change(Session session, string range, bool dryRun, CancellationToken cancellation)
    {
        var (whose, which) = (session.Parsed.GetValue(owner), session.Parsed.GetValue(holding));
        if (whose is null == which is null) throw new UsageException("say --owner or --holding, one of them", "list them with `gridctl resources --holdings`");
        return session.Client.FreeResources(new() { Range = range, Owner = whose, Holding = which, DryRun = dryRun }, cancellation);
    }
}
