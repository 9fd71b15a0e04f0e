using GridAppliance.Api;
using GridAppliance.Api.Operations;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands;

sealed class OperationListCommand() : GridctlCommand("list", "Operations, the newest first.")
{
    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        session.Show(await session.Client.GetOperations(cancellation), ApiJson.Default.IReadOnlyListOperationDocument, operations => session.Terminal.Table(
            ["operation", "what", "node", "state", "began", "by", "reason"],
            operations.Select(o => (IReadOnlyList<Cell>)[o.Id, What(o), o.Node, Phrases.State(o.State), Phrases.Clock(o.Started), o.StartedBy, o.Reason])));
        return ExitStatus.Done;
    }

    static string What(OperationDocument operation) => operation.Subject is null ? operation.Kind : $"{operation.Kind} {operation.Subject}";
}
