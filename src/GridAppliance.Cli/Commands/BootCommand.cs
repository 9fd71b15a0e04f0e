using System.CommandLine;
using GridAppliance.Api.Modules;

namespace GridAppliance.Cli.Commands;

sealed class BootCommand : ChangeCommand
{
    static readonly string[] Devices = ["net", "http", "disk", "cd", "setup", "diag", "removable", "none"];

    readonly Option<string?> once = new("--once") { Description = $"For the next boot: {string.Join(", ", Devices)}.", HelpName = "DEVICE" };
    readonly Option<string?> always = new("--always") { Description = "For every boot from now on.", HelpName = "DEVICE" };
    readonly Option<bool> power = new("--power") { Description = "Make it happen now: switch on what is off, power-cycle what is on." };
    readonly Option<string?> firmware = new("--firmware") { Description = "bios or uefi; without it as each node was last seen booting.", HelpName = "KIND" };
    readonly Option<string?> uri = new("--uri") { Description = "With http: what to fetch; whatever DHCP says without it.", HelpName = "URL" };
    readonly Option<string?> via = new("--via") { Description = "Through which port, where a node has several: bmc, or a scheme such as ipmi.", HelpName = "PORT" };

    public BootCommand() : base("boot", "Say what machines boot from.")
    {
        once.AcceptOnlyFromAmong(Devices);
        always.AcceptOnlyFromAmong(Devices);
        firmware.AcceptOnlyFromAmong("bios", "uefi");
        Add(once);
        Add(always);
        Add(power);
        Add(firmware);
        Add(uri);
        Add(via);
    }

    protected override string Verb => "change the boot device of";

    protected override Task<ChangeDocument> Change(Session session, string range, bool dryRun, CancellationToken cancellation)
    {
        var (next, every) = (session.Parsed.GetValue(once), session.Parsed.GetValue(always));
        if (next is null == every is null) throw new UsageException("say either --once or --always", "for example `gridctl boot n3 --once net --power`");
        return session.Client.SetBoot(new()
        {
            Range = range, Device = (next ?? every)!, Persistent = every is not null, Power = session.Parsed.GetValue(power), Firmware = session.Parsed.GetValue(firmware),
            Uri = session.Parsed.GetValue(uri), Via = session.Parsed.GetValue(via), DryRun = dryRun,
        }, cancellation);
    }
}
