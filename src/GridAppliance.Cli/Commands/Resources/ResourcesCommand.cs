using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.Resources;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands.Resources;

sealed class ResourcesCommand : GridctlCommand
{
    readonly Argument<string?> range = RangeArgument.Optional("Which nodes; every node without it.");
    readonly HoldOptions amounts = new();
    readonly Option<bool> holdings = new("--holdings") { Description = "Who holds what, a line each." };

    public ResourcesCommand() : base("resources", "What is free where. With amounts: only where there is so much.")
    {
        Add(range);
        amounts.AddAmountsTo(this);
        Add(holdings);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var asked = session.Parsed.GetValue(range);
        var nodes = await session.Client.GetResources(asked is null ? null : RangeArgument.Read(asked).Text, cancellation);
        if (amounts.Amounts(session.Parsed) is { } wanted) nodes = [.. nodes.Where(node => node.State is "idle" or "active" && wanted.LackIn(node.Free) is null)];
        session.Show(nodes, ApiJson.Default.IReadOnlyListNodeResourcesDocument, shown =>
        {
            if (session.Parsed.GetValue(holdings)) WriteHoldings(shown, session.Terminal);
            else WriteNodes(shown, session.Terminal);
        });
        return nodes.Count > 0 ? ExitStatus.Done : ExitStatus.None;
    }

    static void WriteNodes(IReadOnlyList<NodeResourcesDocument> nodes, GridctlTerminal terminal) => terminal.Table(
        ["node", "state", "CPUs free", "memory free", "disk free", "accelerators", "named", "owners"],
        nodes.Select(node => (IReadOnlyList<Cell>)
        [
            new(node.Node, Tone.Strong), Phrases.State(node.State), $"{node.Free.Cpus} of {node.Total.Cpus}", $"{Phrases.Bytes(node.Free.MemoryMiB << 20)} of {Phrases.Bytes(node.Total.MemoryMiB << 20)}",
            node.Total.DiskMiB == 0 ? "" : $"{Phrases.Bytes(node.Free.DiskMiB << 20)} of {Phrases.Bytes(node.Total.DiskMiB << 20)}",
            node.Total.Accelerators == 0 ? "" : $"{node.Free.Accelerators} of {node.Total.Accelerators}",
            string.Join(", ", node.Total.Named.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key} {node.Free.Named.GetValueOrDefault(pair.Key)} of {pair.Value}")),
            string.Join(", ", node.Holdings.Select(holding => holding.Owner).Distinct()),
        ]));

    static void WriteHoldings(IReadOnlyList<NodeResourcesDocument> nodes, GridctlTerminal terminal) => terminal.Table(
        ["node", "owner", "state", "what", "until", "uses", "modules", "id"],
        nodes.SelectMany(node => node.Holdings).Select(holding => (IReadOnlyList<Cell>)
        [
            new(holding.Node, Tone.Strong), holding.Owner, holding.State, holding.Amounts.ToString(), Phrases.Clock(holding.Until),
            holding.Usage is { } usage ? $"{Phrases.Bytes(usage.MemoryMiB << 20)}, {usage.CpuSeconds:0.0} CPU s, {Phrases.Count(usage.Processes, "process", "processes")}" : "",
            string.Join(", ", holding.Modules), new(holding.Id, Tone.Faint),
        ]));
}
