using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Boot.Dhcp.Leases;

/// <summary>
/// The addresses of one network. It holds one <see cref="Lease"/> for each address of the range and each reservation and nothing else, so what a hostile client can
/// make it grow to is settled by the configuration. Not safe for concurrent use: whoever owns the network's lock calls it.
/// </summary>
/// <remarks>
/// A lease goes by the client's MAC, not by option 61: firmware, iPXE and operating system of one machine send three different client identifiers, and a boot
/// that changes its address twice on the way is what RFC 2131 section 4.2 would give.
/// </remarks>
sealed class LeaseTable
{
    /// <summary>Holds an offer through the slowest firmware's collecting of offers (PXE 2.1 waits up to 8 s in the end).</summary>
    static readonly TimeSpan offerHold = TimeSpan.FromSeconds(30);

    /// <summary>An offer this old may be taken back when nothing else is left: a flood of DISCOVERs then starves nobody for long.</summary>
    static readonly TimeSpan offerGrace = TimeSpan.FromSeconds(3);

    static readonly TimeSpan quarantine = TimeSpan.FromMinutes(30);

    static readonly TimeSpan clearance = TimeSpan.FromMinutes(5);

    /// <summary>A range larger than this is a mistake: it would cost memory for addresses that no segment has machines for.</summary>
    public const int LargestRange = 1 << 17;

    readonly Ipv4Range range;
    readonly Lease?[] leases;
    readonly Dictionary<Ipv4Address, Lease> outsideRange = [];
    readonly Dictionary<MacAddress, Lease> byMac;
    readonly Dictionary<MacAddress, Lease> reservations = [];
    readonly Queue<Lease> dirty = [];
    readonly int quarantineLimit;
    int neverUsed;
    int quarantined;
    DateTimeOffset exhaustedUntil;

    public LeaseTable(NetworkOptions network)
    {
        range = network.Range ?? throw new ArgumentException($"network '{network.Name}' has no range", nameof(network));
        leases = new Lease?[range.Count];
        // All that it can come to: growing it later would be an allocation on the answer path.
        byMac = new(leases.Length + network.Reservations.Count);
        LeaseTime = network.LeaseTime;
        quarantineLimit = Math.Max(1, leases.Length / 4);
        foreach (var address in (ReadOnlySpan<Ipv4Address?>)[network.Address.Address, network.Address.Network, network.Address.DirectedBroadcast, network.Router, .. network.Dns])
        {
            if (address is { } taken && range.Contains(taken)) Slot(taken)!.ReservedFor = default(MacAddress);
        }
        foreach (var reservation in network.Reservations)
        {
            if (!range.Contains(reservation.Address)) outsideRange[reservation.Address] = new(reservation.Address);
            var lease = Slot(reservation.Address)!;
            lease.ReservedFor = reservation.Mac;
            reservations[reservation.Mac] = lease;
        }
    }

    public TimeSpan LeaseTime { get; }

    public int Capacity => leases.Length + outsideRange.Count;

    /// <summary>Addresses that somebody holds now.</summary>
    public int InUse(DateTimeOffset now)
    {
        var count = 0;
        foreach (var lease in leases.Concat(outsideRange.Values))
        {
            if (lease is { State: LeaseState.Bound or LeaseState.Committing } && lease.Until > now) count++;
        }
        return count;
    }

    /// <summary>Addresses that are promised to somebody now: offered after they were found free, granted, or on their way to the disk.</summary>
    public IEnumerable<Lease> Held(DateTimeOffset now)
    {
        foreach (var lease in leases.Concat(outsideRange.Values))
        {
            if (lease is { State: LeaseState.Bound or LeaseState.Committing or LeaseState.Offered, IsProbing: false } && lease.Until > now) yield return lease;
        }
    }

    /// <summary>What the client holds or held last.</summary>
    public Lease? Find(MacAddress mac) => byMac.GetValueOrDefault(mac);

    /// <summary>The lease of an address, or null when the address is not this table's to give.</summary>
    public Lease? At(Ipv4Address address) => range.Contains(address) || outsideRange.ContainsKey(address) ? Slot(address) : null;

    /// <summary>Whether the client could be given the address now.</summary>
    public bool IsAvailable(Lease lease, MacAddress mac, DateTimeOffset now) =>
        (lease.ReservedFor is null || lease.ReservedFor == mac) && lease.State switch
        {
            LeaseState.Free => true,
            LeaseState.Committing => lease.Mac == mac,
            LeaseState.Offered or LeaseState.Bound => lease.Mac == mac || lease.Until <= now,
            LeaseState.Quarantined => lease.Until <= now,
        };

