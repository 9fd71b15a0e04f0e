using System.CommandLine;
using GridAppliance.Api;

namespace GridAppliance.Cli.Commands;

sealed class OperationCancelCommand : GridctlCommand
{
    readonly Argument<string> id = new("ID") { Description = "As `gridctl operation list` shows it." };
    readonly Option<bool> dryRun = new("--dry-run") { Description = "Show the operation, and leave it alone." };

    public OperationCancelCommand() : base("cancel", "Stop an operation; what it did is taken back.")
    {
        Add(id);
        Add(dryRun);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var wanted = session.Parsed.GetRequiredValue(id);
        var operation = session.Parsed.GetValue(dryRun) ? await session.Client.GetOperation(wanted, cancellation) : await session.Client.CancelOperation(wanted, cancellation);
        session.Show(operation, ApiJson.Default.OperationDocument, shown => OperationShowCommand.Write(shown, session.Terminal));
        return ExitStatus.Done;
    }
}
