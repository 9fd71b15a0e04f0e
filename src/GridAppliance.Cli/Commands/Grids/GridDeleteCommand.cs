using GridAppliance.Api.Modules;

namespace GridAppliance.Cli.Commands.Grids;

sealed class GridDeleteCommand() : GridChangeCommand("delete", "Dissolve a grid: its nodes are idle again, in the tiny image, and nothing of it is left on them.")
{
    protected override Task<ChangeDocument> Change(Session session, string grid, bool dryRun, CancellationToken cancellation) => session.Client.ChangeGrid(grid, "delete", new() { DryRun = dryRun }, cancellation);
}
