using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.San.Lio;
using GridAppliance.San.Mds;
using GridAppliance.San.Tgt;
using GridAppliance.San.Vlans;
using GridAppliance.Store;
using GridAppliance.Switches;
using GridAppliance.Switches.Fleet;
using GridAppliance.Switches.Snmp;

namespace GridAppliance.San;

/// <summary>A storage fabric as it was enrolled; its secret is sealed apart.</summary>
sealed record SanRecord(string Name, Uri Address, SwitchAccount Account);

/// <summary>The storage fabrics that are looked after, and the drivers for them: an address's scheme says which.</summary>
sealed partial class SanFabrics : IDisposable
{
    public const string Mds = "snmp+mds", Lio = "lio+iscsi", Tgt = "tgt+unix", Vlans = "vlan+switches";

    const int IscsiPort = 3260;

    public static IReadOnlyList<Migration> Migrations { get; } = [new("san-1", "CREATE TABLE san(name TEXT PRIMARY KEY, body TEXT NOT NULL, secrets TEXT NOT NULL) STRICT;")];

    readonly ApplianceOptions options;
    readonly Database database;
    readonly SecretSeal seal;
    readonly SnmpSocket socket;
    readonly SwitchFleet fleet;
    readonly NodeDirectory nodes;
    readonly ZoneStore zones;
    readonly Timeline timeline;
    readonly TimeProvider clock;
    readonly SemaphoreSlim changing = new(1, 1);
    ImmutableSortedDictionary<string, (SanRecord Record, ISanFabric Fabric)> fabrics = ImmutableSortedDictionary.Create<string, (SanRecord, ISanFabric)>(StringComparer.OrdinalIgnoreCase);

    public SanFabrics(ApplianceOptions options, Database database, SecretSeal seal, SnmpSocket socket, SwitchFleet fleet, NodeDirectory nodes, Timeline timeline, TimeProvider clock, ILogger<SanFabrics> logger)
    {
        (this.options, this.database, this.seal, this.socket, this.fleet, this.nodes, this.timeline, this.clock) = (options, database, seal, socket, fleet, nodes, timeline, clock);
        zones = new(database);
        foreach (var (record, sealedSecret) in database.Read(connection => connection.Query("SELECT body, secrets FROM san", static row => (JsonSerializer.Deserialize(row.GetString(0), SanJson.Default.SanRecord)!, new SealedSecret(row.GetString(1))))))
        {
            if (seal.Unseal(sealedSecret, Purpose(record.Name)) is { } secret) fabrics = fabrics.Add(record.Name, (record, Open(record, Encoding.UTF8.GetString(secret))));
            else LogNotOpened(logger, record.Name);
        }
    }

    public IReadOnlyDictionary<string, (SanRecord Record, ISanFabric Fabric)> Current => Volatile.Read(ref fabrics);

    /// <summary>A fabric came, went, or has other zones now.</summary>
    public event Action<string>? Changed;

