using GridAppliance.Nodes;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Store;
using GridAppliance.Testing;
using Microsoft.Data.Sqlite;

namespace GridAppliance.Tests;

/// <summary>A data directory of a test's own, with the store on it and a clock that stands still. <see cref="ReopenAsync"/> is what a restart leaves: the disk.</summary>
sealed class TestStore : IAsyncDisposable
{
    const string FileName = "gridappliance.db";

    static readonly Lazy<byte[]> Migrated = new(Migrate);

    public TestStore() => Open();

    public string Directory { get; } = NewDirectory();

    public ManualClock Clock { get; } = new();

    public Database Database { get; private set; } = null!;

    public Timeline Timeline { get; private set; } = null!;

    public NodeDirectory Nodes { get; private set; } = null!;

    public async Task ReopenAsync()
    {
        await Database.DisposeAsync();
        Open();
    }

    /// <summary>The node behind the NIC <c>52:54:00:00:00:NN</c>.</summary>
    public Task<Node> DiscoverAsync(int number) =>
        Nodes.DiscoverAsync(Mac(number), "provisioning", node => node, "seen for the first time", CancellationToken.None);

    public static MacAddress Mac(int number) => MacAddress.FromUInt64(0x5254_0000_0000 + (ulong)number);

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    /// <summary>
    /// With an empty store in it. In memory where there is such a place: what is tried here is what a killed process leaves, not what a power cut does, and there are thousands of commits.
    /// </summary>
    public static string NewDirectory()
    {
        var directory = MakeDirectory();
        File.WriteAllBytes(Path.Combine(directory, FileName), Migrated.Value);
        return directory;
    }

    static string MakeDirectory() => System.IO.Directory.CreateDirectory(
        Path.Combine(System.IO.Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"gridappliance-test-{Guid.NewGuid():N}")).FullName;

    /// <summary>All migrations, once for all tests: thousands of stores begin with the same.</summary>
    static byte[] Migrate()
    {
        SystemSqlite.Use();
        var directory = MakeDirectory();
        string from = Path.Combine(directory, FileName), copy = Path.Combine(directory, "copy.db");
        using (var connection = new SqliteConnection($"Data Source={from};Pooling=False"))
        {
            connection.Open();
            Migration.Apply(connection, Schema.All);
            Database.Execute(connection, $"VACUUM INTO '{copy}'");
        }
        var bytes = File.ReadAllBytes(copy);
        System.IO.Directory.Delete(directory, recursive: true);
        return bytes;
    }

    void Open()
    {
        Database = Database.Open(Path.Combine(Directory, FileName), Schema.All);
        Timeline = new(Database, Clock);
        Nodes = new(Database, Timeline, Clock);
    }
}
