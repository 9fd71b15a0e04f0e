using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.Power;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands;

sealed class BmcCommand : GridctlCommand
{
    readonly Argument<string> name = new("NODE") { Description = "Its name." };

    public BmcCommand() : base("bmc", "What a machine's BMC says of it and of itself: labels (FRU), network, accounts, weaknesses.")
    {
        Add(name);
        Add(new BmcLanCommand());
        Add(new BmcUsersCommand());
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        session.Show(await session.Client.GetBmc(session.Parsed.GetRequiredValue(name), cancellation), ApiJson.Default.BmcDetailDocument, shown => session.Terminal.Facts(
        [
            ("BMC", new(shown.Address, Tone.Strong)),
            ("UUID", shown.Uuids.Count > 0 ? shown.Uuids[0] : null),
            .. shown.Parts.Select(part => ("part", (Cell?)Describe(part))),
            ("network", shown.Lan is { } lan ? BmcLanCommand.Describe(lan) : null),
            .. shown.Accounts.Where(BmcUsersCommand.IsWorthALine).Select(account => ("account", (Cell?)BmcUsersCommand.Describe(account))),
            .. shown.SecurityProblems.Select(problem => ("security", (Cell?)new Cell(problem, Tone.Warning))),
        ]));
        return ExitStatus.Done;
    }

    static string Describe(PartDocument part) =>
        string.Join(' ', new[] { part.Name + ":", part.Maker, part.Product, part.PartNumber, part.Serial is { } serial ? $"serial {serial}" : null, part.AssetTag is { } tag ? $"tag {tag}" : null }.Where(text => text is not null));
}
