using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.Power;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands;

sealed class BmcLanCommand : GridctlCommand
{
    readonly Argument<string> name = new("NODE") { Description = "Its name." };
    readonly Option<string?> address = new("--address") { Description = "Its address.", HelpName = "IPV4" };
    readonly Option<string?> mask = new("--mask") { Description = "Its network's mask.", HelpName = "IPV4" };
    readonly Option<string?> gateway = new("--gateway") { Description = "Its gateway.", HelpName = "IPV4" };
    readonly Option<int?> vlan = new("--vlan") { Description = "Its VLAN; 0 for none." };
    readonly Option<bool> dhcp = new("--dhcp") { Description = "Take the address from DHCP." };
    readonly Option<bool> fix = new("--static") { Description = "Keep the address that it has, or is given." };
    readonly Option<bool> force = new("--force") { Description = "Also what may take it away from where the appliance reaches it; the appliance then looks for it at the new address." };
    readonly Option<bool> dryRun = new("--dry-run") { Description = "Say what would be changed, and do nothing." };

    public BmcLanCommand() : base("lan", "How a machine's BMC is on the network; with options, change it.")
    {
        Add(name);
        foreach (var option in (Option[])[address, mask, gateway, vlan, dhcp, fix, force, dryRun]) Add(option);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var parsed = session.Parsed;
        var node = parsed.GetRequiredValue(name);
        if (parsed.GetValue(dhcp) && parsed.GetValue(fix)) throw new UsageException("say either --dhcp or --static", "see `gridctl bmc lan --help`");
        var request = new BmcLanRequest
        {
            Address = parsed.GetValue(address), Mask = parsed.GetValue(mask), Gateway = parsed.GetValue(gateway), Vlan = parsed.GetValue(vlan),
            Origin = parsed.GetValue(dhcp) ? "dhcp" : parsed.GetValue(fix) ? "static" : null,
        };
        if (request == new BmcLanRequest())
        {
            session.Show(await session.Client.GetBmcLan(node, cancellation), ApiJson.Default.BmcLanDocument, lan => session.Terminal.NodeLine(node, new Cell(Describe(lan))));
            return ExitStatus.Done;
        }
        var changed = await session.Client.SetBmcLan(node, request with { Force = parsed.GetValue(force), DryRun = parsed.GetValue(dryRun) }, cancellation);
        session.Show(changed, ApiJson.Default.BmcChangeDocument, shown => session.Terminal.NodeLine(node, new Cell(shown.Message)));
        return ExitStatus.Done;
    }

    public static string Describe(BmcLanDocument lan) => $"{lan.Address} mask {lan.Mask} gateway {lan.Gateway} MAC {lan.Mac} ({lan.Origin}){(lan.Vlan is > 0 and var tag ? $" VLAN {tag}" : "")}";
}
