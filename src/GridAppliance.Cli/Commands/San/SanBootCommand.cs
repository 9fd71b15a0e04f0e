using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands.San;

sealed class SanBootCommand : GridctlCommand
{
    readonly Argument<string> node = new("NODE") { Description = "Its name." };
    readonly Option<string> fabric = new("--fabric") { Description = "A lio+iscsi or tgt+unix fabric.", HelpName = "NAME", Required = true };
    readonly Option<string> image = new("--image") { Description = "A disk image in the fabric's folder 'golden' (DATADIR/san/golden).", HelpName = "FILE", Required = true };
    readonly Option<bool> kernel = new("--kernel") { Description = "Load the appliance's own kernel, with its root on the LUN: a file system with an init, on a partition or on the whole disk. Without it, what the LUN's boot sector or EFI partition loads." };
    readonly Option<bool> dryRun = new("--dry-run") { Description = "Say what would be done, and do nothing." };

    public SanBootCommand() : base("boot", "Give a node a clone of a golden image and have it boot from that LUN, from its next boot on.")
    {
        Add(node);
        Add(fabric);
        Add(image);
        Add(kernel);
        Add(dryRun);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var (name, file, on, ours) = (session.Parsed.GetRequiredValue(node), session.Parsed.GetRequiredValue(image), session.Parsed.GetRequiredValue(fabric), session.Parsed.GetValue(kernel));
        if (session.Parsed.GetValue(dryRun))
        {
            session.Terminal.NodeLine(name, new($"would boot {What(ours)} a clone of {file} on {on}"));
            return ExitStatus.Done;
        }
        var boot = await session.Client.BootFromSan(on, new() { Node = name, Image = file, Kernel = ours }, cancellation);
        session.Show(boot, ApiJson.Default.SanBootDocument, shown => session.Terminal.NodeLine(shown.Node, new($"boots {What(shown.Kernel)} a clone of {shown.Image} on {shown.Fabric}, zone {shown.Zone}")));
        return ExitStatus.Done;
    }

    static string What(bool kernel) => kernel ? "the appliance's kernel with its root on" : "from";
}
