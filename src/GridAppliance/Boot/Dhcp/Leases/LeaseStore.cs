using GridAppliance.Protocols.Addresses;
using GridAppliance.Store;

namespace GridAppliance.Boot.Dhcp.Leases;

/// <summary>A binding as it is kept on disk. Keyed by address alone: networks do not overlap, and one that is renamed keeps its promises.</summary>
/// <param name="Duration">The lease time that it was granted for, which may differ from today's configuration.</param>
readonly record struct StoredLease(Ipv4Address Address, MacAddress Mac, DateTimeOffset Until, TimeSpan Duration);

/// <summary>Where bindings survive a power cut.</summary>
interface ILeaseStore
{
    IReadOnlyList<StoredLease> Load();

    /// <summary>Writes new bindings, each replacing what its address had. Completes when they are durable.</summary>
    /// <exception cref="StoreException">None of them was written.</exception>
    Task BindAsync(IReadOnlyList<StoredLease> leases, CancellationToken cancellationToken);

    /// <summary>Writes new ends of bindings that are there; one that has gone to another client meanwhile is left alone.</summary>
    /// <exception cref="StoreException">None of them was written.</exception>
    Task ExtendAsync(IReadOnlyList<StoredLease> leases, CancellationToken cancellationToken);
}

sealed class LeaseStore(Database database) : ILeaseStore
{
    public static IReadOnlyList<Migration> Migrations { get; } =
    [
        new("leases-1", """
            CREATE TABLE lease(address INTEGER PRIMARY KEY, mac INTEGER NOT NULL, until INTEGER NOT NULL, seconds INTEGER NOT NULL) STRICT;
            """),
    ];

    public IReadOnlyList<StoredLease> Load() => database.Read(static connection => connection.Query(
        "SELECT address, mac, until, seconds FROM lease",
        static row => new StoredLease(new((uint)row.GetInt64(0)), MacAddress.FromUInt64((ulong)row.GetInt64(1)),
            DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(2)), TimeSpan.FromSeconds(row.GetInt64(3)))));

    public Task BindAsync(IReadOnlyList<StoredLease> leases, CancellationToken cancellationToken) =>
        Write("INSERT OR REPLACE INTO lease(address, mac, until, seconds) VALUES ($address, $mac, $until, $seconds)", leases, cancellationToken);

    public Task ExtendAsync(IReadOnlyList<StoredLease> leases, CancellationToken cancellationToken) =>
        Write("UPDATE lease SET until = $until, seconds = $seconds WHERE address = $address AND mac = $mac", leases, cancellationToken);

    Task Write(string sql, IReadOnlyList<StoredLease> leases, CancellationToken cancellationToken) => database.WriteAsync(
        connection =>
        {
            foreach (var lease in leases)
            {
                connection.Run(sql, ("$address", (long)lease.Address.Value), ("$mac", (long)lease.Mac.ToUInt64()),
                    ("$until", Math.Max(0, lease.Until.ToUnixTimeSeconds())), ("$seconds", (long)lease.Duration.TotalSeconds));
            }
        },
        cancellationToken);
}
