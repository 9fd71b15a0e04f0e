using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands;

sealed class ConsoleScriptRunCommand : GridctlCommand
{
    readonly Argument<string> node = new("NODE") { Description = "At whose console." };
    readonly Argument<string> script = new("SCRIPT") { Description = "Which script." };
    readonly Option<bool> takeOver = new("--take-over") { Description = "Type even if somebody else does; they see it." };
    readonly Option<bool> dryRun = DryRun.Option();

    public ConsoleScriptRunCommand() : base("run", "Run a script at a node's console; what it does is in the console's record. Interrupting ends it.")
    {
        Add(node);
        Add(script);
        Add(takeOver);
        Add(dryRun);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var name = session.Parsed.GetRequiredValue(node);
        if (session.Parsed.GetValue(dryRun))
        {
            var wanted = session.Parsed.GetRequiredValue(script);
            var known = (await session.Client.GetConsoleScripts(cancellation)).FirstOrDefault(one => one.Name == wanted);
            return DryRun.Show(session, (await session.Client.GetNode(name, cancellation)).Name, known is null ? $"there is no script '{wanted}'" : $"'{wanted}' would run at its console", known is not null);
        }
        var request = new Api.Consoles.ConsoleScriptRequest { Script = session.Parsed.GetRequiredValue(script), TakeOver = session.Parsed.GetValue(takeOver) };
        var outcome = "failed";
        await foreach (var progress in session.Client.RunConsoleScript(name, request, cancellation))
        {
            outcome = progress.Outcome;
            if (session.Json) session.Terminal.JsonLine(progress, ApiJson.Default.ConsoleScriptProgress);
            else session.Terminal.NodeLine(name, new(progress.Outcome == "step" ? $"{progress.Step}. {progress.Text}" : progress.Text, progress.Outcome switch { "done" => Tone.Good, "failed" => Tone.Bad, _ => Tone.Plain }));
        }
        return outcome == "done" ? ExitStatus.Done : ExitStatus.None;
    }
}
