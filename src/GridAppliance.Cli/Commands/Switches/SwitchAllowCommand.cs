using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.Switches;

namespace GridAppliance.Cli.Commands.Switches;

sealed class SwitchAllowCommand : GridctlCommand
{
    readonly Argument<string> name = SwitchArguments.Name();
    readonly Option<string?> ports = SwitchArguments.Ports();
    readonly Option<string?> vlans = SwitchArguments.Vlans();
    readonly Option<string?> uplinks = SwitchArguments.Uplinks();
    readonly Option<string?> drift = SwitchArguments.Drift();

    public SwitchAllowCommand() : base("allow", "Say what of a switch is ours to write; what is left out stays as it is.")
    {
        Add(name);
        foreach (var option in new[] { ports, vlans, uplinks, drift }) Add(option);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var request = new SwitchAllowRequest { Ports = List(session, ports), Vlans = List(session, vlans), Uplinks = List(session, uplinks), Drift = session.Parsed.GetValue(drift) };
        session.Show(await session.Client.AllowSwitch(session.Parsed.GetRequiredValue(name), request, cancellation), ApiJson.Default.SwitchDocument, shown => SwitchShowCommand.Write(shown, session.Terminal));
        return ExitStatus.Done;
    }

    static IReadOnlyList<string>? List(Session session, Option<string?> option) => session.Parsed.GetValue(option) is { } text ? SwitchArguments.Words(text) : null;
}
