using System.Collections.Immutable;
using System.Globalization;
using GridAppliance.Nodes;
using GridAppliance.Store;
using Microsoft.Data.Sqlite;

namespace GridAppliance.Operations;

/// <summary>An operation with everything that its journal says, oldest first.</summary>
sealed record JournaledOperation(Operation Operation, ImmutableArray<JournalEntry> Journal);

/// <summary>The operations' tables. A line and the event that tells of it are one transaction, so the timeline never knows more than the journal, nor less.</summary>
sealed class OperationJournal(Database database, Timeline timeline, NodeDirectory nodes, TimeProvider time)
{
    /// <summary>Finished operations kept; the oldest go first.</summary>
    const int Retained = 20_000;

    const string Columns = "id, kind, input, node_id, node, subject, key, started, started_by";

    public static IReadOnlyList<Migration> Migrations { get; } =
    [
        new("operations-1", """
            CREATE TABLE operation(id TEXT PRIMARY KEY, kind TEXT NOT NULL, input TEXT NOT NULL, node_id TEXT, node TEXT, subject TEXT, key TEXT,
                                   started TEXT NOT NULL, started_by TEXT NOT NULL, finished TEXT) STRICT;
            CREATE UNIQUE INDEX operation_key ON operation(key) WHERE finished IS NULL;
            CREATE INDEX operation_open ON operation(id) WHERE finished IS NULL;
            CREATE INDEX operation_node ON operation(node_id, id);
            CREATE TABLE operation_journal(operation_id TEXT NOT NULL REFERENCES operation(id) ON DELETE CASCADE, seq INTEGER NOT NULL, at TEXT NOT NULL,
                                           mark TEXT NOT NULL, step TEXT, detail TEXT, PRIMARY KEY(operation_id, seq)) STRICT, WITHOUT ROWID;
            """),
    ];

    /// <summary>Makes an operation durable, or finds the unfinished one with its key.</summary>
    /// <returns>The operation, and whether it is new.</returns>
    public Task<(Operation Operation, bool IsNew)> CreateAsync(NewOperation wanted, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var operation = new Operation
        {
            Id = Guid.CreateVersion7(now), Kind = wanted.Kind, Input = wanted.Input, NodeId = wanted.NodeId, Node = wanted.Node, Subject = wanted.Subject, Key = wanted.Key,
            Started = now, StartedBy = wanted.StartedBy,
        };
        NewEvent[] events = [About(operation, "operation.started", $"{operation.Title} started") with { Actor = wanted.StartedBy }];
        return Publishing(connection =>
        {
            if (wanted.Key is not null && Select(connection, "WHERE key = $key AND finished IS NULL", ("$key", wanted.Key)) is [var existing])
                return ((existing, false), []);
            connection.Run($"INSERT INTO operation({Columns}) VALUES ($id, $kind, $input, $node_id, $node, $subject, $key, $started, $by)",
                ("$id", operation.Id.ToString()), ("$kind", operation.Kind), ("$input", operation.Input), ("$node_id", operation.NodeId?.ToString()), ("$node", operation.Node),
                ("$subject", operation.Subject), ("$key", operation.Key), ("$started", now.ToString("O")), ("$by", operation.StartedBy));
            return ((operation, true), events);
        }, null, cancellationToken);
    }

    /// <summary>Adds a line; returns once it is durable.</summary>
    /// <param name="operation">Whose journal.</param>
    /// <param name="entry">The line.</param>
    /// <param name="end">How it ended, with <see cref="JournalMark.Ended"/>.</param>
    /// <param name="committed">Told in the order of the commits.</param>
    /// <param name="cancellationToken">Gives up waiting for room in the queue.</param>
    public Task AppendAsync(Operation operation, JournalEntry entry, OperationEnd? end, Action<JournalEntry> committed, CancellationToken cancellationToken) =>
        Publishing(connection =>
        {
            connection.Run("""
                INSERT INTO operation_journal(operation_id, seq, at, mark, step, detail)
                SELECT $id, coalesce(max(seq), 0) + 1, $at, $mark, $step, $detail FROM operation_journal WHERE operation_id = $id
                """,
                ("$id", operation.Id.ToString()), ("$at", entry.At.ToString("O")), ("$mark", entry.Mark.ToString()), ("$step", entry.Step), ("$detail", entry.Detail));
            if (entry.Mark == JournalMark.Ended)
                connection.Run("UPDATE operation SET finished = $at WHERE id = $id", ("$at", entry.At.ToString("O")), ("$id", operation.Id.ToString()));
            return (entry, Telling(operation, entry, end));
        }, committed, cancellationToken);

