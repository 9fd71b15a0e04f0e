using GridAppliance.Api;

namespace GridAppliance.Cli.Commands.Grids;

sealed class GridListCommand() : GridctlCommand("list", "Every grid, with its masters and workers.")
{
    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        session.Show(await session.Client.GetGrids(cancellation), ApiJson.Default.IReadOnlyListGridDocument, grids =>
        {
            if (grids.Count == 0) session.Terminal.Note("no grids yet: `gridctl grid create`");
            foreach (var grid in grids)
                session.Terminal.NodeLine(grid.Name, new($"{grid.Engine}, {grid.State}: {string.Join(", ", grid.Members.Select(member => member.Role == "master" ? $"{member.Node} (master)" : member.Node))}"));
        });
        return ExitStatus.Done;
    }
}
