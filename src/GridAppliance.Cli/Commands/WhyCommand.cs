using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.Nodes;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands;

sealed class WhyCommand : GridctlCommand
{
    readonly Argument<string> name = new("NODE") { Description = "Its name." };

    public WhyCommand() : base("why", "Why a node is not ready, and what to do about it.") => Add(name);

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var why = await session.Client.GetWhy(session.Parsed.GetRequiredValue(name), cancellation);
        session.Show(why, ApiJson.Default.WhyDocument, shown => Write(shown, session.Terminal));
        return ExitStatus.Done;
    }

    static void Write(WhyDocument why, GridctlTerminal terminal)
    {
        terminal.NodeLine(why.Node, new(why.Reason, why.Ok ? Tone.Good : Tone.Warning));
        if (why.NextStep is not null) terminal.Line($"  → {why.NextStep}");
        if (why.Evidence.Count == 0) return;
        terminal.Line(new Cell("seen:", Tone.Faint));
        foreach (var e in why.Evidence) terminal.Line(new Cell($"  {Phrases.Clock(e.At)}  {e.Message}", Tone.Faint));
    }
}
