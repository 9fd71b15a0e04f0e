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
    readonly Option<bool> dryRun = DryRun.Option();

    public SwitchAllowCommand() : base("allow", "Say what of a switch is ours to write; what is left out stays as it is.")
    {
        Add(name);
        foreach (var option in new[] { ports, vlans, uplinks, drift }) Add(option);
        Add(dryRun);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var wanted = session.Parsed.GetRequiredValue(name);
        if (session.Parsed.GetValue(dryRun)) return DryRun.Show(session, (await session.Client.GetSwitch(wanted, cancellation)).Name, Would(session));
        var request = new SwitchAllowRequest { Ports = List(session, ports), Vlans = List(session, vlans), Uplinks = List(session, uplinks), Drift = session.Parsed.GetValue(drift) };
        session.Show(await session.Client.AllowSwitch(wanted, request, cancellation), ApiJson.Default.SwitchDocument, shown => SwitchShowCommand.Write(shown, session.Terminal));
        return ExitStatus.Done;
    }

    string Would(Session session)
    {
        var said = new[] { ports, vlans, uplinks, drift }.Where(option => session.Parsed.GetValue(option) is not null).Select(option => $"{option.Name[2..]} {session.Parsed.GetValue(option)}").ToList();
        return said.Count == 0 ? "would stay as it is" : $"would have {string.Join(", ", said)}";
    }

    static IReadOnlyList<string>? List(Session session, Option<string?> option) => session.Parsed.GetValue(option) is { } text ? SwitchArguments.Words(text) : null;
}
