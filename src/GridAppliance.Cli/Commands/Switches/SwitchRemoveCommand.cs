using System.CommandLine;

namespace GridAppliance.Cli.Commands.Switches;

sealed class SwitchRemoveCommand : GridctlCommand
{
    readonly Argument<string> name = SwitchArguments.Name();

    public SwitchRemoveCommand() : base("remove", "Look after a switch no longer; it is left as it is, without our mark.") => Add(name);

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var wanted = session.Parsed.GetRequiredValue(name);
        await session.Client.RemoveSwitch(wanted, cancellation);
        if (!session.Json) session.Terminal.Line($"{wanted} is no longer looked after");
        return ExitStatus.Done;
    }
}
