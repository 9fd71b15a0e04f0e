using System.CommandLine;
using GridAppliance.Api;

namespace GridAppliance.Cli.Commands;

sealed class OperationWaitCommand : GridctlCommand
{
    readonly Argument<string> id = new("ID") { Description = "As `gridctl operation list` shows it." };

    public OperationWaitCommand() : base("wait", "Wait until an operation has ended; the exit status says how.") => Add(id);

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var wanted = session.Parsed.GetRequiredValue(id);
        var ended = (await new OperationWatch(session.Client, session.Terminal).Wait([wanted], cancellation))[wanted];
        session.Show(ended, ApiJson.Default.OperationDocument, shown => OperationShowCommand.Write(shown, session.Terminal));
        return ended.State == "done" ? ExitStatus.Done : ExitStatus.None;
    }
}