    /// <summary>All that have not ended, oldest first. Forgets the oldest of those that have.</summary>
    public async Task<IReadOnlyList<JournaledOperation>> LoadUnfinishedAsync(CancellationToken cancellationToken)
    {
        await database.WriteAsync(static connection =>
        {
            connection.Run("""
                DELETE FROM operation WHERE finished IS NOT NULL AND id <= (SELECT id FROM operation WHERE finished IS NOT NULL ORDER BY id DESC LIMIT 1 OFFSET $kept)
                """, ("$kept", Retained));
        }, cancellationToken);
        return database.Read(static connection => WithJournals(connection, Select(connection, "WHERE finished IS NULL ORDER BY id")));
    }

    public JournaledOperation? Find(Guid id) => database.Read(connection =>
        WithJournals(connection, Select(connection, "WHERE id = $id", ("$id", id.ToString()))).SingleOrDefault());

    /// <summary>The newest, newest first; of one node where one is given.</summary>
    public IReadOnlyList<JournaledOperation> Newest(Guid? nodeId, int limit) => database.Read(connection =>
        WithJournals(connection, Select(connection, "WHERE $node IS NULL OR node_id = $node ORDER BY id DESC LIMIT $limit", ("$node", nodeId?.ToString()), ("$limit", limit))));

    async Task<T> Publishing<T>(Func<SqliteConnection, (T Result, IReadOnlyList<NewEvent> Events)> work, Action<T>? committed, CancellationToken cancellationToken)
    {
        var (result, _) = await database.WriteAsync(connection =>
        {
            var (result, events) = work(connection);
            return (result, timeline.Insert(connection, events));
        }, written =>
        {
            committed?.Invoke(written.result);
            timeline.Publish(written.Item2);
        }, cancellationToken);
        return result;
    }

    static List<Operation> Select(SqliteConnection connection, string where, params ReadOnlySpan<(string Name, object? Value)> parameters) =>
        connection.Query($"SELECT {Columns} FROM operation {where}", static row => new Operation
        {
            Id = Guid.Parse(row.GetString(0)),
            Kind = row.GetString(1),
            Input = row.GetString(2),
            NodeId = row.IsDBNull(3) ? null : Guid.Parse(row.GetString(3)),
            Node = row.IsDBNull(4) ? null : row.GetString(4),
            Subject = row.IsDBNull(5) ? null : row.GetString(5),
            Key = row.IsDBNull(6) ? null : row.GetString(6),
            Started = Instant(row.GetString(7)),
            StartedBy = row.GetString(8),
        }, parameters);

    static List<JournaledOperation> WithJournals(SqliteConnection connection, List<Operation> operations) =>
        operations.ConvertAll(operation => new JournaledOperation(operation, [.. connection.Query(
            "SELECT mark, step, detail, at FROM operation_journal WHERE operation_id = $id ORDER BY seq",
            static row => new JournalEntry(Enum.Parse<JournalMark>(row.GetString(0)), row.IsDBNull(1) ? null : row.GetString(1), row.IsDBNull(2) ? null : row.GetString(2), Instant(row.GetString(3))),
            ("$id", operation.Id.ToString()))]));

    static DateTimeOffset Instant(string text) => DateTimeOffset.ParseExact(text, "O", CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);

    IReadOnlyList<NewEvent> Telling(Operation operation, JournalEntry entry, OperationEnd? end) => entry.Mark switch
    {
        JournalMark.Begun => [],
        JournalMark.StepDone => [About(operation, "operation.step", $"{operation.Title}: {entry.Detail ?? entry.Step}")],
        JournalMark.StepFailed => [About(operation, "operation.step", $"{operation.Title}: {entry.Step} failed: {entry.Detail}") with { Severity = EventSeverity.Warning }],
        JournalMark.CancelAsked => [About(operation, "operation.step", $"{operation.Title}: {entry.Detail}")],
        JournalMark.StepUndone => [About(operation, "operation.step", $"{operation.Title}: {entry.Step} taken back")],
        JournalMark.UndoFailed =>
            [About(operation, "operation.step", $"{operation.Title}: {entry.Step} could not be taken back: {entry.Detail}") with { Severity = EventSeverity.Error }],
        JournalMark.Ended => [Ending(operation, end ?? throw new ArgumentNullException(nameof(end)))],
    };

    NewEvent Ending(Operation operation, OperationEnd end) => About(operation, $"operation.{end.Word}",
        end.ReasonOrNull is { } reason ? $"{operation.Title} {end.Word}: {reason}" : $"{operation.Title} {end.Word}") with
    {
        Severity = end is OperationEnd.Failed ? EventSeverity.Error : EventSeverity.Info,
    };

    NewEvent About(Operation operation, string kind, string message) => operation.NodeId is { } id && nodes.Current.Find(id) is { } node
        ? NewEvent.About(node, kind, message)
        : new(kind, message) { NodeId = operation.NodeId, Node = operation.Node };
}
