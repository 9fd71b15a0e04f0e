using Microsoft.Data.Sqlite;

namespace GridAppliance.Store;

/// <summary>A write that did not become durable. What it would have changed is as it was before.</summary>
sealed class StoreException(StoreFault fault, string message, Exception inner) : Exception(message, inner)
{
    public StoreFault Fault { get; } = fault;

    public static StoreException From(Exception cause)
    {
        var code = (cause as SqliteException)?.SqliteErrorCode ?? 0;
        // https://www.sqlite.org/rescode.html: 13 FULL, 10 IOERR, 8 READONLY, 14 CANTOPEN, 11 CORRUPT
        return code switch
        {
            13 => new(StoreFault.DiskFull, "the disk that holds dataDir is full", cause),
            10 or 8 or 14 => new(StoreFault.Unwritable, "the database in dataDir cannot be written", cause),
            11 => new(StoreFault.Corrupt, "the database in dataDir is damaged", cause),
            _ => new(StoreFault.Other, $"the database refused a write: {cause.Message}", cause),
        };
    }
}

enum StoreFault { DiskFull, Unwritable, Corrupt, Other }
