using System.CommandLine;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands.San;

sealed class SanUnbootCommand : GridctlCommand
{
    readonly Argument<string> node = new("NODE") { Description = "Its name." };
    readonly Option<bool> keep = new("--keep") { Description = "Keep the clone's file." };
    readonly Option<bool> dryRun = new("--dry-run") { Description = "Say what would be done, and do nothing." };

    public SanUnbootCommand() : base("unboot", "Take a node's LUN away: its zone first, then the clone; it boots as others do.")
    {
        Add(node);
        Add(keep);
        Add(dryRun);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var name = session.Parsed.GetRequiredValue(node);
        var isDry = session.Parsed.GetValue(dryRun);
        if (!isDry) await session.Client.UnbootFromSan(name, session.Parsed.GetValue(keep), cancellation);
        session.Terminal.NodeLine(name, new(isDry ? "its LUN would be taken away" : "its LUN is taken away"));
        return ExitStatus.Done;
    }
}
