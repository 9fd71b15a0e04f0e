using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.Client;
using GridAppliance.Api.Switches;

namespace GridAppliance.Cli.Commands.Switches;

/// <summary>Something asked of one switch, whose answer is the switch as it is then.</summary>
abstract class SwitchActionCommand : GridctlCommand
{
    readonly Argument<string> name = SwitchArguments.Name();

    protected SwitchActionCommand(string verb, string description) : base(verb, description) => Add(name);

    protected abstract Task<SwitchDocument> Ask(ApplianceClient client, string name, CancellationToken cancellation);

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        session.Show(await Ask(session.Client, session.Parsed.GetRequiredValue(name), cancellation), ApiJson.Default.SwitchDocument, shown => SwitchShowCommand.Write(shown, session.Terminal));
        return ExitStatus.Done;
    }
}
