using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands;

sealed class DiscoverBootCommand : GridctlCommand
{
    readonly Argument<string[]> addresses = new("ADDRESS") { Description = "Ports that are no node's yet, as `gridctl port list` shows them.", Arity = ArgumentArity.ZeroOrMore };
    readonly Option<bool> all = new("--all") { Description = "Every port that is no node's yet." };
    readonly Option<bool> force = new("--force") { Description = "Also restart machines that are on." };
    readonly Option<bool> dryRun = new("--dry-run") { Description = "Say what would be done, and do nothing." };

    public DiscoverBootCommand() : base("boot", "Make machines of which only the BMC is known boot from the network, so that they become nodes.")
    {
        Add(addresses);
        Add(all);
        Add(force);
        Add(dryRun);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var chosen = session.Parsed.GetValue(addresses) ?? [];
        if (chosen.Length == 0 != session.Parsed.GetValue(all)) throw new UsageException("say which addresses, or --all", "list them with `gridctl port list`");
        var done = await session.Client.BootPorts(new() { Addresses = chosen.Length == 0 ? null : chosen, Force = session.Parsed.GetValue(force), DryRun = session.Parsed.GetValue(dryRun) }, cancellation);
        session.Show(done, ApiJson.Default.PortImportDocument, shown =>
        {
            foreach (var port in shown.Ports) session.Terminal.NodeLine(port.Address, new(port.Message, port.Accepted ? Tone.Plain : Tone.Bad));
        });
        var good = done.Ports.Count(port => port.Accepted);
        return good == done.Ports.Count ? ExitStatus.Done : good > 0 ? ExitStatus.Some : ExitStatus.None;
    }
}
