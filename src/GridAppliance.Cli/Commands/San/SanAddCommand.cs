using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.San;

namespace GridAppliance.Cli.Commands.San;

sealed class SanAddCommand : GridctlCommand
{
    /// <summary>Targets of this machine, and switches that are looked after already.</summary>
    static readonly string[] AsksForNone = ["lio+", "tgt+", "vlan+"];

    readonly Argument<string> name = SanArguments.Fabric();
    readonly Argument<string> address = new("ADDRESS") { Description = "snmp+mds://10.0.0.5/20 (a Cisco MDS, VSAN 20), lio+iscsi://10.0.0.1 (this machine's kernel), tgt+unix:///run/tgtd/socket.0 (its tgtd) or vlan+switches:///300-319/999 (VLANs of the switches that are looked after; 999 is the idle one)." };
    readonly Option<string?> user = new("--user") { Description = "User of SNMP version 3.", HelpName = "USER" };
    readonly Option<string?> authentication = new("--authentication") { Description = "sha1, sha224, sha256 (the default), sha384 or sha512.", HelpName = "HASH" };
    readonly Option<string?> privacy = new("--privacy") { Description = "aes128 (the default), aes192, aes256 or none.", HelpName = "CIPHER" };
    // The secret's value is never an argument or a variable: both can be read by others.
    readonly Option<string?> secretFile = new("--secret-file") { Description = "File with the passphrases, a line each, or the community. Asked for without it.", HelpName = "FILE" };
    readonly Option<bool> dryRun = DryRun.Option();

    public SanAddCommand() : base("add", "Look after a storage fabric.")
    {
        Add(name);
        Add(address);
        foreach (var option in new[] { user, authentication, privacy, secretFile }) Add(option);
        Add(dryRun);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var where = session.Parsed.GetRequiredValue(address);
        if (session.Parsed.GetValue(dryRun))
        {
            var wanted = session.Parsed.GetRequiredValue(name);
            var isThere = (await session.Client.GetSanFabrics(cancellation)).Any(known => known.Name == wanted);
            return DryRun.Show(session, wanted, isThere ? "is looked after already" : $"{where} would be looked after", !isThere);
        }
        var request = new SanFabricRequest
        {
            Name = session.Parsed.GetRequiredValue(name), Address = where, User = session.Parsed.GetValue(user), Authentication = session.Parsed.GetValue(authentication),
            Privacy = session.Parsed.GetValue(privacy), Secret = AsksForNone.Any(scheme => where.StartsWith(scheme, StringComparison.Ordinal)) ? null : Secret(session),
        };
        session.Show(await session.Client.AddSanFabric(request, cancellation), ApiJson.Default.SanFabricDocument, added => session.Terminal.Line($"{added.Name} at {added.Address} is looked after"));
        return ExitStatus.Done;
    }

    string Secret(Session session) => session.Parsed.GetValue(secretFile) is { } file ? InputFile.Read(file, "the secret", "check --secret-file")
        : session.Terminal.Secret("passphrase: ") ?? throw new UsageException("there is no secret", "name a file with --secret-file, or write it to standard input");
}
