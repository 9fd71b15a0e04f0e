using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.San;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands.San;

sealed class SanZonesCommand : GridctlCommand
{
    readonly Argument<string> name = SanArguments.Fabric();

    public SanZonesCommand() : base("zones", "The zones in force on a fabric.") => Add(name);

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        session.Show(await session.Client.GetSanZones(session.Parsed.GetRequiredValue(name), cancellation), ApiJson.Default.IReadOnlyListSanZoneDocument, zones => session.Terminal.Table(
            ["zone", "initiators", "storage"], zones.Select(z => (IReadOnlyList<Cell>)[new(z.Name, Tone.Strong), string.Join(", ", z.Initiators), string.Join(", ", z.Storage)])));
        return ExitStatus.Done;
    }
}
