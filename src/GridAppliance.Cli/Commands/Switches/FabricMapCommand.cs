using GridAppliance.Api;
using GridAppliance.Api.Switches;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands.Switches;

sealed class FabricMapCommand() : GridctlCommand("map", "Which node is behind which port of which switch, and who reaches which storage; who sends in another's name, and from which port.")
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
        if (map.Storage.Count > 0) terminal.Table(["storage", "zone", "who", "reaches", "state"], map.Storage.SelectMany(Rows));
        foreach (var storage in map.Storage.Where(s => s.Problem is not null)) terminal.Line(new Cell($"{storage.Name}: {storage.Problem}", Tone.Bad));
        foreach (var forged in map.Forged) terminal.Line(new Cell($"{Phrases.Count(forged.Packets, "frame")}: {forged.Message}", Tone.Bad));
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

    static IEnumerable<IReadOnlyList<Cell>> Rows(FabricStorageDocument storage) => storage.Zones.Count == 0
        ? [[storage.Name, "", "", new("no zone of ours", Tone.Faint), storage.State]]
        : storage.Zones.Select(z => (IReadOnlyList<Cell>)[storage.Name, z.Name, new(string.Join(", ", z.Initiators.Select(Who)), Tone.Strong), string.Join(", ", z.Storage), storage.State]);

    static string Who(FabricInitiatorDocument initiator) => (initiator.Node ?? initiator.Name) + (initiator.Until is { } until ? $" (until {until:HH:mm} UTC)" : "");
}
