using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.NodeRanges;
using GridAppliance.Api.Nodes;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands;

sealed class NodesCommand : GridctlCommand
{
    readonly Argument<string?> range = RangeArgument.Optional("Which nodes; all without it.");

    public NodesCommand() : base("nodes", "Nodes and their states: a table, or NODE: VALUE lines when the output is redirected.") => Add(range);

    protected override Task<ExitStatus> Run(Session session, CancellationToken cancellation) => List(session, session.Parsed.GetValue(range), _ => true, "no nodes yet: power on a server whose NIC is on a provisioning network", cancellation);

    internal static async Task<ExitStatus> List(Session session, string? text, Func<NodeDocument, bool> filter, string none, CancellationToken cancellation)
    {
        var wanted = text is null ? NodeRange.All : RangeArgument.Read(text);
        var picked = wanted.Select(await session.Client.GetNodes(null, cancellation));
        IReadOnlyList<NodeDocument> nodes = [.. picked.Nodes.Where(filter)];
        session.Show(nodes, ApiJson.Default.IReadOnlyListNodeDocument, shown => Write(shown, text is null ? none : "no node is like that", session.Terminal));
        foreach (var absent in picked.Missing.Concat(picked.Unknown)) session.Terminal.Complain($"{absent}: no such node", null);
        if (picked.Missing.Count + picked.Unknown.Count == 0) return ExitStatus.Done;
        return nodes.Count > 0 ? ExitStatus.Some : ExitStatus.None;
    }

    static void Write(IReadOnlyList<NodeDocument> nodes, string none, GridctlTerminal terminal)
    {
        if (nodes.Count == 0) terminal.Note(none);
        else if (terminal.Interactive) terminal.Table(["node", "state", "boot", "address", "MAC", "firmware", "where", "problem"], nodes.Select(Row));
        else foreach (var node in nodes) terminal.NodeLine(node.Name, Line(node));
    }

    static IReadOnlyList<Cell> Row(NodeDocument node) =>
    [
        new(node.Name, Tone.Strong), Phrases.State(node.State), Boot(node), node.Ip, node.Mac, node.Firmware, Where(node), new(node.Problem ?? "", Tone.Bad),
    ];

    static string Line(NodeDocument node) =>
        string.Join(' ', new[] { node.State, Boot(node), node.Ip, node.Mac, node.Firmware, Where(node), node.Problem }.Where(part => !string.IsNullOrEmpty(part)));

    static string Boot(NodeDocument node) => node.Boot is { Finished: null } boot ? $"{boot.Stage} {boot.Percent}%" : "";

    static string? Where(NodeDocument node) => node.Location is { } at ? $"{at.Switch}/{at.Port}" : null;
}