    /// <summary>
    /// The address to offer: the client's reservation, what it has or had, what it asks for, one that nobody has had, the one that has been unused longest, and at
    /// last an offer that was not taken up. Null when the range is exhausted.
    /// </summary>
    public Lease? Choose(MacAddress mac, Ipv4Address? requested, DateTimeOffset now)
    {
        if (reservations.TryGetValue(mac, out var reserved) && IsAvailable(reserved, mac, now)) return reserved;
        if (Find(mac) is { } own && IsAvailable(own, mac, now)) return own;
        if (requested is { } wish && At(wish) is { State: LeaseState.Free } wished && IsAvailable(wished, mac, now)) return wished;
        return NeverUsed(mac, now) ?? LongestUnused(mac, now);
    }

    /// <summary>The next addresses that new clients will get, for probing them ahead of time.</summary>
    public IEnumerable<Lease> Upcoming(int count)
    {
        for (var i = neverUsed; i < leases.Length && count > 0; i++)
        {
            var lease = leases[i] ??= new(AddressAt(i));
            if (lease is not { State: LeaseState.Free, ReservedFor: null }) continue;
            count--;
            yield return lease;
        }
    }

    public void Offer(Lease lease, MacAddress mac, DateTimeOffset now)
    {
        if (lease.IsHeldBy(mac) && lease.State is LeaseState.Bound or LeaseState.Committing && lease.Until > now) return;
        Own(lease, mac);
        lease.State = LeaseState.Offered;
        lease.Until = now + offerHold;
    }

    /// <summary>The client may have it: at once when the store knows of it, otherwise as <see cref="LeaseState.Committing"/>.</summary>
    public void Bind(Lease lease, MacAddress mac, DateTimeOffset now)
    {
        Own(lease, mac);
        lease.State = lease.IsDurable ? LeaseState.Bound : LeaseState.Committing;
        lease.Until = now + LeaseTime;
        if (lease.IsDurable) MarkDirty(lease);
    }

    /// <summary>The store has it. False when the client has lost it meanwhile, so that it must not be told.</summary>
    public bool Committed(Lease lease, MacAddress mac)
    {
        if (lease.State != LeaseState.Committing || lease.Mac != mac) return false;
        lease.IsDurable = true;
        lease.State = LeaseState.Bound;
        return true;
    }

    /// <summary>The store did not take it: nothing was promised, and the address goes back to being an offer.</summary>
    public void CommitFailed(Lease lease, MacAddress mac, DateTimeOffset now)
    {
        if (lease.State != LeaseState.Committing || lease.Mac != mac) return;
        lease.State = LeaseState.Offered;
        lease.Until = now + offerHold;
        exhaustedUntil = default;
    }

    /// <summary>The client is done with it. It stays remembered for it, so that it gets the same one next time.</summary>
    public void Release(Lease lease, DateTimeOffset now)
    {
        lease.Until = now;
        exhaustedUntil = default;
        MarkDirty(lease);
    }

    /// <summary>Takes an address out of use because a stranger has it. Never more than a quarter of the range: a client that declines everything must not empty it.</summary>
    public bool Quarantine(Lease lease, DateTimeOffset now)
    {
        if (lease.State == LeaseState.Quarantined && lease.Until > now) return true;
        if (quarantined >= quarantineLimit) RecountQuarantined(now);
        if (quarantined >= quarantineLimit) return false;
        Disown(lease);
        lease.State = LeaseState.Quarantined;
        lease.Until = now + quarantine;
        lease.ClearUntil = default;
        quarantined++;
        return true;
    }

    public void Cleared(Lease lease, DateTimeOffset now) => lease.ClearUntil = now + clearance;

    /// <summary>
    /// Takes what the store holds at start. Whatever it says of the end, each binding counts for one more lease time: renewals are written late, and a client that
    /// renewed just before a crash must find its address still its own.
    /// </summary>
    public void Restore(IEnumerable<StoredLease> stored, DateTimeOffset now)
    {
        foreach (var row in stored.OrderBy(r => r.Until))
        {
            if (At(row.Address) is not { } lease || lease.ReservedFor == default(MacAddress)) continue;
            lease.Mac = row.Mac;
            lease.State = LeaseState.Bound;
            lease.IsDurable = true;
            var atLeast = now + (row.Duration > LeaseTime ? row.Duration : LeaseTime);
            lease.Until = row.Until > atLeast ? row.Until : atLeast;
            byMac[row.Mac] = lease;
        }
    }

