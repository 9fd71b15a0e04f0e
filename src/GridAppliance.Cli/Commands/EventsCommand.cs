using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.Nodes;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands;

sealed class EventsCommand : GridctlCommand
{
    readonly Option<bool> follow = new("--follow", "-f") { Description = "Go on with what happens, until interrupted; with -o json, one document per line." };
    readonly Option<long?> after = new("--after") { Description = "Begin after this sequence number.", HelpName = "NUMBER" };

    public EventsCommand() : base("events", "What happened lately, on every node and to the appliance.")
    {
        Add(follow);
        Add(after);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var from = session.Parsed.GetValue(after);
        var past = await session.Client.GetEvents(from, cancellation);
        var following = session.Parsed.GetValue(follow);
        if (following) foreach (var happened in past) Write(session, happened);
        else session.Show(past, ApiJson.Default.IReadOnlyListEventDocument, events => { foreach (var happened in events) Write(session, happened); });
        if (!following) return ExitStatus.Done;

        var stream = session.Client.StreamEvents(past.Count > 0 ? past[^1].Sequence : from ?? 0, lost => session.Terminal.Note($"({lost.Message}; trying again)"), cancellation);
        try
        {
            await foreach (var happened in stream) Write(session, happened);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested) { /* Interrupting is how following ends. */ }
        return ExitStatus.Done;
    }

    static void Write(Session session, EventDocument happened)
    {
        if (session.Json) session.Terminal.JsonLine(happened, ApiJson.Default.EventDocument);
        else session.Terminal.Line(Phrases.Severity($"{Phrases.Clock(happened.At)}  {happened.Node ?? "appliance"}: {happened.Message}", happened.Severity));
        session.Terminal.Out.Flush();
    }
}
