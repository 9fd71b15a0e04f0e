using System.CommandLine;

namespace GridAppliance.Cli.Commands.Switches;

sealed class SwitchRemoveCommand : GridctlCommand
{
    readonly Argument<string> name = SwitchArguments.Name();
    readonly Option<bool> dryRun = DryRun.Option();

    public SwitchRemoveCommand() : base("remove", "Look after a switch no longer; it is left as it is, without our mark.")
    {
        Add(name);
        Add(dryRun);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var wanted = session.Parsed.GetRequiredValue(name);
        if (session.Parsed.GetValue(dryRun)) return DryRun.Show(session, (await session.Client.GetSwitch(wanted, cancellation)).Name, "would be looked after no longer");
        await session.Client.RemoveSwitch(wanted, cancellation);
        if (!session.Json) session.Terminal.Line($"{wanted} is no longer looked after");
        return ExitStatus.Done;
    }
}
