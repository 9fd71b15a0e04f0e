using System.Collections.Immutable;
using System.Globalization;
using System.Threading.Channels;
using GridAppliance.Api.Nodes;
using GridAppliance.Store;
using Microsoft.Data.Sqlite;

namespace GridAppliance.Nodes;

/// <summary>An event before it has a number.</summary>
sealed record NewEvent(string Kind, string Message)
{
    public Guid? NodeId { get; init; }
    public string? Node { get; init; }
    public EventSeverity Severity { get; init; }
    /// <summary>appliance, node, or a user as the kernel or a token named them.</summary>
    public string Actor { get; init; } = "appliance";
    public TimeSpan? Appliance { get; init; }
    public DateTimeOffset? BootStarted { get; init; }
    /// <summary>When it happened, if that was not now.</summary>
    public DateTimeOffset? At { get; init; }

    public static NewEvent About(Node node, string kind, string message, EventSeverity severity = EventSeverity.Info) =>
        new(kind, message) { NodeId = node.Id, Node = node.Name, Severity = severity, BootStarted = node.Boot is { Finished: null } boot ? boot.Started : null };
}

enum EventSeverity { Info, Warning, Error }

/// <summary>
/// Everything that happened, in one numbered order: durable, and live for whoever subscribes. Numbers are given on the store's writer thread, so the order in which
/// events become visible is the order of their numbers and a stream can be resumed after any of them.
/// </summary>
sealed class Timeline
{
    /// <summary>Rows kept; the oldest go first. A node's boot is about thirty.</summary>
    const long Retained = 500_000;

    const string Columns = "seq, at, node, kind, message, severity, actor, appliance_ms, since_boot";

    public static IReadOnlyList<Migration> Migrations { get; } =
    [
        new("timeline-1", """
            CREATE TABLE event(seq INTEGER PRIMARY KEY, at TEXT NOT NULL, node_id TEXT, node TEXT, kind TEXT NOT NULL, message TEXT NOT NULL, severity TEXT NOT NULL,
                               actor TEXT, appliance_ms REAL, since_boot REAL) STRICT;
            CREATE INDEX event_node ON event(node_id, seq);
            """),
    ];

    readonly Database database;
    readonly TimeProvider time;
    readonly Lock gate = new();
    long last;
    ImmutableList<Subscription> subscribers = [];

    public Timeline(Database database, TimeProvider time)
    {
        this.database = database;
        this.time = time;
        last = database.Read(static connection => connection.Scalar<long>("SELECT max(seq) FROM event"));
    }

    /// <summary>The number of the newest event.</summary>
    public long Last => Interlocked.Read(ref last);

    /// <summary>Writes events; returns when they are durable. When the disk is full they are still shown live, and lost at a restart.</summary>
    public async Task AppendAsync(IReadOnlyList<NewEvent> events, CancellationToken cancellationToken)
    {
        if (events.Count == 0) return;
        try
        {
            await database.WriteAsync(connection => Insert(connection, events), Publish, cancellationToken);
        }
        catch (StoreException)
        {
            Publish([.. events.Select(Number)]);
        }
    }

    public Task AppendAsync(NewEvent happened, CancellationToken cancellationToken) => AppendAsync([happened], cancellationToken);

    /// <summary>For a transaction that changes something else as well: the rows belong to it; <see cref="Publish"/> them once it is committed.</summary>
    public IReadOnlyList<EventDocument> Insert(SqliteConnection connection, IReadOnlyList<NewEvent> events)
    {
        var numbered = new List<EventDocument>(events.Count);
        foreach (var happened in events)
        {
            var document = Number(happened);
            connection.Run("""
                INSERT INTO event(seq, at, node_id, node, kind, message, severity, actor, appliance_ms, since_boot)
                VALUES ($seq, $at, $node_id, $node, $kind, $message, $severity, $actor, $ms, $since)
                """,
                ("$seq", document.Sequence), ("$at", document.At.ToString("O")), ("$node_id", happened.NodeId?.ToString()), ("$node", document.Node), ("$kind", document.Kind),
                ("$message", document.Message), ("$severity", document.Severity), ("$actor", document.Actor), ("$ms", document.ApplianceMs), ("$since", document.SinceBootSeconds));
            if (document.Sequence % 1000 == 0) connection.Run("DELETE FROM event WHERE seq <= $oldest", ("$oldest", document.Sequence - Retained));
            numbered.Add(document);
        }
        return numbered;
    }

