using System.CommandLine;
using GridAppliance.Api;

namespace GridAppliance.Cli.Commands.Switches;

sealed class SwitchTakeCommand : GridctlCommand
{
    readonly Argument<string> name = SwitchArguments.Name();

    public SwitchTakeCommand() : base("take", "Make a switch ours that bears the mark of another appliance, which must be gone.") => Add(name);

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        session.Show(await session.Client.TakeSwitch(session.Parsed.GetRequiredValue(name), cancellation), ApiJson.Default.SwitchDocument, shown => SwitchShowCommand.Write(shown, session.Terminal));
        return ExitStatus.Done;
    }
}
