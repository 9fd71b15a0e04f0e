using GridAppliance.Boot.Dhcp.Leases;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Boot.Dhcp;

/// <summary>
/// What the server knows of one network. <see cref="Gate"/> guards the leases and everything that changes: packets may come in on several sockets, and on another
/// network's interface when a relay sends them. It is held for memory accesses only, never across I/O.
/// </summary>
sealed class DhcpNetwork(NetworkOptions options)
{
    /// <summary>After a write that failed, new clients are turned away for this long before one of them may try the store again.</summary>
    static readonly TimeSpan storePause = TimeSpan.FromSeconds(3);

    DateTimeOffset storeRefusesUntil;

    public NetworkOptions Options { get; } = options;

    public Lock Gate { get; } = new();

    public ReplyOptions Replies { get; } = new(options);

    /// <summary>Null where addresses are another server's business.</summary>
    public LeaseTable? Leases { get; } = options is { DhcpMode: DhcpMode.Server, Range: not null } ? new(options) : null;

    public NewClientBudget NewClients { get; } = new();

    public bool Contains(Ipv4Address address) => Options.Address.Contains(address);

    public bool IsStoreFailing(DateTimeOffset now) => now < storeRefusesUntil;

    public void StoreFailed(DateTimeOffset now) => storeRefusesUntil = now + storePause;

    public void StoreWorks() => storeRefusesUntil = default;

    /// <summary>When a machine last went away empty-handed because the range is exhausted.</summary>
    public DateTimeOffset LastExhausted { get; set; } = DateTimeOffset.MinValue;
}
