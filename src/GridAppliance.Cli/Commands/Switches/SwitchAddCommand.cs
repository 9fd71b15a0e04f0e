using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.Switches;

namespace GridAppliance.Cli.Commands.Switches;

sealed class SwitchAddCommand : GridctlCommand
{
    readonly Argument<string> name = SwitchArguments.Name();
    readonly Argument<string> address = new("ADDRESS") { Description = "snmp+qbridge://10.0.0.2 (most switches) or snmp+cisco://10.0.0.2." };
    readonly Option<string?> user = new("--user") { Description = "User of SNMP version 3. Without it version 2c is spoken, which everybody on the way can read.", HelpName = "USER" };
    readonly Option<string?> authentication = new("--authentication") { Description = "sha1, sha224, sha256 (the default), sha384 or sha512.", HelpName = "HASH" };
    readonly Option<string?> privacy = new("--privacy") { Description = "aes128 (the default), aes192, aes256 or none.", HelpName = "CIPHER" };
    // The secret's value is never an argument or a variable: both can be read by others.
    readonly Option<string?> secretFile = new("--secret-file") { Description = "File with the authentication passphrase and, in a second line, the privacy passphrase if it is another; for version 2c the community. Asked for without it.", HelpName = "FILE" };
    readonly Option<string?> ports = SwitchArguments.Ports();
    readonly Option<string?> vlans = SwitchArguments.Vlans();
    readonly Option<string?> uplinks = SwitchArguments.Uplinks();
    readonly Option<string?> drift = SwitchArguments.Drift();
    readonly Option<bool> dryRun = DryRun.Option();

    public SwitchAddCommand() : base("add", "Look after a switch: it is read, marked as ours and tried.")
    {
        Add(name);
        Add(address);
        foreach (var option in new[] { user, authentication, privacy, secretFile, ports, vlans, uplinks, drift }) Add(option);
        Add(dryRun);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        if (session.Parsed.GetValue(dryRun))
        {
            var (wanted, at) = (session.Parsed.GetRequiredValue(name), session.Parsed.GetRequiredValue(address));
            var isThere = (await session.Client.GetSwitches(cancellation)).Any(known => known.Name == wanted);
            return DryRun.Show(session, wanted, isThere ? "is looked after already" : $"{at} would be read, marked as ours and tried", !isThere);
        }
        var request = new SwitchRequest
        {
            Name = session.Parsed.GetRequiredValue(name),
            Address = session.Parsed.GetRequiredValue(address),
            User = session.Parsed.GetValue(user),
            Authentication = session.Parsed.GetValue(authentication),
            Privacy = session.Parsed.GetValue(privacy),
            Secret = Secret(session),
            Ours = new()
            {
                Ports = SwitchArguments.Words(session.Parsed.GetValue(ports)),
                Vlans = SwitchArguments.Words(session.Parsed.GetValue(vlans)),
                Uplinks = SwitchArguments.Words(session.Parsed.GetValue(uplinks)),
            },
            Drift = session.Parsed.GetValue(drift),
        };
        session.Show(await session.Client.AddSwitch(request, cancellation), ApiJson.Default.SwitchDocument, shown => SwitchShowCommand.Write(shown, session.Terminal));
        return ExitStatus.Done;
    }

    string Secret(Session session)
    {
        if (session.Parsed.GetValue(secretFile) is { } file) return InputFile.Read(file, "the secret", "check --secret-file");
        var isUser = session.Parsed.GetValue(user) is not null;
        var first = session.Terminal.Secret(isUser ? "authentication passphrase: " : "community: ") ?? throw new UsageException("there is no secret", "name a file with --secret-file, or write it to standard input");
        return isUser ? $"{first}\n{session.Terminal.Secret("privacy passphrase (empty: the same): ")}" : first;
    }
}
