using System.CommandLine;
using GridAppliance.Api.Modules;

namespace GridAppliance.Cli.Commands;

sealed class ModuleUpgradeCommand : ChangeCommand
{
    readonly Argument<string> module = new("MODULE") { Description = "Its name, or NAME@VERSION; the newest import otherwise." };
    readonly Option<string[]> set = new("--set") { Description = "NAME=VALUE in place of a parameter's default; may stand several times." };

    public ModuleUpgradeCommand() : base("upgrade", "Put another version of a module in the place of the one that nodes have; nodes without it are left alone.")
    {
        Add(module);
        Add(set);
    }

    protected override string Verb => "upgrade it on";

    protected override Task<ChangeDocument> Change(Session session, string range, bool dryRun, CancellationToken cancellation) =>
        session.Client.InstallModule(new()
        {
            Range = range, Module = session.Parsed.GetRequiredValue(module), DryRun = dryRun, OnlyUpgrade = true, Parameters = ModuleParameters.Read(session.Parsed.GetValue(set) ?? []),
        }, cancellation);
}
