using System.CommandLine;
using GridAppliance.Api.Modules;

namespace GridAppliance.Cli.Commands;

sealed class ModuleInstallCommand : ChangeCommand
{
    readonly Argument<string> module = new("MODULE") { Description = "Its name in the catalogue." };

    readonly Option<string?> owner = new("--owner") { Description = "For whom (default: the operator); it goes when its last owner leaves." };
    readonly Option<bool> noUpgrade = new("--no-upgrade") { Description = "Refuse where another version of it is installed." };
    readonly Option<string[]> set = new("--set") { Description = "NAME=VALUE in place of a parameter's default; may stand several times." };

    public ModuleInstallCommand() : base("install", "Install a module on nodes, and wait until it runs.")
    {
        Add(module);
        Add(owner);
        Add(noUpgrade);
        Add(set);
    }

    protected override string Verb => "install it on";

    protected override Task<ChangeDocument> Change(Session session, string range, bool dryRun, CancellationToken cancellation) =>
        session.Client.InstallModule(new()
        {
            Range = range, Module = session.Parsed.GetRequiredValue(module), DryRun = dryRun,
            Owner = session.Parsed.GetValue(owner), RefuseUpgrade = session.Parsed.GetValue(noUpgrade), Parameters = ModuleParameters.Read(session.Parsed.GetValue(set) ?? []),
        }, cancellation);
}

/// <summary>Values that people set.</summary>
static class ModuleParameters
{
    public static Dictionary<string, string>? Read(string[] settings)
    {
        if (settings.Length == 0) return null;
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var setting in settings)
        {
            var at = setting.IndexOf('=', StringComparison.Ordinal);
            if (at < 1) throw new UsageException($"'{setting}' sets nothing", "write --set NAME=VALUE");
            values[setting[..at]] = setting[(at + 1)..];
        }
        return values;
    }
}
