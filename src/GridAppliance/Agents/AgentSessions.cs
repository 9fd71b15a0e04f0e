using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using GridAppliance.Api.Agents;
using GridAppliance.Nodes;
using GridAppliance.Store;

namespace GridAppliance.Agents;

/// <summary>
/// The keys that speak for nodes, ready for use, and the counters that they have used. The counters become durable now and then, not with every call: what a restart may let
/// through a second time is a call of the last minute, and every call is safe to make twice.
/// </summary>
sealed class AgentSessions(Database database)
{
    public static IReadOnlyList<Migration> Migrations { get; } =
    [
        new("agent-sessions-1", """
            CREATE TABLE agent_session(node_id TEXT PRIMARY KEY REFERENCES node(id) ON DELETE CASCADE, key TEXT NOT NULL, issued INTEGER NOT NULL, counter INTEGER NOT NULL) STRICT;
            """),
    ];

    readonly ConcurrentDictionary<Guid, AgentSession> sessions = new(database.Read(static connection => connection.Query(
        "SELECT node_id, key, issued, counter FROM agent_session",
        static row => KeyValuePair.Create(Guid.Parse(row.GetString(0)), new AgentSession(row.GetString(1), DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(2)), row.GetInt64(3))))));

    /// <summary>When the token was issued that the node's present key came with; null before one enrolled.</summary>
    public DateTimeOffset? EnrolledWith(Guid nodeId) => sessions.TryGetValue(nodeId, out var session) ? session.Issued : null;

    /// <summary>Whether another key, or none, speaks for the node so far.</summary>
    public bool IsNew(Guid nodeId, ImmutableArray<byte> publicKey) => !sessions.TryGetValue(nodeId, out var current) || current.Fingerprint != AgentSignature.Fingerprint(publicKey.AsSpan());

    /// <summary>A new key speaks for the node from now on.</summary>
    public async Task BeginAsync(Guid nodeId, ImmutableArray<byte> publicKey, DateTimeOffset issued, CancellationToken cancellationToken)
    {
        if (!IsNew(nodeId, publicKey)) return;
        var fingerprint = AgentSignature.Fingerprint(publicKey.AsSpan());
        await database.WriteAsync(connection =>
        {
            connection.Run("""
                INSERT INTO agent_session(node_id, key, issued, counter) VALUES ($id, $key, $issued, 0)
                ON CONFLICT(node_id) DO UPDATE SET key = excluded.key, issued = excluded.issued, counter = 0
                """, ("$id", nodeId.ToString()), ("$key", fingerprint), ("$issued", issued.ToUnixTimeMilliseconds()));
        }, cancellationToken);
        sessions[nodeId] = new(fingerprint, issued, 0);
    }

    /// <summary>Whether the node's present key signed this call, for the first time.</summary>
    public bool Verify(Node node, ReadOnlySpan<byte> text, long counter, ReadOnlySpan<byte> signature)
    {
        if (node.AgentKey.IsEmpty) return false;
        var session = sessions.GetOrAdd(node.Id, static (_, key) => new(AgentSignature.Fingerprint(key.AsSpan()), DateTimeOffset.MinValue, 0), node.AgentKey);
        return session.Verify(node.AgentKey, text, counter, signature);
    }

    /// <summary>Makes the call with this counter the agent's last word about the state of its node; false when a later call has been that already. The last word may be made that again.</summary>
    public bool TryMakeLastWord(Guid nodeId, long counter) => sessions.TryGetValue(nodeId, out var session) && session.TryMakeLastWord(counter);

    /// <summary>Makes the counters durable that grew since the last time; forgets the nodes that are gone.</summary>
    public async Task FlushAsync(NodeSnapshot nodes, CancellationToken cancellationToken)
    {
        foreach (var gone in sessions.Keys.Where(id => !nodes.ById.ContainsKey(id))) sessions.TryRemove(gone, out _);
        var grown = sessions.Where(pair => pair.Value.HasGrown).Select(pair => (Id: pair.Key, pair.Value, pair.Value.Highest)).ToList();
        if (grown.Count == 0) return;
        await database.WriteAsync(connection =>
        {
            foreach (var (id, session, highest) in grown)
                connection.Run("UPDATE agent_session SET counter = $counter WHERE node_id = $id AND key = $key", ("$counter", highest), ("$id", id.ToString()), ("$key", session.Fingerprint));
        }, cancellationToken);
        foreach (var (_, session, highest) in grown) session.Stored(highest);
    }
}

/// <summary>One agent's key, parsed once, and its counters.</summary>
sealed class AgentSession(string fingerprint, DateTimeOffset issued, long stored)
{
    // OpenSSL's key object makes no promise about use from several threads, and the window is plain data.
    readonly Lock gate = new();
    readonly CounterWindow window = new(stored);
    ECDsa? key;
    long stored = stored;
    long lastWord;

    public string Fingerprint => fingerprint;

    public DateTimeOffset Issued => issued;

    public long Highest { get { lock (gate) return window.Highest; } }

    public bool HasGrown { get { lock (gate) return window.Highest > stored; } }

    public bool TryMakeLastWord(long counter)
    {
        lock (gate)
        {
            if (counter < lastWord) return false;
            lastWord = counter;
            return true;
        }
    }

    public void Stored(long counter) { lock (gate) stored = counter; }

    /// <summary>The counter is used up only by a signature that holds: nobody else can use it up.</summary>
    public bool Verify(ImmutableArray<byte> publicKey, ReadOnlySpan<byte> text, long counter, ReadOnlySpan<byte> signature)
    {
        lock (gate)
        {
            if (key is null)
            {
                if (AgentSignature.Fingerprint(publicKey.AsSpan()) != fingerprint) return false;
                key = AgentSignature.TryImportPublicKey(publicKey.AsSpan());
            }
            return key is not null && key.VerifyData(text, signature, HashAlgorithmName.SHA256) && window.TryUse(counter);
        }
    }
}
