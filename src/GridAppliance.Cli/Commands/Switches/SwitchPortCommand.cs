using System.CommandLine;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands.Switches;

sealed class SwitchPortCommand : GridctlCommand
{
    readonly Argument<string> targets = new("NODE-or-PORT") { Description = "A node, or SWITCH/PORT; several with commas." };
    readonly Option<bool> enable = new("--enable") { Description = "Open it." };
    readonly Option<bool> disable = new("--disable") { Description = "Shut it." };
    readonly Option<string?> describe = new("--describe") { Description = "What the switch shows of it.", HelpName = "TEXT" };
    readonly Option<bool> dryRun = new("--dry-run") { Description = "Say what would be done, and do nothing." };

    public SwitchPortCommand() : base("port", "Open, shut or describe a port, or the port that a node is on.")
    {
        Add(targets);
        Add(enable);
        Add(disable);
        Add(describe);
        Add(dryRun);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var (open, shut) = (session.Parsed.GetValue(enable), session.Parsed.GetValue(disable));
        if (open && shut) throw new UsageException("a port cannot be opened and shut at once", "write --enable or --disable");
        return SwitchVlanCommand.Show(session, await session.Client.ChangeVlans(new()
        {
            Targets = SwitchArguments.Words(session.Parsed.GetRequiredValue(targets)), Enabled = open ? true : shut ? false : null, Description = session.Parsed.GetValue(describe),
            DryRun = session.Parsed.GetValue(dryRun),
        }, cancellation));
    }
}
