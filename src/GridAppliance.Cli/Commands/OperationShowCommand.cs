using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.Operations;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands;

sealed class OperationShowCommand : GridctlCommand
{
    readonly Argument<string> id = new("ID") { Description = "As `gridctl operation list` shows it." };

    public OperationShowCommand() : base("show", "One operation, step by step.") => Add(id);

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var operation = await session.Client.GetOperation(session.Parsed.GetRequiredValue(id), cancellation);
        session.Show(operation, ApiJson.Default.OperationDocument, shown => Write(shown, session.Terminal));
        return ExitStatus.Done;
    }

    internal static void Write(OperationDocument operation, GridctlTerminal terminal)
    {
        terminal.Facts(
        [
            ("operation", operation.Id),
            ("what", $"{operation.Kind} {operation.Subject}".TrimEnd()),
            ("node", operation.Node is null ? null : new Cell(operation.Node, Tone.Strong)),
            ("state", Phrases.State(operation.State)),
            ("reason", operation.Reason is null ? null : new Cell(operation.Reason)),
            ("began", Phrases.Clock(operation.Started) + (operation.StartedBy is { } by ? $" by {by}" : "")),
            ("ended", operation.Finished is { } at ? new Cell(Phrases.Clock(at)) : null),
        ]);
        terminal.Table(["step", "state", "at", "detail"],
            operation.Steps.Select(s => (IReadOnlyList<Cell>)[s.Name, Phrases.State(s.State), s.At is { } at ? Phrases.Clock(at) : "", s.Detail]));
    }
}
