using System.CommandLine;
using GridAppliance.Api.Modules;

namespace GridAppliance.Cli.Commands.Grids;

sealed class GridMembersCommand : GridChangeCommand
{
    readonly Argument<string> range = RangeArgument.Required();
    readonly Option<bool> now = new("--now") { Description = "Do not wait for the work that is there: it goes on elsewhere." };
    readonly string verb;

    /// <param name="verb">As the appliance calls it.</param>
    /// <param name="description">For help.</param>
    /// <param name="ends">Whether work that is there may be waited for or not.</param>
    public GridMembersCommand(string verb, string description, bool ends = false) : base(verb, description)
    {
        this.verb = verb;
        Add(range);
        if (ends) Add(now);
    }

    protected override Task<ChangeDocument> Change(Session session, string grid, bool dryRun, CancellationToken cancellation) => session.Client.ChangeGrid(grid, verb,
        new() { Range = RangeArgument.Read(session.Parsed.GetRequiredValue(range)).Text, Now = session.Parsed.GetValue(now), DryRun = dryRun }, cancellation);
}
