using System.CommandLine;
using GridAppliance.Api.Grids;

namespace GridAppliance.Cli.Commands.Grids;

sealed class GridSubmitCommand : GridWorkCommand
{
    readonly Argument<FileInfo> script = new("SCRIPT") { Description = "A file whose first line names its interpreter." };
    readonly Option<int> count = new("--count") { Description = "How many times.", HelpName = "N", DefaultValueFactory = static _ => 1 };

    public GridSubmitCommand() : base("submit", "Queue a script on a grid; prints the job's number.")
    {
        Add(script);
        Add(count);
    }

    protected override GridWorkRequest Request(Session session) =>
        new() { Kind = "submit", Script = File.ReadAllText(session.Parsed.GetRequiredValue(script).FullName), Count = session.Parsed.GetValue(count) };
}
