using GridAppliance.Api;
using GridAppliance.Api.Switches;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands.Switches;

sealed class FabricMapCommand() : GridctlCommand("map", "Which node is behind which port of which switch, as the switches say.")
{
    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        session.Show(await session.Client.GetFabricMap(cancellation), ApiJson.Default.FabricMapDocument, map => Write(map, session.Terminal));
        return ExitStatus.Done;
    }

    static void Write(FabricMapDocument map, GridctlTerminal terminal)
    {
        if (map.Switches.Count == 0) terminal.Line("no switch is looked after: `gridctl switch add`");
        else
        {
            terminal.Table(["switch", "port", "VLANs", "who", "NIC", "says"], map.Switches.SelectMany(s => s.Ports.Where(IsWorthALine).SelectMany(p => Rows(map, s, p))));
        }
        if (map.Unplaced.Count > 0) terminal.Line(new Cell($"nowhere to be seen: {string.Join(", ", map.Unplaced)}", Tone.Faint));
        foreach (var finding in map.Findings) terminal.Line(new Cell(finding.Message, Tone.Warning));
    }

    static bool IsWorthALine(SwitchPortDocument port) => port.Nodes.Count > 0 || port.Uplink is not null || port.Addresses > 0 || port.Neighbour is not null;

    static IEnumerable<IReadOnlyList<Cell>> Rows(FabricMapDocument map, FabricSwitchDocument one, SwitchPortDocument port)
    {
        var vlans = string.Join(',', port.Untagged.Concat(port.Tagged).Order());
        var here = map.Placements.Where(p => p.Switch == one.Name && p.Port == port.Name).ToList();
        if (port.Uplink is { } why) return [[one.Name, port.Name, vlans, new($"uplink: {why}", Tone.Faint), $"{port.Addresses} addresses", ""]];
        if (here.Count > 0) return here.Select(p => (IReadOnlyList<Cell>)[one.Name, port.Name, vlans, new(p.Node, Tone.Strong), p.Mac, string.Join(", ", p.Sources)]);
        return [[one.Name, port.Name, vlans, new(port.Neighbour ?? "a stranger", Tone.Faint), string.Join(", ", port.Others), ""]];
    }
}
