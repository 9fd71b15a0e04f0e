using System.CommandLine;
using System.Globalization;
using GridAppliance.Api;
using GridAppliance.Api.Nodes;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands;

sealed class NodeTimelineCommand : GridctlCommand
{
    readonly Argument<string> name = new("NODE") { Description = "Its name." };

    public NodeTimelineCommand() : base("timeline", "What happened to a node, step by step, with times.") => Add(name);

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var timeline = await session.Client.GetTimeline(session.Parsed.GetRequiredValue(name), cancellation);
        session.Show(timeline, ApiJson.Default.TimelineDocument, shown => Write(shown, session.Terminal));
        return ExitStatus.Done;
    }

    static void Write(TimelineDocument timeline, GridctlTerminal terminal)
    {
        terminal.Table(["time", "boot +s", "ours ms", "event", "what"], timeline.Events.Select(e => (IReadOnlyList<Cell>)
        [
            new(Phrases.Clock(e.At), Tone.Faint), Figure(e.SinceBootSeconds, "0.0"), Figure(e.ApplianceMs, "0.00"), e.Kind, Phrases.Severity(e.Message, e.Severity),
        ]));
        var whole = timeline.LastBootSeconds is { } seconds ? $"{Figure(seconds, "0.0")} s from the first DISCOVER to idle" : "not finished";
        terminal.Line($"last boot: {whole}; the appliance's own share {Figure(timeline.LastBootApplianceMs, "0.0")} ms");
    }

    static string Figure(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "";
}
