using GridAppliance.Api;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands;

sealed class ModuleListCommand() : GridctlCommand("list", "Modules in the appliance's catalogue.")
{
    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        session.Show(await session.Client.GetModules(cancellation), ApiJson.Default.IReadOnlyListModuleDocument, modules => session.Terminal.Table(
            ["module", "version", "class", "size", "signed by", "what"],
            modules.Select(m => (IReadOnlyList<Cell>)[new(m.Name, Tone.Strong), m.Version, m.Class, Phrases.Bytes(m.SizeBytes), m.SignedBy, m.Summary])));
        return ExitStatus.Done;
    }
}
