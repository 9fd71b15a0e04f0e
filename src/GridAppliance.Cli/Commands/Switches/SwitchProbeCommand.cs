using System.CommandLine;
using GridAppliance.Api;

namespace GridAppliance.Cli.Commands.Switches;

sealed class SwitchProbeCommand : GridctlCommand
{
    readonly Argument<string> name = SwitchArguments.Name();

    public SwitchProbeCommand() : base("probe", "Find out what a switch can do, by writing to it what it holds already.") => Add(name);

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        session.Show(await session.Client.ProbeSwitch(session.Parsed.GetRequiredValue(name), cancellation), ApiJson.Default.SwitchDocument, shown => SwitchShowCommand.Write(shown, session.Terminal));
        return ExitStatus.Done;
    }
}
