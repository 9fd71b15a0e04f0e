using System.Threading.Channels;
using Microsoft.Data.Sqlite;

namespace GridAppliance.Store;

/// <summary>
/// The embedded store: one SQLite file in WAL mode with <c>synchronous=FULL</c>. One named thread owns the writing connection and commits in groups, so that a
/// hundred callers share one fsync; each caller's task completes when its work is on the disk, never before. Readers use connections of their own and never wait for it.
/// </summary>
sealed class Database : IAsyncDisposable
{
    /// <summary>Enough to share an fsync among a boot storm's leases, small enough that one slow item does not hold many.</summary>
    const int LargestGroup = 256;

    /// <summary>Callers wait (asynchronously) when this many are queued: back-pressure instead of memory.</summary>
    const int QueueLength = 8192;

    readonly string path;
    readonly SqliteConnection writer;
    readonly Channel<IWrite> queue = Channel.CreateBounded<IWrite>(new BoundedChannelOptions(QueueLength) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    readonly Thread thread;
    volatile StoreException? fault;

    Database(string path)
    {
        this.path = path;
        writer = Connect(path, SqliteOpenMode.ReadWriteCreate);
        Execute(writer, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA wal_autocheckpoint=1000;");
        thread = new Thread(WriteLoop) { Name = "store-writer", IsBackground = true };
    }

    /// <summary>What the last write failed of, or null when the last one went through.</summary>
    public StoreException? Fault => fault;

    /// <summary>Opens (or makes) the database and brings its tables up to date.</summary>
    /// <exception cref="StoreException">It cannot be opened or migrated.</exception>
    public static Database Open(string path, IReadOnlyList<Migration> migrations)
    {
        SystemSqlite.Use();
        try
        {
            var database = new Database(path);
            Migration.Apply(database.writer, migrations);
            database.thread.Start();
            return database;
        }
        catch (SqliteException e)
        {
            throw StoreException.From(e);
        }
    }

    /// <summary>
    /// Runs <paramref name="work"/> in a transaction; completes once that is durable. <paramref name="committed"/> runs on the writer's thread right after the commit,
    /// in commit order: for publishing a snapshot, nothing slow.
    /// </summary>
    /// <exception cref="StoreException">Nothing of it was written.</exception>
    public async Task<T> WriteAsync<T>(Func<SqliteConnection, T> work, Action<T>? committed, CancellationToken cancellationToken)
    {
        var write = new Write<T>(work, committed);
        await queue.Writer.WriteAsync(write, cancellationToken);
        // From here on it will be executed: a caller that stopped waiting must not believe that it was not.
        return await write.Completion;
    }

    public Task<T> WriteAsync<T>(Func<SqliteConnection, T> work, CancellationToken cancellationToken) => WriteAsync(work, null, cancellationToken);

    public Task WriteAsync(Action<SqliteConnection> work, CancellationToken cancellationToken) =>
        WriteAsync(connection => { work(connection); return true; }, null, cancellationToken);

    /// <summary>Reads from the last commit. For start-up and for people's questions, not for the boot path.</summary>
    public T Read<T>(Func<SqliteConnection, T> work)
    {
        using var connection = Connect(path, SqliteOpenMode.ReadOnly);
        return work(connection);
    }

    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        if (thread.IsAlive) await Task.Run(thread.Join);
        await writer.DisposeAsync();
        // The pools would keep the files open for minutes more.
        foreach (var mode in (SqliteOpenMode[])[SqliteOpenMode.ReadWriteCreate, SqliteOpenMode.ReadOnly])
        {
            await using var pooled = new SqliteConnection(ConnectionString(path, mode));
            SqliteConnection.ClearPool(pooled);
        }
    }

    public static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    static SqliteConnection Connect(string path, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(ConnectionString(path, mode));
        connection.Open();
        return connection;
    }

    static string ConnectionString(string path, SqliteOpenMode mode) => new SqliteConnectionStringBuilder { DataSource = path, Mode = mode, Pooling = true, DefaultTimeout = 5 }.ToString();

    void WriteLoop()
    {
        var group = new List<IWrite>(LargestGroup);
        var reader = queue.Reader;
        while (reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            group.Clear();
            while (group.Count < LargestGroup && reader.TryRead(out var write)) group.Add(write);
            Commit(group);
        }
    }

    void Commit(List<IWrite> group)
    {
        try
        {
            Execute(writer, "BEGIN IMMEDIATE");
            foreach (var write in group) RunInSavepoint(write);
            Execute(writer, "COMMIT");
        }
        catch (SqliteException e)
        {
            Rollback();
            var cause = StoreException.From(e);
            fault = cause;
            foreach (var write in group) write.Fail(cause);
            return;
        }
        fault = null;
        foreach (var write in group) write.Finish();
    }

    /// <summary>One item's own mistake (a constraint, a bug) costs that item only; a failing disk costs the group.</summary>
    void RunInSavepoint(IWrite write)
    {
        Execute(writer, "SAVEPOINT item");
        try
        {
            write.Run(writer);
        }
        catch (Exception e) when (e is not SqliteException { SqliteErrorCode: 13 or 10 or 8 or 11 })
        {
            Execute(writer, "ROLLBACK TO item");
            write.FailLater(e is SqliteException ? StoreException.From(e) : e);
        }
        Execute(writer, "RELEASE item");
    }

    void Rollback()
    {
        // SQLite has rolled back by itself after some errors (FULL among them): a second ROLLBACK is then an error that means "done".
        try { Execute(writer, "ROLLBACK"); }
        catch (SqliteException) { }
    }

    interface IWrite
    {
        void Run(SqliteConnection connection);
        void FailLater(Exception cause);
        void Finish();
        void Fail(Exception cause);
    }

    sealed class Write<T>(Func<SqliteConnection, T> work, Action<T>? committed) : IWrite
    {
        readonly TaskCompletionSource<T> completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
        T? result;
        Exception? failure;

        public Task<T> Completion => completion.Task;

        public void Run(SqliteConnection connection) => result = work(connection);

        public void FailLater(Exception cause) => failure = cause;

        public void Finish()
        {
            if (failure is not null) { completion.TrySetException(failure); return; }
            try
            {
                committed?.Invoke(result!);
                completion.TrySetResult(result!);
            }
            catch (Exception e)
            {
                // It is durable all the same; the publisher's own mistake goes to the caller.
                completion.TrySetException(e);
            }
        }

        public void Fail(Exception cause) => completion.TrySetException(cause);
    }
}
