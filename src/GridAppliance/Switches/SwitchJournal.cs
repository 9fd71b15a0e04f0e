using System.Collections.Immutable;
using GridAppliance.Store;

namespace GridAppliance.Switches;

/// <summary>How a change ended.</summary>
enum ChangeEnding
{
    /// <summary>Nothing was to do.</summary>
    Unchanged,
    /// <summary>Written, and read back as it should be.</summary>
    Done,
    /// <summary>Not allowed, or not possible; nothing was written.</summary>
    Refused,
    /// <summary>Went wrong, and everything is as it was before.</summary>
    RolledBack,
    /// <summary>Went wrong, and so did taking it back.</summary>
    Damaged,
}

/// <summary>Where changes of switches are written down before they are made, with what was there, so that they can be taken back by whoever finds them half done.</summary>
interface ISwitchJournal
{
    /// <summary>Durable when it returns; gives the entry's number.</summary>
    Task<long> BeginAsync(Uri device, IReadOnlyList<VlanWrite> writes, CancellationToken cancellationToken);

    Task EndAsync(long entry, ChangeEnding ending, string? reason, CancellationToken cancellationToken);

    /// <summary>What was begun at a device and never ended, the last one first, as the PDUs that take it back: the appliance was killed in the middle.</summary>
    IReadOnlyList<UnfinishedChange> Unfinished(Uri device);
}

sealed record UnfinishedChange(long Entry, ImmutableArray<VlanWrite> Undo);

/// <summary>The journal in the appliance's store.</summary>
sealed class SwitchJournal(Database database, TimeProvider clock) : ISwitchJournal
{
    public static IReadOnlyList<Migration> Migrations { get; } =
    [
        new("switch-change-1", """
            CREATE TABLE switch_change(id INTEGER PRIMARY KEY, device TEXT NOT NULL, begun TEXT NOT NULL, undo TEXT NOT NULL, ended TEXT, ending TEXT, reason TEXT) STRICT;
            CREATE INDEX switch_change_open ON switch_change(device) WHERE ended IS NULL;
            """),
    ];

    public Task<long> BeginAsync(Uri device, IReadOnlyList<VlanWrite> writes, CancellationToken cancellationToken) =>
        database.WriteAsync(connection =>
        {
            connection.Run("INSERT INTO switch_change(device, begun, undo) VALUES ($device, $begun, $undo)",
                ("$device", device.ToString()), ("$begun", clock.GetUtcNow().ToString("O")), ("$undo", SwitchChangeText.Write(writes)));
            return connection.Scalar<long>("SELECT last_insert_rowid()");
        }, cancellationToken);

    public Task EndAsync(long entry, ChangeEnding ending, string? reason, CancellationToken cancellationToken) =>
        database.WriteAsync(connection => connection.Run("UPDATE switch_change SET ended = $ended, ending = $ending, reason = $reason WHERE id = $id",
            ("$ended", clock.GetUtcNow().ToString("O")), ("$ending", ending.ToString()), ("$reason", reason), ("$id", entry)), cancellationToken);

    public IReadOnlyList<UnfinishedChange> Unfinished(Uri device) =>
        database.Read(connection => connection.Query("SELECT id, undo FROM switch_change WHERE device = $device AND ended IS NULL ORDER BY id DESC",
            static row => new UnfinishedChange(row.GetInt64(0), SwitchChangeText.ReadUndo(row.GetString(1))), ("$device", device.ToString())));
}
