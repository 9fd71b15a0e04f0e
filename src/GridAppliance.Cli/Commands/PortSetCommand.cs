using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.Ports;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands;

sealed class PortSetCommand : GridctlCommand
{
    readonly Argument<string> node = new("NODE") { Description = "Whose port it is." };
    readonly Argument<string> address = new("ADDRESS") { Description = "ipmi://10.0.0.5, redfish+https://10.0.0.5, snmp+apc://10.0.0.9/7 (outlet 7), consoles: tcp://10.0.0.9:7001 (raw), telnet+rfc2217://10.0.0.9:7001?speed=9600, serial:///dev/ttyS1?speed=115200." };
    readonly Option<string?> user = new("--user", "-u") { Description = "The account. Its password is asked for, or read as a line from standard input.", HelpName = "NAME" };
    readonly Option<bool> password = new("--password") { Description = "Ask for a password though there is no account (an SNMP community)." };
    readonly Option<bool> deviceKey = new("--device-key") { Description = "Also ask for, or read as the next line, the BMC's own key (IPMI K_g) or SNMP's privacy passphrase." };
    readonly Option<string?> location = new("--location") { Description = "Where it is, in your own words." };
    readonly Option<bool> newCertificate = new("--new-certificate") { Description = "The device has got another certificate, and that is wanted." };
    readonly Option<bool> dryRun = new("--dry-run") { Description = "Say what would be set, and do nothing." };

    public PortSetCommand() : base("set", "Tell how a node can be acted on: through a BMC, an outlet, a console.")
    {
        Add(node);
        Add(address);
        Add(user);
        Add(password);
        Add(deviceKey);
        Add(location);
        Add(newCertificate);
        Add(dryRun);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var parsed = session.Parsed;
        var (whose, at) = (parsed.GetRequiredValue(node), parsed.GetRequiredValue(address));
        if (parsed.GetValue(dryRun))
        {
            session.Terminal.NodeLine(whose, $"{at} would be set{(parsed.GetValue(user) is { } account ? $", as {account}" : "")}");
            return ExitStatus.Done;
        }
        // Secrets are never arguments or variables: both can be read by others.
        var secret = parsed.GetValue(user) is not null || parsed.GetValue(password) ? session.Terminal.Secret($"password for {at}: ") : null;
        var key = parsed.GetValue(deviceKey) ? session.Terminal.Secret($"device key of {at}: ") : null;
        var request = new PortRequest { Address = at, User = parsed.GetValue(user), Password = secret, DeviceKey = key, Location = parsed.GetValue(location), NewCertificate = parsed.GetValue(newCertificate) };
        var set = await session.Client.SetPort(whose, request, cancellation);
        session.Show(set, ApiJson.Default.PortDocument, shown => session.Terminal.NodeLine(shown.Node ?? whose, Describe(shown)));
        return set.State is "refused" or "silent" or "troubled" ? ExitStatus.None : ExitStatus.Done;
    }

    public static Cell Describe(PortDocument port) => new(
        $"{port.Address} {port.Kind}{(port.User is { } user ? $" as {user}" : "")}{(port.Certificate is { } certificate ? $", certificate SHA-256 {certificate}" : "")}, {(port.Problem is { } problem ? $"{port.State}: {problem}" : port.State)}",
        port.State switch { "answers" => Tone.Good, "refused" => Tone.Bad, "silent" or "troubled" => Tone.Warning, _ => Tone.Plain });
}
