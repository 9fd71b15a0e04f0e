using GridAppliance.Api;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands;

sealed class ConsoleScriptListCommand() : GridctlCommand("list", "The scripts there are, and what each is for.")
{
    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var scripts = await session.Client.GetConsoleScripts(cancellation);
        session.Show(scripts, ApiJson.Default.IReadOnlyListConsoleScriptDocument, shown =>
        {
            foreach (var script in shown)
            {
                session.Terminal.Line(new Cell(script.Name, Tone.Strong));
                session.Terminal.Line($"  {script.About}");
                foreach (var step in script.Steps) session.Terminal.Line(new Cell($"    {step}", Tone.Faint));
            }
        });
        return ExitStatus.Done;
    }
}
