namespace GridAppliance.Cli.Commands;

sealed class DiscoverListCommand() : GridctlCommand("list", "Nodes that turned up and have not joined, and those that are held back.")
{
    protected override Task<ExitStatus> Run(Session session, CancellationToken cancellation) =>
        NodesCommand.List(session, null, node => node.State is "discovered" or "enrolling" or "held", "nobody waits to join", cancellation);
}
