using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.San;
using GridAppliance.Cli.Commands.Switches;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands.San;

sealed class SanListCommand() : GridctlCommand("list", "Storage fabrics that are looked after.")
{
    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        session.Show(await session.Client.GetSanFabrics(cancellation), ApiJson.Default.IReadOnlyListSanFabricDocument, fabrics => session.Terminal.Table(
            ["fabric", "address", "login"], fabrics.Select(f => (IReadOnlyList<Cell>)[new(f.Name, Tone.Strong), f.Address, f.Account])));
        return ExitStatus.Done;
    }
}

sealed class SanZonesCommand : GridctlCommand
{
    readonly Argument<string> name = SanArguments.Fabric();

    public SanZonesCommand() : base("zones", "The zones in force on a fabric.") => Add(name);

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        session.Show(await session.Client.GetSanZones(session.Parsed.GetRequiredValue(name), cancellation), ApiJson.Default.IReadOnlyListSanZoneDocument, zones => session.Terminal.Table(
            ["zone", "initiators", "storage"], zones.Select(z => (IReadOnlyList<Cell>)[new(z.Name, Tone.Strong), string.Join(", ", z.Initiators), string.Join(", ", z.Storage)])));
        return ExitStatus.Done;
    }
}

sealed class SanAddCommand : GridctlCommand
{
    readonly Argument<string> name = SanArguments.Fabric();
    readonly Argument<string> address = new("ADDRESS") { Description = "snmp+mds://10.0.0.5/20 (a Cisco MDS, VSAN 20) lio+iscsi://10.0.0.1 (this machine's kernel) or tgt+unix:///run/tgtd/socket.0 (its tgtd)." };
    readonly Option<string?> user = new("--user") { Description = "User of SNMP version 3.", HelpName = "USER" };
    readonly Option<string?> authentication = new("--authentication") { Description = "sha1, sha224, sha256 (the default), sha384 or sha512.", HelpName = "HASH" };
    readonly Option<string?> privacy = new("--privacy") { Description = "aes128 (the default), aes192, aes256 or none.", HelpName = "CIPHER" };
    // The secret's value is never an argument or a variable: both can be read by others.
    readonly Option<string?> secretFile = new("--secret-file") { Description = "File with the passphrases, a line each, or the community. Asked for without it.", HelpName = "FILE" };

    public SanAddCommand() : base("add", "Look after a storage fabric.")
    {
        Add(name);
        Add(address);
        foreach (var option in new[] { user, authentication, privacy, secretFile }) Add(option);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var where = session.Parsed.GetRequiredValue(address);
        var request = new SanFabricRequest
        {
            Name = session.Parsed.GetRequiredValue(name), Address = where, User = session.Parsed.GetValue(user), Authentication = session.Parsed.GetValue(authentication),
            Privacy = session.Parsed.GetValue(privacy), Secret = where.StartsWith("lio+", StringComparison.Ordinal) || where.StartsWith("tgt+", StringComparison.Ordinal) ? null : Secret(session),
        };
        session.Show(await session.Client.AddSanFabric(request, cancellation), ApiJson.Default.SanFabricDocument, added => session.Terminal.Line($"{added.Name} at {added.Address} is looked after"));
        return ExitStatus.Done;
    }

    string Secret(Session session)
    {
        try
        {
            if (session.Parsed.GetValue(secretFile) is { } file) return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"the secret cannot be read: {e.Message}", "check --secret-file");
        }
        return session.Terminal.Secret("passphrase: ") ?? throw new UsageException("there is no secret", "name a file with --secret-file, or write it to standard input");
    }
}

sealed class SanRemoveCommand : GridctlCommand
{
    readonly Argument<string> name = SanArguments.Fabric();

    public SanRemoveCommand() : base("remove", "Look after a storage fabric no longer; its zones stay as they are.") => Add(name);

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        await session.Client.RemoveSanFabric(session.Parsed.GetRequiredValue(name), cancellation);
        if (!session.Json) session.Terminal.Line($"{session.Parsed.GetRequiredValue(name)} is no longer looked after");
        return ExitStatus.Done;
    }
}

/// <summary>A change of one zone.</summary>
abstract class SanChangeCommand : GridctlCommand
{
    readonly Argument<string> name = SanArguments.Fabric();
    readonly Argument<string> zone = new("ZONE") { Description = "Its name; ours begin with grid-." };
    readonly Option<bool> dryRun = new("--dry-run") { Description = "Say what would be done, and do nothing." };

    protected SanChangeCommand(string name, string description) : base(name, description)
    {
        Add(this.name);
        Add(zone);
        Add(dryRun);
    }

    protected virtual SanZoneRequest Complete(Session session, SanZoneRequest request) => request;

    protected abstract Task<SanChangeDocument> Change(Session session, string fabric, SanZoneRequest request, CancellationToken cancellation);

    protected sealed override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var request = Complete(session, new() { Zone = session.Parsed.GetRequiredValue(zone), DryRun = session.Parsed.GetValue(dryRun) });
        var change = await Change(session, session.Parsed.GetRequiredValue(name), request, cancellation);
        var isGood = change.Outcome is "done" or "unchanged" or "planned";
        session.Show(change, ApiJson.Default.SanChangeDocument, shown => session.Terminal.NodeLine(shown.Zone, new($"{shown.Outcome}{(shown.Message is null ? "" : $": {shown.Message}")}", isGood ? Tone.Plain : Tone.Bad)));
        return isGood ? ExitStatus.Done : ExitStatus.None;
    }
}

sealed class SanConnectCommand : SanChangeCommand
{
    readonly Option<string?> initiators = new("--initiators") { Description = "Port names (50:00:…) or iSCSI names, with commas.", HelpName = "NAMES", Required = true };
    readonly Option<string?> storage = new("--storage") { Description = "Port names of storage, or files to serve, with commas.", HelpName = "NAMES", Required = true };

    public SanConnectCommand() : base("connect", "Put a zone in force: these initiators reach this storage, and nobody else does through it.")
    {
        Add(initiators);
        Add(storage);
    }

    protected override SanZoneRequest Complete(Session session, SanZoneRequest request) =>
        request with { Initiators = SwitchArguments.Words(session.Parsed.GetValue(initiators)), Storage = SwitchArguments.Words(session.Parsed.GetValue(storage)) };

    protected override Task<SanChangeDocument> Change(Session session, string fabric, SanZoneRequest request, CancellationToken cancellation) => session.Client.ConnectSan(fabric, request, cancellation);
}

sealed class SanDisconnectCommand() : SanChangeCommand("disconnect", "Take a zone out of force and remove it.")
{
    protected override Task<SanChangeDocument> Change(Session session, string fabric, SanZoneRequest request, CancellationToken cancellation) => session.Client.DisconnectSan(fabric, request, cancellation);
}

static class SanArguments
{
    public static Argument<string> Fabric() => new("FABRIC") { Description = "Its name." };
}
