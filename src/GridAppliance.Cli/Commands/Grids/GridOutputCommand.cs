using System.CommandLine;
using GridAppliance.Api.Grids;

namespace GridAppliance.Cli.Commands.Grids;

sealed class GridOutputCommand : GridWorkCommand
{
    readonly Argument<string> job = new("JOB") { Description = "Its number." };

    public GridOutputCommand() : base("output", "Print what a job wrote that was submitted.") => Add(job);

    protected override GridWorkRequest Request(Session session) => new() { Kind = "output", Job = session.Parsed.GetRequiredValue(job) };
}
