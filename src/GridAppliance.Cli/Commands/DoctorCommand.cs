using GridAppliance.Api;
using GridAppliance.Api.Nodes;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands;

/// <summary>Looks at everything that the appliance knows to be wrong, and at every node that is not well, and says what to do first.</summary>
sealed class DoctorCommand() : GridctlCommand("doctor", "Is all well? What is not, and what to do; exit status 0 when all is well, 2 otherwise.")
{
    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var status = await session.Client.GetStatus(cancellation);
        var nodes = await session.Client.GetNodes(null, cancellation);
        var unwell = new List<WhyDocument>();
        foreach (var node in nodes)
        {
            if (node.State is "idle" or "active" or "retired" && node.Problem is null) continue;
            var why = await session.Client.GetWhy(node.Name, cancellation);
            if (!why.Ok) unwell.Add(why);
        }
        if (session.Json) session.Terminal.Json(new DoctorDocument { Problems = status.Problems, Nodes = unwell }, ApiJson.Default.DoctorDocument);
        else Write(session.Terminal, status, nodes.Count, unwell);
        return status.Problems.Count + unwell.Count == 0 ? ExitStatus.Done : ExitStatus.Some;
    }

    static void Write(GridctlTerminal terminal, StatusDocument status, int nodes, List<WhyDocument> unwell)
    {
        terminal.Line(new Cell($"ok    {status.Name} answers, version {status.Version}", Tone.Good));
        foreach (var problem in status.Problems) Finding(terminal, $"appliance: {problem.Message}", problem.NextStep);
        foreach (var why in unwell) Finding(terminal, $"{why.Node}: {why.Reason}", why.NextStep);
        if (unwell.Count == 0) terminal.Line(new Cell(nodes == 0 ? "ok    no node has turned up yet" : $"ok    {Phrases.Count(nodes, "node")}, none in trouble", Tone.Good));
    }

    static void Finding(GridctlTerminal terminal, string what, string? nextStep)
    {
        terminal.Line(new Cell($"look  {what}", Tone.Bad));
        if (nextStep is not null) terminal.Line($"      → {nextStep}");
    }
}
