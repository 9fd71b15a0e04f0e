using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.Client;
using GridAppliance.Api.Switches;

namespace GridAppliance.Cli.Commands.Switches;

/// <summary>Something asked of one switch, whose answer is the switch as it is then.</summary>
abstract class SwitchActionCommand : GridctlCommand
{
    readonly Argument<string> name = SwitchArguments.Name();
    readonly Option<bool> dryRun = DryRun.Option();

    readonly string would;

    /// <param name="would">For --dry-run: "leaf1: WOULD"; null where nothing is changed.</param>
    protected SwitchActionCommand(string verb, string description, string? would = null) : base(verb, description)
    {
        this.would = would ?? "";
        Add(name);
        if (would is not null) Add(dryRun);
    }

    protected abstract Task<SwitchDocument> Ask(ApplianceClient client, string name, CancellationToken cancellation);

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var wanted = session.Parsed.GetRequiredValue(name);
        if (session.Parsed.GetValue(dryRun)) return DryRun.Show(session, (await session.Client.GetSwitch(wanted, cancellation)).Name, would);
        session.Show(await Ask(session.Client, wanted, cancellation), ApiJson.Default.SwitchDocument, shown => SwitchShowCommand.Write(shown, session.Terminal));
        return ExitStatus.Done;
    }
}
