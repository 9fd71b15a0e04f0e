using GridAppliance.Nodes;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Store;
using GridAppliance.Testing;

namespace GridAppliance.Tests;

/// <summary>A data directory of a test's own, with the store on it and a clock that stands still. <see cref="ReopenAsync"/> is what a restart leaves: the disk.</summary>
sealed class TestStore : IAsyncDisposable
{
    public TestStore() => Open();

    /// <summary>In memory where there is such a place: what is tried here is what a killed process leaves, not what a power cut does, and there are thousands of commits.</summary>
    public string Directory { get; } = System.IO.Directory.CreateDirectory(
        Path.Combine(System.IO.Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"gridappliance-test-{Guid.NewGuid():N}")).FullName;

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

    void Open()
    {
        Database = Database.Open(Path.Combine(Directory, "gridappliance.db"), Schema.All);
        Timeline = new(Database, Clock);
        Nodes = new(Database, Timeline, Clock);
    }
}
