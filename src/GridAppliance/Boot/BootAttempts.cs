using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Store;

namespace GridAppliance.Boot;

/// <summary>
/// One-time tokens that tie an agent to the machine that booted. Durable before the script leaves, so that the daemon may die between script and first call.
/// The answer is decided in memory; when the store cannot write (a full disk), boots go on and only their surviving a restart is lost.
/// </summary>
sealed partial class BootAttempts
{
    /// <summary>From the script to the agent's first call. A slow machine with a large image takes minutes; an appliance may be away for ten.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(15);

    /// <summary>A spent attempt is remembered this long: an agent that did not get its answer asks again.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromDays(1);

    /// <summary>Unspent attempts of one NIC: a machine that reboots over and over has one that counts, and a few whose agents may still be on their way.</summary>
    public const int MaxPerMac = 4;

    public const int MaxTotal = 20_000;

    const int TokenOctets = 16;
    const int IdOctets = 9;

    readonly Database database;
    readonly TimeProvider clock;
    readonly ILogger<BootAttempts> log;
    readonly Lock gate = new();
    readonly Dictionary<string, BootAttempt> byTokenHash;
    readonly Dictionary<string, string> hashById;

    public BootAttempts(Database database, TimeProvider clock, ILogger<BootAttempts> log)
    {
        this.database = database;
        this.clock = clock;
        this.log = log;
        byTokenHash = database.Read(BootAttemptStore.Load).ToDictionary(a => a.TokenHash, a => a.Attempt, StringComparer.Ordinal);
        hashById = byTokenHash.ToDictionary(p => p.Value.Id, p => p.Key, StringComparer.Ordinal);
    }

    /// <summary>The attempt that a URL's <c>a=</c> names, whatever became of it; null when it is not remembered.</summary>
    public BootAttempt? Find(string id)
    {
        lock (gate) return hashById.TryGetValue(id, out var hash) ? byTokenHash[hash] : null;
    }

    public async Task<IssuedAttempt> IssueAsync(MacAddress mac, Ipv4Address ip, string network, Guid? uuid, CancellationToken cancellationToken)
    {
        var token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TokenOctets));
        var hash = Hash(token);
        var attempt = new BootAttempt { Id = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(IdOctets)), Mac = mac, Ip = ip, Network = network, Uuid = uuid, Issued = clock.GetUtcNow() };
        List<string> forgotten;
        lock (gate)
        {
            forgotten = Forget(mac);
            byTokenHash.Add(hash, attempt);
            hashById.Add(attempt.Id, hash);
        }
        try
        {
            await database.WriteAsync(connection =>
            {
                BootAttemptStore.Delete(connection, forgotten);
                BootAttemptStore.Insert(connection, hash, attempt);
            }, cancellationToken);
        }
        catch (StoreException e)
        {
            LogNotDurable(e.Message);
        }
        return new(attempt.Id, token);
    }

    /// <summary>Spends a token for a key. The same token with the same key gets the same answer again: the first one may have been lost on the way.</summary>
    /// <param name="token">As the agent brought it.</param>
    /// <param name="publicKey">The key that speaks for the node from now on.</param>
    /// <param name="who">Where the call came from; it must be the machine that got the script.</param>
    /// <param name="cancellationToken">Before the decision is made; not after.</param>
    public async Task<SpendResult> SpendAsync(string token, ReadOnlyMemory<byte> publicKey, BootRequester who, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var hash = Hash(token);
        var key = Convert.ToHexStringLower(SHA256.HashData(publicKey.Span));
        var now = clock.GetUtcNow();
        BootAttempt? spent;
        lock (gate)
        {
            if (!byTokenHash.TryGetValue(hash, out var attempt)) return new(null, AttemptRefusal.Unknown);
            if (Refuse(attempt, key, who, now) is var refusal and not AttemptRefusal.None) return new(null, refusal);
            spent = attempt with { Spent = attempt.Spent ?? now, SpentBy = key };
            byTokenHash[hash] = spent;
        }
        try
        {
            // Also for a repeated call: the first one's write may be what failed.
            await database.WriteAsync(connection => BootAttemptStore.Spend(connection, hash, spent), CancellationToken.None);
        }
        catch (StoreException e)
        {
            LogNotDurable(e.Message);
        }
        return new(spent, AttemptRefusal.None);
    }

    static AttemptRefusal Refuse(BootAttempt attempt, string key, BootRequester who, DateTimeOffset now)
    {
        // The OS may be given another address than its loader was; then the lease says that it is the same NIC.
        if (attempt.Network != who.Network.Name || (attempt.Ip != who.Address && attempt.Mac != who.Mac)) return AttemptRefusal.OtherClient;
        if (attempt.Spent is not null) return attempt.SpentBy == key ? AttemptRefusal.None : AttemptRefusal.Spent;
        return now - attempt.Issued > Lifetime ? AttemptRefusal.Expired : AttemptRefusal.None;
    }

    /// <summary>Makes room for one more attempt of <paramref name="mac"/>; called under the gate.</summary>
    /// <returns>Hashes that the store can forget too.</returns>
    List<string> Forget(MacAddress mac)
    {
        var now = clock.GetUtcNow();
        var old = byTokenHash.Where(p => now - p.Value.Issued > Memory || (p.Value.Spent is null && now - p.Value.Issued > Lifetime * 2));
        var own = byTokenHash.Where(p => p.Value.Mac == mac && p.Value.Spent is null).OrderByDescending(p => p.Value.Issued).Skip(MaxPerMac - 1);
        var surplus = byTokenHash.Count < MaxTotal ? [] : byTokenHash.OrderBy(p => p.Value.Issued).Take(byTokenHash.Count - MaxTotal + 1);
        var forgotten = old.Concat(own).Concat(surplus).Select(p => p.Key).Distinct(StringComparer.Ordinal).ToList();
        foreach (var hash in forgotten)
        {
            byTokenHash.Remove(hash, out var attempt);
            hashById.Remove(attempt!.Id);
        }
        return forgotten;
    }

    static string Hash(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    [LoggerMessage(Level = LogLevel.Error, Message = "A boot attempt is kept in memory only, and is lost if the daemon stops: {Reason}")]
    partial void LogNotDurable(string reason);
}