    /// <returns>Why not; null when it is looked after from now on.</returns>
    public async Task<string?> AddAsync(SanRecord record, string? secret, string actor, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken);
        ISanFabric? opened = null;
        try
        {
            if (fabrics.ContainsKey(record.Name)) return $"there is a fabric '{record.Name}' already";
            // The kernel's target asks for no account; what its initiators prove themselves with is made from a secret of our own.
            var kept = IsLocal(record.Address) ? Convert.ToHexString(RandomNumberGenerator.GetBytes(32)) : secret ?? "";
            opened = Open(record, kept);
            await opened.ReadAsync(cancellationToken);
            await database.WriteAsync(connection => connection.Run("INSERT INTO san(name, body, secrets) VALUES ($name, $body, $secrets)",
                ("$name", record.Name), ("$body", JsonSerializer.Serialize(record, SanJson.Default.SanRecord)), ("$secrets", seal.Seal(Encoding.UTF8.GetBytes(kept), Purpose(record.Name)).Text)), cancellationToken);
            Volatile.Write(ref fabrics, fabrics.Add(record.Name, (record, opened)));
            opened = null;
            Changed?.Invoke(record.Name);
            await timeline.AppendAsync(new NewEvent("san.added", $"storage fabric {record.Name} at {record.Address} is looked after") { Actor = actor }, cancellationToken);
            return null;
        }
        catch (Exception e) when (e is DeviceException or NotSupportedException or ArgumentException)
        {
            return e.Message;
        }
        finally
        {
            (opened as IDisposable)?.Dispose();
            changing.Release();
        }
    }

    public async Task<bool> RemoveAsync(string name, string actor, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken);
        try
        {
            if (!fabrics.TryGetValue(name, out var known)) return false;
            await database.WriteAsync(connection => connection.Run("DELETE FROM san WHERE name = $name", ("$name", known.Record.Name)), cancellationToken);
            await zones.ForgetAllAsync(known.Record.Name);
            Volatile.Write(ref fabrics, fabrics.Remove(name));
            (known.Fabric as IDisposable)?.Dispose();
            Changed?.Invoke(known.Record.Name);
            await timeline.AppendAsync(new NewEvent("san.removed", $"storage fabric {known.Record.Name} is no longer looked after; its zones stay as they are") { Actor = actor }, cancellationToken);
            return true;
        }
        finally
        {
            changing.Release();
        }
    }

    /// <summary>Tells what became of a change.</summary>
    public Task TellAsync(string fabric, string zone, string what, SanOutcome outcome, string actor, CancellationToken cancellationToken)
    {
        var severity = outcome.Ending switch
        {
            SanEnding.Done or SanEnding.Unchanged => EventSeverity.Info,
            SanEnding.Refused or SanEnding.RolledBack => EventSeverity.Warning,
            SanEnding.Damaged => EventSeverity.Error,
        };
        if (outcome.Ending is not (SanEnding.Unchanged or SanEnding.Refused)) Changed?.Invoke(fabric);
        var kind = $"san.{outcome.Ending.ToString().ToLowerInvariant()}";
        return outcome.Ending == SanEnding.Unchanged ? Task.CompletedTask
            : timeline.AppendAsync(new NewEvent(kind, $"zone {zone} of {fabric}: {(outcome.Reason is null ? what : $"not {what}: {outcome.Reason}")}") { Severity = severity, Actor = actor }, cancellationToken);
    }

    public void Dispose()
    {
        foreach (var (_, fabric) in Interlocked.Exchange(ref fabrics, fabrics.Clear()).Values) (fabric as IDisposable)?.Dispose();
    }

    /// <summary>A target of this machine, or switches that are looked after already: no account is asked for.</summary>
    public static bool IsLocal(Uri address) => address.Scheme is Lio or Tgt or Vlans;

    static string Purpose(string name) => $"san/{name}";

    ISanFabric Open(SanRecord record, string secret) => record.Address.Scheme switch
    {
        Mds => new JournaledFabric(record.Name, new MdsFabric(record.Address, SnmpAddress.Open(record.Address, record.Account.With(secret), socket, clock)), zones),
        Lio => Kept(record, new LioTarget(record.Address, new KernelConfigFolder(KernelConfigFolder.Target), Settings(Portal(record.Address), secret))),
        Tgt => Kept(record, new TgtTarget(record.Address, new(record.Address.AbsolutePath), Settings(new(IPAddress.Any, IscsiPort), secret))),
        Vlans => new VlanFabric(record.Address, fleet, nodes),
        var other => throw new NotSupportedException($"no driver for {other}: there are {Lio}, {Mds}, {Tgt}, {Vlans}"),
    };

    KeptFabric Kept(SanRecord record, IBootableFabric target) => new(record.Name, target, zones);

    IscsiSettings Settings(IPEndPoint portal, string secret) => new($"iqn.2026-11.lan.{options.Name.ToLowerInvariant()}", portal, Path.Combine(options.DataDir, "san"), initiator => Chap(secret, initiator));

    static IPEndPoint Portal(Uri address)
    {
        return IPAddress.TryParse(address.Host, out var host) ? new(host, address.Port < 0 ? IscsiPort : address.Port) : throw new NotSupportedException($"{address}: a portal is named by its IPv4 address");
    }

    // Nothing of it has to be kept: whoever has the fabric's secret can say each initiator's word again. Sixteen characters, as some initiators take no more.
    static ChapAccount Chap(string secret, string initiator) =>
        new(initiator, Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(initiator)))[..16]);

    [LoggerMessage(Level = LogLevel.Error, Message = "Storage fabric {Name} is not looked after: its secret cannot be unsealed with this appliance's key")]
    static partial void LogNotOpened(ILogger logger, string name);
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(SanRecord))]
sealed partial class SanJson : JsonSerializerContext;
