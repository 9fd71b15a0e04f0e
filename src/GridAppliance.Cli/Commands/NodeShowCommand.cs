using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.Nodes;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands;

sealed class NodeShowCommand : GridctlCommand
{
    readonly Argument<string> name = new("NODE") { Description = "Its name." };

    public NodeShowCommand() : base("show", "All that is known of a node.") => Add(name);

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var node = await session.Client.GetNode(session.Parsed.GetRequiredValue(name), cancellation);
        session.Show(node, ApiJson.Default.NodeDocument, shown => Write(shown, session.Terminal));
        return ExitStatus.Done;
    }

    static void Write(NodeDocument node, GridctlTerminal terminal)
    {
        terminal.Facts(
        [
            ("node", new(node.Name, Tone.Strong)),
            ("state", Phrases.State(node.State) with { Text = $"{node.State} since {Phrases.Clock(node.StateSince)}" }),
            ("problem", node.Problem is null ? null : new Cell(node.Problem, Tone.Bad)),
            ("boot", node.Boot is { } boot ? $"{boot.Stage} ({boot.Percent}%), begun {Phrases.Clock(boot.Started)}" : null),
            ("address", Fact(node.Ip)),
            ("MAC", string.Join(", ", node.Macs)),
            ("UUID", Fact(node.Uuid)),
            ("machine", Fact(string.Join(", ", new[] { node.Arch, node.Firmware }.Where(s => s is not null)))),
            ("place", node.Location is { } at ? $"{at.Switch} port {at.Port}" : null),
            ("power", Fact(node.Power)),
            ("BMC", node.Bmc is { } bmc ? $"{bmc.Kind} {bmc.Address}" : null),
            ("agent", node.Agent is { } agent ? $"{agent.Version}, last heard {(agent.LastSeen is { } seen ? Phrases.Clock(seen) : "never")}" : null),
            ("image", Fact(node.Image)),
            ("written to", node.Disk is { } disk ? $"{disk.Name}{(disk.Serial is null ? "" : $" (serial {disk.Serial})")}: {disk.Image} as {disk.HostName}{(disk.Address is null ? "" : $" at {disk.Address}")}, by {disk.By}, {Phrases.Clock(disk.Since)}; wiped when it is released" : null),
            ("doing", Fact(node.Doing)),
            .. node.Inventory is { } inventory ? Inventory(inventory) : [],
            .. node.Modules.Select(module => ("module", (Cell?)(Phrases.State(module.State) with { Text = $"{module.Name} {module.Version}, {module.State}" }))),
            ("first seen", Phrases.Clock(node.FirstSeen)),
            ("id", new(node.Id, Tone.Faint)),
        ]);
    }

    static IEnumerable<(string, Cell?)> Inventory(InventoryDocument inventory)
    {
        yield return ("hardware", Fact(string.Join(' ', new[] { inventory.Vendor, inventory.Product, inventory.Serial is { } serial ? $"serial {serial}" : null }.Where(s => s is not null))));
        yield return ("CPUs", $"{inventory.Cpus} × {inventory.CpuModel ?? "unknown model"}");
        yield return ("memory", Phrases.Bytes(inventory.MemoryMiB << 20));
        foreach (var disk in inventory.Disks)
            yield return ("disk", $"{disk.Name} {Phrases.Bytes(disk.SizeBytes)} {disk.Transport} {disk.Model}{(disk.Serial is null ? "" : $" serial {disk.Serial}")}".TrimEnd());
        foreach (var nic in inventory.Nics)
        {
            yield return ("NIC", $"{nic.Name} {nic.Mac} {nic.Driver} {(nic.Link ? nic.SpeedMbps is { } speed ? $"{speed} Mb/s" : "link" : "no link")}");
            foreach (var neighbour in nic.Neighbours)
                yield return ("", $"  hears {neighbour.SystemName ?? neighbour.ChassisId} port {neighbour.PortDescription ?? neighbour.PortId}");
        }
        yield return ("kernel", Fact(inventory.Kernel));
    }

    static Cell? Fact(string? text) => string.IsNullOrEmpty(text) ? null : new Cell(text);
}