    /// <summary>Shows committed events to the subscribers.</summary>
    public void Publish(IReadOnlyList<EventDocument> events)
    {
        lock (gate)
        {
            foreach (var subscription in subscribers)
                foreach (var document in events) subscription.Offer(document);
        }
    }

    /// <summary>Events after <paramref name="after"/>, oldest first, at most <paramref name="limit"/>.</summary>
    public IReadOnlyList<EventDocument> Read(long after, int limit) => database.Read(connection =>
        connection.Query($"SELECT {Columns} FROM event WHERE seq > $after ORDER BY seq LIMIT $limit", Map, ("$after", after), ("$limit", limit)));

    /// <summary>The newest <paramref name="limit"/> events of one node, oldest first.</summary>
    public IReadOnlyList<EventDocument> ReadNode(Guid nodeId, int limit) => database.Read(connection =>
    {
        var rows = connection.Query($"SELECT {Columns} FROM event WHERE node_id = $id ORDER BY seq DESC LIMIT $limit", Map, ("$id", nodeId.ToString()), ("$limit", limit));
        rows.Reverse();
        return rows;
    });

    /// <summary>Live events from now on; dispose to end.</summary>
    public Subscription Subscribe()
    {
        var subscription = new Subscription(this);
        lock (gate) subscribers = subscribers.Add(subscription);
        return subscription;
    }

    EventDocument Number(NewEvent happened)
    {
        var at = happened.At ?? time.GetUtcNow();
        return new()
        {
            Sequence = Interlocked.Increment(ref last),
            At = at,
            Node = happened.Node,
            Kind = happened.Kind,
            Message = happened.Message,
            Severity = happened.Severity switch { EventSeverity.Info => "info", EventSeverity.Warning => "warning", EventSeverity.Error => "error" },
            Actor = happened.Actor,
            ApplianceMs = happened.Appliance?.TotalMilliseconds,
            SinceBootSeconds = happened.BootStarted is { } started ? (at - started).TotalSeconds : null,
        };
    }

    static EventDocument Map(SqliteDataReader row) => new()
    {
        Sequence = row.GetInt64(0),
        At = DateTimeOffset.Parse(row.GetString(1), CultureInfo.InvariantCulture),
        Node = row.IsDBNull(2) ? null : row.GetString(2),
        Kind = row.GetString(3),
        Message = row.GetString(4),
        Severity = row.GetString(5),
        Actor = row.IsDBNull(6) ? null : row.GetString(6),
        ApplianceMs = row.IsDBNull(7) ? null : row.GetDouble(7),
        SinceBootSeconds = row.IsDBNull(8) ? null : row.GetDouble(8),
    };

    /// <summary>One live reader.</summary>
    public sealed class Subscription : IDisposable
    {
        /// <summary>What a reader may lag behind; past it the channel completes, and the reader takes the gap from the store.</summary>
        const int Backlog = 4096;

        readonly Timeline timeline;
        readonly Channel<EventDocument> channel = Channel.CreateBounded<EventDocument>(new BoundedChannelOptions(Backlog) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

        internal Subscription(Timeline timeline) => this.timeline = timeline;

        public ChannelReader<EventDocument> Reader => channel.Reader;

        public void Dispose()
        {
            lock (timeline.gate) timeline.subscribers = timeline.subscribers.Remove(this);
            channel.Writer.TryComplete();
        }

        internal void Offer(EventDocument document)
        {
            if (!channel.Writer.TryWrite(document)) channel.Writer.TryComplete();
        }
    }
}
