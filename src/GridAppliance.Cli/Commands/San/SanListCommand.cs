using GridAppliance.Api;
using GridAppliance.Api.San;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands.San;

sealed class SanListCommand() : GridctlCommand("list", "Storage fabrics that are looked after.")
{
    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        session.Show(await session.Client.GetSanFabrics(cancellation), ApiJson.Default.IReadOnlyListSanFabricDocument, fabrics => session.Terminal.Table(
            ["fabric", "address", "login"], fabrics.Select(f => (IReadOnlyList<Cell>)[new(f.Name, Tone.Strong), f.Address, f.Account])));
        return ExitStatus.Done;
    }
}
