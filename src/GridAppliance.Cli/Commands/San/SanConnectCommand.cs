using System.CommandLine;
using GridAppliance.Api.San;
using GridAppliance.Cli.Commands.Switches;

namespace GridAppliance.Cli.Commands.San;

sealed class SanConnectCommand : SanChangeCommand
{
    readonly Option<string?> initiators = new("--initiators") { Description = "Port names (50:00:…) or iSCSI names, with commas.", HelpName = "NAMES", Required = true };
    readonly Option<string?> storage = new("--storage") { Description = "Port names of storage, or files to serve, with commas.", HelpName = "NAMES", Required = true };

    public SanConnectCommand() : base("connect", "Put a zone in force: these initiators reach this storage, and nobody else does through it.")
    {
        Add(initiators);
        Add(storage);
    }

    protected override SanZoneRequest Complete(Session session, SanZoneRequest request) =>
        request with { Initiators = SwitchArguments.Words(session.Parsed.GetValue(initiators)), Storage = SwitchArguments.Words(session.Parsed.GetValue(storage)) };

    protected override Task<SanChangeDocument> Change(Session session, string fabric, SanZoneRequest request, CancellationToken cancellation) => session.Client.ConnectSan(fabric, request, cancellation);
}
