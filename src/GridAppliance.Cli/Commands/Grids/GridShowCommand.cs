using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.Grids;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands.Grids;

sealed class GridShowCommand : GridctlCommand
{
    /// <summary>An array of thousands is for programs to read.</summary>
    const int MostJobs = 40;

    readonly Argument<string> grid = new("GRID") { Description = "Its name." };

    public GridShowCommand() : base("show", "One grid: who is in it, who is coming and going, load, and work.") => Add(grid);

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        session.Show(await session.Client.GetGrid(session.Parsed.GetRequiredValue(grid), cancellation), ApiJson.Default.GridDocument, shown =>
        {
            session.Terminal.NodeLine(shown.Name, new($"{shown.Engine}, {shown.State}"));
            foreach (var member in shown.Members) session.Terminal.NodeLine(member.Node, Describe(member));
            if (shown.JobCounts.Count > 0) session.Terminal.NodeLine("queue", new(string.Join(", ", shown.JobCounts.Select(count => $"{count.Value} {count.Key.ToLowerInvariant()}"))));
            foreach (var job in shown.Jobs.Take(MostJobs)) session.Terminal.NodeLine($"job {job.Id}", new($"{job.State.ToLowerInvariant()} {job.Name}{(job.Nodes is null ? "" : $" on {job.Nodes}")}"));
            if (shown.Jobs.Count > MostJobs) session.Terminal.Note($"and {shown.Jobs.Count - MostJobs} jobs more: --output json has them all");
            if (shown.Problem is { } problem) session.Terminal.Note(problem);
        });
        return ExitStatus.Done;
    }

    static Cell Describe(GridMemberDocument member) => new(
        $"{member.Role}, {member.Standing}{(member.State is null ? "" : $", {member.State}, {member.BusyCpus}/{member.Cpus} CPUs busy, load {member.Load}")}{(member.DownSince is { } since ? $", taken out since {Phrases.Clock(since)}" : "")}", member.State == "down" || member.DownSince is not null ? Tone.Bad : Tone.Plain);
}
