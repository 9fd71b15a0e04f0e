using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.Power;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands;

sealed class SelCommand : GridctlCommand
{
    readonly Argument<string> name = new("NODE") { Description = "Its name." };
    readonly Option<bool> clear = new("--clear") { Description = "Empty it." };
    readonly Option<bool> dryRun = new("--dry-run") { Description = "With --clear: say how much would go, and do nothing." };

    public SelCommand() : base("sel", "The event log that a machine's BMC keeps.")
    {
        Add(name);
        Add(clear);
        Add(dryRun);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var node = session.Parsed.GetRequiredValue(name);
        var clears = session.Parsed.GetValue(clear);
        var log = clears && !session.Parsed.GetValue(dryRun) ? await session.Client.ClearDeviceLog(node, cancellation) : await session.Client.GetDeviceLog(node, cancellation);
        session.Show(log, ApiJson.Default.DeviceLogDocument, shown =>
        {
            if (clears) session.Terminal.NodeLine(node, session.Parsed.GetValue(dryRun) ? $"{Phrases.Count(shown.Events.Count, "entry", "entries")} would go" : "its event log is empty");
            else foreach (var entry in shown.Events) session.Terminal.Line(Describe(entry));
        });
        return ExitStatus.Done;
    }

    static string Describe(DeviceEventDocument entry) => $"{entry.Id}  {(entry.At is { } at ? Phrases.Clock(at) : "(no date)          ")}  {entry.Source}: {entry.Text}{(entry.IsOver ? " (over)" : "")}";
}
