using System.CommandLine;
using GridAppliance.Api;

namespace GridAppliance.Cli.Commands;

sealed class PortRemoveCommand : GridctlCommand
{
    readonly Argument<string> node = new("NODE") { Description = "Whose port it is." };
    readonly Argument<string> address = new("ADDRESS") { Description = "As `gridctl port list` shows it." };
    readonly Option<bool> dryRun = new("--dry-run") { Description = "Say what would be removed, and do nothing." };

    public PortRemoveCommand() : base("remove", "Forget a port and its account.")
    {
        Add(node);
        Add(address);
        Add(dryRun);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var (whose, at) = (session.Parsed.GetRequiredValue(node), session.Parsed.GetRequiredValue(address));
        if (session.Parsed.GetValue(dryRun))
        {
            session.Terminal.NodeLine(whose, $"{at} would be removed");
            return ExitStatus.Done;
        }
        session.Show(await session.Client.RemovePort(whose, at, cancellation), ApiJson.Default.PortDocument, gone => session.Terminal.NodeLine(whose, $"{gone.Address} removed"));
        return ExitStatus.Done;
    }
}
