using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.Grids;

namespace GridAppliance.Cli.Commands.Grids;

/// <summary>A request to a grid: what comes back is printed as it is.</summary>
abstract class GridWorkCommand : GridctlCommand
{
    protected readonly Argument<string> Grid = new("GRID") { Description = "Its name." };

    protected GridWorkCommand(string name, string description) : base(name, description) => Add(Grid);

    protected abstract GridWorkRequest Request(Session session);

    protected sealed override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var answer = await session.Client.RequestOfGrid(session.Parsed.GetRequiredValue(Grid), Request(session), cancellation);
        session.Show(answer, ApiJson.Default.GridWorkDocument, shown =>
        {
            session.Terminal.Out.Write(shown.Output);
            if (!shown.Succeeded) session.Terminal.Complain(shown.Message ?? "it did not succeed", null);
        });
        return answer.Succeeded ? ExitStatus.Done : ExitStatus.None;
    }
}
