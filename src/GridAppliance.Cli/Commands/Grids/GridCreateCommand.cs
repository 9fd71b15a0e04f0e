using System.CommandLine;
using GridAppliance.Api.Modules;

namespace GridAppliance.Cli.Commands.Grids;

sealed class GridCreateCommand : GridChangeCommand
{
    readonly Option<string> masters = new("--masters") { Description = "Who takes requests: an idle node, and a second one that takes its place when it dies; `appliance` is the appliance's own machine.", HelpName = "RANGE", Required = true };
    readonly Option<string> workers = new("--workers") { Description = "Who does the work: idle nodes.", HelpName = "RANGE", Required = true };
    readonly Option<string> engine = new("--engine") { Description = "What passes requests on.", HelpName = "NAME", DefaultValueFactory = static _ => "slurm" };

    public GridCreateCommand() : base("create", "Make a grid of idle nodes: they boot the image that the engine needs, without going through their firmware, and take requests.")
    {
        Add(masters);
        Add(workers);
        Add(engine);
    }

    protected override Task<ChangeDocument> Change(Session session, string grid, bool dryRun, CancellationToken cancellation) => session.Client.CreateGrid(new()
    {
        Name = grid, Engine = session.Parsed.GetRequiredValue(engine), DryRun = dryRun,
        Masters = RangeArgument.Read(session.Parsed.GetRequiredValue(masters)).Text, Workers = RangeArgument.Read(session.Parsed.GetRequiredValue(workers)).Text,
    }, cancellation);

    protected override string Afterwards(string grid) =>
        $"gridctl grid run {grid} hostname   runs a command where there is room; gridctl grid submit {grid} SCRIPT --count 8   queues work; gridctl grid show {grid}   says how it goes";
}
