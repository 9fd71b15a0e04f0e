using GridAppliance.Api.San;

namespace GridAppliance.Cli.Commands.San;

sealed class SanDisconnectCommand() : SanChangeCommand("disconnect", "Take a zone out of force and remove it.")
{
    protected override Task<SanChangeDocument> Change(Session session, string fabric, SanZoneRequest request, CancellationToken cancellation) => session.Client.DisconnectSan(fabric, request, cancellation);
}
