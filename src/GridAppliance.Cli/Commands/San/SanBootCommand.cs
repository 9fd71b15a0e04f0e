using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands.San;

sealed class SanBootCommand : GridctlCommand
{
    readonly Argument<string> node = new("NODE") { Description = "Its name." };
    readonly Option<string> fabric = new("--fabric") { Description = "A lio+iscsi or tgt+unix fabric.", HelpName = "NAME", Required = true };
    readonly Option<string> image = new("--image") { Description = "A disk image in the fabric's folder 'golden' (DATADIR/san/golden).", HelpName = "FILE", Required = true };
    readonly Option<bool> dryRun = new("--dry-run") { Description = "Say what would be done, and do nothing." };

    public SanBootCommand() : base("boot", "Give a node a clone of a golden image and have it boot from that LUN, from its next boot on.")
    {
        Add(node);
        Add(fabric);
        Add(image);
        Add(dryRun);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var (name, file, on) = (session.Parsed.GetRequiredValue(node), session.Parsed.GetRequiredValue(image), session.Parsed.GetRequiredValue(fabric));
        if (session.Parsed.GetValue(dryRun))
        {
            session.Terminal.NodeLine(name, new($"would boot from a clone of {file} on {on}"));
            return ExitStatus.Done;
        }
        var boot = await session.Client.BootFromSan(on, new() { Node = name, Image = file }, cancellation);
        session.Show(boot, ApiJson.Default.SanBootDocument, shown => session.Terminal.NodeLine(shown.Node, new($"boots from a clone of {shown.Image} on {shown.Fabric}, zone {shown.Zone}")));
        return ExitStatus.Done;
    }
}
