using GridAppliance.Api;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands.Switches;

sealed class SwitchListCommand() : GridctlCommand("list", "Switches that are looked after.")
{
    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        session.Show(await session.Client.GetSwitches(cancellation), ApiJson.Default.IReadOnlyListSwitchDocument, switches => session.Terminal.Table(
            ["switch", "state", "address", "ports", "VLANs", "owner", "calls itself", "problem"],
            switches.Select(s => (IReadOnlyList<Cell>)
            [
                new(s.Name, Tone.Strong), new(s.State, s.State == "ok" ? Tone.Good : s.State == "trouble" ? Tone.Bad : Tone.Busy), s.Address, $"{s.Ports}", $"{s.Vlans.Count}",
                new(s.Ownership == "theirs" ? s.Owner ?? s.Ownership : s.Ownership, s.Ownership == "theirs" ? Tone.Warning : Tone.Plain), s.SystemName, new(s.Problem ?? "", Tone.Bad),
            ])));
        return ExitStatus.Done;
    }
}
