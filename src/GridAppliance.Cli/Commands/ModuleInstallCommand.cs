using System.CommandLine;
using GridAppliance.Api.Modules;

namespace GridAppliance.Cli.Commands;

sealed class ModuleInstallCommand : ChangeCommand
{
    readonly Argument<string> module = new("MODULE") { Description = "Its name in the catalogue." };

    public ModuleInstallCommand() : base("install", "Install a module on nodes, and wait until it runs.") => Add(module);

    protected override string Verb => "install it on";

    protected override Task<ChangeDocument> Change(Session session, string range, bool dryRun, CancellationToken cancellation) =>
        session.Client.InstallModule(new() { Range = range, Module = session.Parsed.GetRequiredValue(module), DryRun = dryRun }, cancellation);
}
