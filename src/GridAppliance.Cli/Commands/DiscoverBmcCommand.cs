using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands;

sealed class DiscoverBmcCommand : GridctlCommand
{
    readonly Argument<string> range = new("ADDRESSES") { Description = "10.1.0.0/24 or 10.1.0.10-10.1.0.90." };
    readonly Option<string?> user = new("--user", "-u") { Description = "Take in what is found, with this account. Its password is asked for, or read as a line from standard input.", HelpName = "NAME" };
    readonly Option<bool> dryRun = new("--dry-run") { Description = "Look, and take in nothing." };

    public DiscoverBmcCommand() : base("bmc", "Look for BMCs in a range of addresses.")
    {
        Add(range);
        Add(user);
        Add(dryRun);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var account = session.Parsed.GetValue(dryRun) ? null : session.Parsed.GetValue(user);
        var password = account is null ? null : session.Terminal.Secret($"password of {account} on the BMCs: ") ?? "";
        var found = await session.Client.ScanForBmcs(new() { Range = session.Parsed.GetRequiredValue(range), User = account, Password = password }, cancellation);
        session.Show(found, ApiJson.Default.BmcScanDocument, shown => session.Terminal.Table(["IP", "IPMI", "REDFISH", "PRODUCT", "PORT", "NODE"],
            shown.Found.Select(bmc => new Cell[] { bmc.Ip, new((bmc.Ipmi ?? "-") + (bmc.AllowsAnonymous ? " (anonymous!)" : ""), bmc.AllowsAnonymous ? Tone.Bad : Tone.Plain), bmc.Redfish ?? "-", bmc.Product ?? "", bmc.Address ?? "-", bmc.Node ?? "-" })));
        return found.Found.Count > 0 ? ExitStatus.Done : ExitStatus.None;
    }
}
