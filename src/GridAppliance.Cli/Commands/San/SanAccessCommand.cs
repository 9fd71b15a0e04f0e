using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands.San;

sealed class SanAccessCommand : GridctlCommand
{
    readonly Argument<string> name = SanArguments.Fabric();
    readonly Argument<string> zone = new("ZONE") { Description = "Its name; ours begin with grid-." };
    readonly Option<string> initiator = new("--initiator") { Description = "Who is let in: a port name (50:00:…) or an iSCSI name.", HelpName = "NAME", Required = true };
    readonly Option<int> minutes = new("--for") { Description = "For how many minutes (1440 at the most).", HelpName = "MINUTES", Required = true };
    readonly Option<bool> dryRun = new("--dry-run") { Description = "Say what would be done, and do nothing." };

    public SanAccessCommand() : base("access", "Let somebody into a zone for a while; out again when the time is over, whatever happens to the appliance meanwhile.")
    {
        Add(name);
        Add(zone);
        Add(initiator);
        Add(minutes);
        Add(dryRun);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var (where, who, time) = (session.Parsed.GetRequiredValue(zone), session.Parsed.GetRequiredValue(initiator), session.Parsed.GetRequiredValue(minutes));
        if (session.Parsed.GetValue(dryRun))
        {
            session.Terminal.NodeLine(where, new($"would let {who} in for {time} minutes"));
            return ExitStatus.Done;
        }
        var change = await session.Client.OpenSan(session.Parsed.GetRequiredValue(name), new() { Zone = where, Initiator = who, Seconds = time * 60 }, cancellation);
        session.Show(change, ApiJson.Default.SanChangeDocument, shown => session.Terminal.NodeLine(shown.Zone, new(shown.Message ?? shown.Outcome)));
        return ExitStatus.Done;
    }
}
