using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands.Grids;

/// <summary>For programs that speak the engine's own language. What is printed is a secret, and made to be handed to curl as it is.</summary>
sealed class GridPassCommand : GridctlCommand
{
    readonly Argument<string> grid = new("GRID") { Description = "Its name." };
    readonly Option<int> seconds = new("--seconds") { Description = "How long it is good for, at most a week.", HelpName = "N", DefaultValueFactory = static _ => 3600 };

    public GridPassCommand() : base("pass", "Print the headers with which a program asks the grid's engine itself (Slurm: its REST daemon). Keep them secret: see docs/grids.md.")
    {
        Add(grid);
        Add(seconds);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var name = session.Parsed.GetRequiredValue(grid);
        session.Show(await session.Client.PassForGrid(name, new() { Seconds = session.Parsed.GetValue(seconds) }, cancellation), ApiJson.Default.GridPassDocument, pass =>
        {
            foreach (var (header, value) in pass.Headers) session.Terminal.Line($"{header}: {value}");
            session.Terminal.Note($"gridctl grid pass {name} > pass; curl -H @pass {pass.Url}{pass.Try}   good until {Phrases.Clock(pass.Expires)}");
        });
        return ExitStatus.Done;
    }
}
