using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Boot.Dhcp.Leases;

enum LeaseState
{
    /// <summary>Nobody has had it.</summary>
    Free,
    /// <summary>Offered, or being tried for a conflict before that; a promise that nobody has to keep.</summary>
    Offered,
    /// <summary>Asked for, and on its way to the disk: no ACK has left yet.</summary>
    Committing,
    /// <summary>Acknowledged. Past its end it stays the client's until somebody else needs it.</summary>
    Bound,
    /// <summary>Somebody uses it who did not get it from here.</summary>
    Quarantined,
}

/// <summary>One address and whose it is. Belongs to its <see cref="LeaseTable"/> and changes only there.</summary>
sealed class Lease(Ipv4Address address)
{
    public Ipv4Address Address { get; } = address;

    public MacAddress Mac { get; internal set; }

    public LeaseState State { get; internal set; }

    /// <summary>End of the offer, of the lease or of the quarantine.</summary>
    public DateTimeOffset Until { get; internal set; }

    /// <summary>The store holds this address for this <see cref="Mac"/>: the promise survives a crash, so it may be given again without waiting.</summary>
    public bool IsDurable { get; internal set; }

    /// <summary>Its end changed since it was last written.</summary>
    public bool IsDirty { get; internal set; }

    /// <summary>Until when the answer to the last conflict probe counts.</summary>
    public DateTimeOffset ClearUntil { get; internal set; }

    /// <summary>A probe is out; the answer waits for it.</summary>
    public bool IsProbing { get; internal set; }

    /// <summary>Somebody else answered for it while it was being probed.</summary>
    public bool IsContested { get; internal set; }

    /// <summary>The only NIC that may have it, if it is reserved.</summary>
    public MacAddress? ReservedFor { get; internal set; }

    public bool IsHeldBy(MacAddress mac) => Mac == mac && State is (LeaseState.Offered or LeaseState.Committing or LeaseState.Bound);
}
