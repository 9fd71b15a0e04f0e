using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.NodeRanges;
using GridAppliance.Api.Power;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands;

sealed class PowerStatusCommand : GridctlCommand
{
    readonly Argument<string?> range = RangeArgument.Optional("Which nodes; all with a port for their power when left out.");

    public PowerStatusCommand() : base("status", "Whether machines are on, asked now.") => Add(range);

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var wanted = session.Parsed.GetValue(range) is { } text ? RangeArgument.Read(text).Text : null;
        var status = await session.Client.GetPower(wanted, cancellation);
        session.Show(status, ApiJson.Default.PowerStatusDocument, shown =>
        {
            foreach (var node in shown.Nodes.OrderBy(n => n.Node, NodeNameOrder.Instance)) session.Terminal.NodeLine(node.Node, Describe(node));
        });
        var good = status.Nodes.Count(node => node.Problem is null);
        return good == status.Nodes.Count ? ExitStatus.Done : good > 0 ? ExitStatus.Some : ExitStatus.None;
    }

    static Cell Describe(NodePowerDocument node) =>
        node.Problem is { } problem ? new($"unknown: {problem}", Tone.Warning)
        : new(node.DesiredPower is { } desired && desired != node.Power ? $"{node.Power} ({desired} was asked for)" : node.Power, node.Power == "on" ? Tone.Good : Tone.Plain);
}
