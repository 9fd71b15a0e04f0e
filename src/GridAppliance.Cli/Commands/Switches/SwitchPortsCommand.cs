using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.Switches;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands.Switches;

sealed class SwitchPortsCommand : GridctlCommand
{
    readonly Argument<string> name = SwitchArguments.Name();

    public SwitchPortsCommand() : base("ports", "A switch's ports, their VLANs, and who is behind them.") => Add(name);

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var ports = await session.Client.GetSwitchPorts(session.Parsed.GetRequiredValue(name), cancellation);
        session.Show(ports, ApiJson.Default.IReadOnlyListSwitchPortDocument, shown => session.Terminal.Table(
            ["port", "link", "VLANs", "who", "whose", "description"],
            shown.Select(p => (IReadOnlyList<Cell>)
            [
                new(p.Name, Tone.Strong), Link(p), Vlans(p), Who(p), new(p.Uplink is { } why ? $"uplink: {why}" : p.Ours ? "ours" : "not ours", p.Ours ? Tone.Good : Tone.Faint), p.Description,
            ])));
        return ExitStatus.Done;
    }

    static Cell Link(SwitchPortDocument port) => port.Enabled == false ? new Cell("disabled", Tone.Warning) : port.Link switch { true => new Cell("up", Tone.Good), false => new Cell("down", Tone.Faint), null => new Cell("") };

    static string Vlans(SwitchPortDocument port) => port.Mode switch
    {
        "access" => string.Join(',', port.Untagged),
        "trunk" => $"{(port.Untagged.Count > 0 ? string.Join(',', port.Untagged) : "no native")} + {string.Join(',', port.Tagged)} tagged",
        "unknown" => port.Pvid is { } pvid ? $"unknown (PVID {pvid})" : "unknown",
        _ => port.Mode,
    };

    static string Who(SwitchPortDocument port)
    {
        var known = port.Nodes.Concat(port.Others).ToList();
        var text = string.Join(", ", known.Count > 4 ? known.Take(4) : known);
        var more = port.Addresses - port.Others.Count - port.Nodes.Count;
        return (text, port.Neighbour) switch
        {
            ("", null) => "",
            ("", { } neighbour) => $"hears {neighbour}",
            (_, { } neighbour) => $"{text}{(more > 0 ? $" and {more} more" : "")}; hears {neighbour}",
            _ => $"{text}{(more > 0 ? $" and {more} more" : "")}",
        };
    }
}
