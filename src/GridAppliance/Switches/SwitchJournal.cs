using System.Collections.Immutable;
using GridAppliance.Protocols.Snmp;
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
    /// <summary>Went wrong, and not everything is as it was before: the reason says what.</summary>
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

/// <param name="Entry">Its number.</param>
/// <param name="Undo">What was there, as the PDUs that write it, in their order.</param>
/// <param name="Set">What was going to be written; empty in entries of versions that did not keep it.</param>
sealed record UnfinishedChange(long Entry, ImmutableArray<VlanWrite> Undo, ImmutableArray<VlanWrite> Set)
{
    /// <summary>All that a variable was, was to be, or was to be on the way.</summary>
    public IEnumerable<SnmpValue> ValuesOf(ObjectIdentifier name) => Undo.Concat(Set).SelectMany(w => w.Set).Where(v => v.Name == name).Select(v => v.Value);

    public bool Names(ObjectIdentifier name) => Undo.Any(w => w.Set.Any(v => v.Name == name));
}

/// <summary>The journal in the appliance's store.</summary>
sealed class SwitchJournal(Database database, TimeProvider clock) : ISwitchJournal
{
    public static IReadOnlyList<Migration> Migrations { get; } =
    [
        new("switch-change-1", """
            CREATE TABLE switch_change(id INTEGER PRIMARY KEY, device TEXT NOT NULL, begun TEXT NOT NULL, undo TEXT NOT NULL, ended TEXT, ending TEXT, reason TEXT) STRICT;
            CREATE INDEX switch_change_open ON switch_change(device) WHERE ended IS NULL;
            """),
        new("switch-change-2", "ALTER TABLE switch_change ADD COLUMN wanted TEXT NOT NULL DEFAULT ''"),
    ];

    public Task<long> BeginAsync(Uri device, IReadOnlyList<VlanWrite> writes, CancellationToken cancellationToken) =>
        database.WriteAsync(connection =>
        {
            connection.Run("INSERT INTO switch_change(device, begun, undo, wanted) VALUES ($device, $begun, $undo, $wanted)",
                ("$device", device.ToString()), ("$begun", clock.GetUtcNow().ToString("O")), ("$undo", SwitchChangeText.Write(writes)), ("$wanted", SwitchChangeText.WriteSets(writes)));
            return connection.Scalar<long>("SELECT last_insert_rowid()");
        }, cancellationToken);

    public Task EndAsync(long entry, ChangeEnding ending, string? reason, CancellationToken cancellationToken) =>
        database.WriteAsync(connection => connection.Run("UPDATE switch_change SET ended = $ended, ending = $ending, reason = $reason WHERE id = $id",
            ("$ended", clock.GetUtcNow().ToString("O")), ("$ending", ending.ToString()), ("$reason", reason), ("$id", entry)), cancellationToken);

    public IReadOnlyList<UnfinishedChange> Unfinished(Uri device) =>
        database.Read(connection => connection.Query("SELECT id, undo, wanted FROM switch_change WHERE device = $device AND ended IS NULL ORDER BY id DESC",
            static row => new UnfinishedChange(row.GetInt64(0), SwitchChangeText.Read(row.GetString(1)), SwitchChangeText.Read(row.GetString(2))), ("$device", device.ToString())));
}
