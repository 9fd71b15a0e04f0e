using Microsoft.Data.Sqlite;

namespace GridAppliance.Store;

/// <summary>One forward step of a feature's tables. Never edited once released: a change is a new step.</summary>
/// <param name="Name">Unique and stable, such as <c>nodes-1</c>.</param>
/// <param name="Sql">One or more statements.</param>
sealed record Migration(string Name, string Sql)
{
    /// <summary>Applies what is missing, each step in a transaction of its own.</summary>
    public static void Apply(SqliteConnection connection, IReadOnlyList<Migration> migrations)
    {
        Database.Execute(connection, "CREATE TABLE IF NOT EXISTS migration(name TEXT PRIMARY KEY, applied TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP) STRICT");
        var done = connection.Query("SELECT name FROM migration", static row => row.GetString(0)).ToHashSet();
        foreach (var migration in migrations.Where(m => !done.Contains(m.Name)))
        {
            Database.Execute(connection, "BEGIN IMMEDIATE");
            try
            {
                Database.Execute(connection, migration.Sql);
                connection.Run("INSERT INTO migration(name) VALUES ($name)", ("$name", migration.Name));
                Database.Execute(connection, "COMMIT");
            }
            catch (SqliteException)
            {
                Database.Execute(connection, "ROLLBACK");
                throw;
            }
        }
    }
}