    /// <summary>Takes up to <paramref name="count"/> leases whose end has to be written.</summary>
    public List<StoredLease> TakeDirty(int count)
    {
        var taken = new List<StoredLease>(Math.Min(count, dirty.Count));
        while (taken.Count < count && dirty.TryDequeue(out var lease))
        {
            lease.IsDirty = false;
            if (lease.IsDurable) taken.Add(new(lease.Address, lease.Mac, lease.Until, LeaseTime));
        }
        return taken;
    }

    /// <summary>Puts back what could not be written.</summary>
    public void Redirty(IEnumerable<StoredLease> leases)
    {
        foreach (var row in leases)
        {
            if (At(row.Address) is { } lease && lease.Mac == row.Mac) MarkDirty(lease);
        }
    }

    void MarkDirty(Lease lease)
    {
        if (lease.IsDirty || !lease.IsDurable) return;
        lease.IsDirty = true;
        dirty.Enqueue(lease);
    }

    void Own(Lease lease, MacAddress mac)
    {
        if (lease.State == LeaseState.Quarantined) quarantined--;
        if (byMac.TryGetValue(mac, out var before) && before != lease) Leave(before);
        if (lease.Mac != mac)
        {
            Disown(lease);
            lease.Mac = mac;
        }
        byMac[mac] = lease;
    }

    /// <summary>The client moves to another address: what it had ends now, and an ACK for it that is still on its way to the disk will not be sent.</summary>
    void Leave(Lease lease)
    {
        lease.Until = DateTimeOffset.MinValue;
        exhaustedUntil = default;
        if (lease.IsDurable)
        {
            lease.State = LeaseState.Bound;
            MarkDirty(lease);
            return;
        }
        lease.State = LeaseState.Free;
        lease.Mac = default;
        if (range.Contains(lease.Address)) neverUsed = Math.Min(neverUsed, IndexOf(lease.Address));
    }

    void Disown(Lease lease)
    {
        if (byMac.TryGetValue(lease.Mac, out var current) && current == lease) byMac.Remove(lease.Mac);
        lease.Mac = default;
        lease.IsDurable = false;
    }

    Lease? NeverUsed(MacAddress mac, DateTimeOffset now)
    {
        for (; neverUsed < leases.Length; neverUsed++)
        {
            var lease = leases[neverUsed] ??= new(AddressAt(neverUsed));
            if (lease.State == LeaseState.Free && IsAvailable(lease, mac, now)) return lease;
        }
        return null;
    }

    Lease? LongestUnused(MacAddress mac, DateTimeOffset now)
    {
        // The walk below is as long as the range. While it is known to find nothing it is not taken, whatever a flood asks.
        if (now < exhaustedUntil) return null;
        Lease? lapsed = null, stale = null;
        var next = DateTimeOffset.MaxValue;
        foreach (var lease in leases)
        {
            if (lease is null || (lease.ReservedFor is { } owner && owner != mac)) continue;
            var takenBack = lease.State == LeaseState.Offered ? lease.Until - offerHold + offerGrace : lease.Until;
            if (takenBack < next) next = takenBack;
            if (lease.State == LeaseState.Committing) continue;
            if (lease.Until <= now && (lapsed is null || lease.Until < lapsed.Until)) lapsed = lease;
            if (lease.State == LeaseState.Offered && !lease.IsProbing && takenBack <= now && (stale is null || lease.Until < stale.Until)) stale = lease;
        }
        if (lapsed is null && stale is null) exhaustedUntil = next;
        return lapsed ?? stale;
    }

    void RecountQuarantined(DateTimeOffset now)
    {
        quarantined = 0;
        foreach (var lease in leases.Concat(outsideRange.Values))
        {
            if (lease is { State: LeaseState.Quarantined } && lease.Until > now) quarantined++;
        }
    }

    Lease? Slot(Ipv4Address address) =>
        range.Contains(address) ? leases[IndexOf(address)] ??= new(address) : outsideRange.GetValueOrDefault(address);

    int IndexOf(Ipv4Address address) => (int)(address.Value - range.First.Value);

    Ipv4Address AddressAt(int index) => new(range.First.Value + (uint)index);
}
