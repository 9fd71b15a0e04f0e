using System.CommandLine;
using GridAppliance.Api.Grids;

namespace GridAppliance.Cli.Commands.Grids;

sealed class GridRunCommand : GridWorkCommand
{
    readonly Argument<string[]> command = new("COMMAND") { Description = "What to run, after -- if it has options.", Arity = ArgumentArity.OneOrMore };
    readonly Option<int> count = new("--count") { Description = "How many times, each where there is room.", HelpName = "N", DefaultValueFactory = static _ => 1 };
    readonly Option<int> seconds = new("--wait") { Description = "How long it is waited for.", HelpName = "SECONDS", DefaultValueFactory = static _ => 60 };

    public GridRunCommand() : base("run", "Run a command on a grid, where there is room, and print what it writes.")
    {
        Add(command);
        Add(count);
        Add(seconds);
    }

    protected override GridWorkRequest Request(Session session) =>
        new() { Kind = "run", Command = session.Parsed.GetRequiredValue(command), Count = session.Parsed.GetValue(count), Seconds = session.Parsed.GetValue(seconds) };
}
