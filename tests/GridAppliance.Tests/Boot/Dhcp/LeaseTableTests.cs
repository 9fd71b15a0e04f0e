using GridAppliance.Boot.Dhcp;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Dhcp;
using static GridAppliance.Tests.Boot.Dhcp.TestMessage;

namespace GridAppliance.Tests.Boot.Dhcp;

/// <summary>Conflicts, floods, a full disk and restarts: what keeps one address from two clients.</summary>
public sealed class LeaseTableTests
{
    [Fact]
    public void A_fresh_address_is_probed_before_it_is_offered_and_only_once()
    {
        var bench = new DhcpBench { Probes = true };
        var probe = bench.Send(Discover(1));
        Assert.Equal((DhcpVerdict.ProbeFirst, "10.77.0.50"), (probe.Verdict.Verdict, probe.Verdict.Lease!.Address.ToString()));
        Assert.Equal(DhcpSilence.InProgress, bench.Send(Discover(1)).Reason);
        // Somebody else who asks meanwhile is probed for another one.
        Assert.Equal("10.77.0.51", bench.Send(Discover(2)).Verdict.Lease!.Address.ToString());

        probe.Verdict.Lease!.IsProbing = false;
        bench.Leases.Cleared(probe.Verdict.Lease, bench.Clock.GetUtcNow());
        Assert.Equal("10.77.0.50", bench.Send(Discover(1)).Yours.ToString());
        Assert.Equal(DhcpMessageType.Ack, bench.Send(Selecting(1, Ipv4Address.Parse("10.77.0.50"))).Type);
        bench.Clock.Advance(TimeSpan.FromMinutes(9));
        Assert.Equal("10.77.0.50", bench.Send(Discover(1)).Yours.ToString());
        // Its lease is over: it is offered the same address, and somebody may be there by now.
        bench.Clock.Advance(TimeSpan.FromDays(1));
        var again = bench.Send(Discover(1)).Verdict;
        Assert.Equal((DhcpVerdict.ProbeFirst, "10.77.0.50"), (again.Verdict, again.Lease!.Address.ToString()));
    }

    [Fact]
    public void An_address_that_a_stranger_answers_for_is_skipped()
    {
        var bench = new DhcpBench { Probes = true };
        var lease = bench.Send(Discover(1)).Verdict.Lease!;
        lease.IsProbing = false;
        Assert.True(bench.Leases.Quarantine(lease, bench.Clock.GetUtcNow()));
        Assert.Equal("10.77.0.51", bench.Send(Discover(1)).Verdict.Lease!.Address.ToString());
    }

    [Fact]
    public void Upcoming_addresses_are_those_that_new_clients_get()
    {
        var bench = new DhcpBench(null, null, DhcpBench.Rack(reservations: [new(DhcpBench.Mac(9), Ipv4Address.Parse("10.77.0.51"))]));
        var upcoming = bench.Leases.Upcoming(3).Select(l => l.Address).ToList();
        Assert.Equal(upcoming, [bench.Lease(1), bench.Lease(2), bench.Lease(3)]);
        Assert.Equal(["10.77.0.50", "10.77.0.52", "10.77.0.53"], upcoming.Select(a => a.ToString()));
    }

    [Fact]
    public void A_flood_of_discovers_takes_offers_from_nobody_who_took_his_up_and_ends_in_seconds()
    {
        var bench = new DhcpBench();
        var real = bench.Lease(1);
        for (var fake = 1000; fake < 3000; fake++) bench.Send(Discover(fake));
        Assert.Equal(DhcpMessageType.Ack, bench.Send(Renewing(1, real)).Type);
        Assert.Null(bench.Send(Discover(2)).Message);
        bench.Clock.Advance(TimeSpan.FromSeconds(5));
        var address = bench.Lease(2);
        Assert.NotEqual(real, address);
        Assert.Equal(10, bench.Leases.Capacity);
    }

    [Fact]
    public void New_clients_are_counted_out_but_known_ones_are_not()
    {
        var bench = new DhcpBench(null, null, DhcpBench.Rack("10.77.8.0-10.77.15.255", "10.77.0.1/16"));
        var known = bench.Lease(1);
        var offers = Enumerable.Range(100, 1000).Count(client => bench.Send(Discover(client)).Message is not null);
        Assert.Equal(511, offers);
        Assert.Equal(DhcpSilence.TooManyNewClients, bench.Send(Discover(5000)).Reason);
        Assert.Equal(known, bench.Send(Discover(1)).Yours);
        bench.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.NotNull(bench.Send(Discover(5000)).Message);
    }

    [Fact]
    public void An_exhausted_range_says_nothing_and_gives_the_longest_unused_address_first()
    {
        var bench = new DhcpBench();
        var addresses = new List<Ipv4Address>();
        for (var client = 1; client <= 10; client++)
        {
            addresses.Add(bench.Lease(client));
            bench.Clock.Advance(TimeSpan.FromSeconds(10));
        }
        Assert.Equal(DhcpSilence.Exhausted, bench.Send(Discover(11)).Reason);
        bench.Send(Renewing(1, addresses[0]));
        bench.Clock.Advance(TimeSpan.FromMinutes(9));
        Assert.Equal(addresses[1], bench.Lease(11));
    }

    [Fact]
    public void With_a_full_disk_known_clients_are_served_and_new_ones_are_not()
    {
        var bench = new DhcpBench();
        var known = bench.Lease(1);
        bench.Store.IsFull = true;

        var offered = bench.Send(Discover(2)).Yours;
        Assert.Null(bench.Send(Selecting(2, offered)).Message);
        Assert.Equal(DhcpSilence.StoreFailing, bench.Send(Selecting(2, offered)).Reason);
        Assert.Equal(DhcpSilence.StoreFailing, bench.Send(Discover(3)).Reason);

        Assert.Equal((DhcpMessageType.Ack, known), (bench.Send(Renewing(1, known)).Type, bench.Send(Discover(1)).Yours));
        Assert.Equal(DhcpMessageType.Ack, bench.Send(Selecting(1, known)).Type);
        Assert.Equal(DhcpMessageType.Ack, bench.Send(InitReboot(1, known)).Type);

        bench.Store.IsFull = false;
        bench.Clock.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal(DhcpMessageType.Ack, bench.Send(Selecting(2, bench.Send(Discover(2)).Yours)).Type);
    }

    [Fact]
    public void After_a_restart_every_lease_on_record_counts_for_one_more_lease_time()
    {
        var bench = new DhcpBench(null, null, DhcpBench.Rack("10.77.0.50-10.77.0.50"));
        var address = bench.Lease(1);
        // Renewed, but the new end never reached the disk.
        bench.Clock.Advance(TimeSpan.FromMinutes(9));
        Assert.Equal(DhcpMessageType.Ack, bench.Send(Renewing(1, address)).Type);
        bench.Clock.Advance(TimeSpan.FromMinutes(2));

        var restarted = new DhcpBench(bench.Store, bench.Clock, DhcpBench.Rack("10.77.0.50-10.77.0.50"));
        Assert.Equal(DhcpSilence.Exhausted, restarted.Send(Discover(2)).Reason);
        Assert.Equal(DhcpMessageType.Ack, restarted.Send(Renewing(1, address)).Type);
        bench.Clock.Advance(TimeSpan.FromMinutes(11));
        Assert.Equal(address, restarted.Lease(2));
    }

    [Fact]
    public void A_longer_lease_time_of_the_past_is_honoured_after_a_restart()
    {
        var bench = new DhcpBench(null, null, DhcpBench.Rack("10.77.0.50-10.77.0.50") with { LeaseTime = TimeSpan.FromDays(1) });
        bench.Lease(1);
        var restarted = new DhcpBench(bench.Store, bench.Clock, DhcpBench.Rack("10.77.0.50-10.77.0.50"));
        bench.Clock.Advance(TimeSpan.FromHours(23));
        Assert.Equal(DhcpSilence.Exhausted, restarted.Send(Discover(2)).Reason);
        bench.Clock.Advance(TimeSpan.FromHours(2));
        Assert.NotNull(restarted.Send(Discover(2)).Message);
    }

    [Fact]
    public void An_ack_that_was_on_its_way_to_the_disk_is_dropped_when_the_client_has_moved_on()
    {
        var bench = new DhcpBench(null, null, DhcpBench.Rack());
        var (leases, now) = (bench.Leases, bench.Clock.GetUtcNow());
        var first = leases.Choose(DhcpBench.Mac(1), null, now)!;
        leases.Offer(first, DhcpBench.Mac(1), now);
        leases.Bind(first, DhcpBench.Mac(1), now);
        var second = leases.At(Ipv4Address.Parse("10.77.0.55"))!;
        leases.Offer(second, DhcpBench.Mac(1), now);
        Assert.False(leases.Committed(first, DhcpBench.Mac(1)));
        Assert.True(leases.IsAvailable(first, DhcpBench.Mac(2), now));
    }

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(5), InlineData(6), InlineData(7), InlineData(8)]
    public void Whatever_happens_no_address_has_two_clients(int seed)
    {
        var random = new Random(20261121 + seed);
        var reservations = new Reservation[] { new(DhcpBench.Mac(3), Ipv4Address.Parse("10.77.0.53")), new(DhcpBench.Mac(4), Ipv4Address.Parse("10.77.0.20")) };
        var network = DhcpBench.Rack(reservations: reservations);
        var bench = new DhcpBench(null, null, network);
        // What each client believes: the address that it was last acknowledged, and until when.
        var held = new Dictionary<int, (Ipv4Address Address, DateTimeOffset Until)>();
        var offered = new Dictionary<int, Ipv4Address>();
        var (acks, restarts) = (0, 0);
        for (var step = 0; step < 4000; step++)
        {
            var client = random.Next(1, 25);
            var has = held.TryGetValue(client, out var lease) && lease.Until > bench.Clock.GetUtcNow();
            switch (random.Next(20))
            {
                case < 5:
                    if (bench.Send(Discover(client, random.Next(3) == 0 ? Any(random) : null)) is { Message: not null } offer) offered[client] = offer.Yours;
                    // It asks because it has none any more.
                    held.Remove(client);
                    break;
                case < 10 when offered.TryGetValue(client, out var address):
                    Take(client, bench.Send(Selecting(client, address)));
                    break;
                case 10: Take(client, bench.Send(Selecting(client, Any(random)))); break;
                case 11: Take(client, bench.Send(InitReboot(client, lease.Address.IsAny ? Any(random) : lease.Address))); break;
                case 12 or 13 when has: Take(client, bench.Send(Renewing(client, lease.Address))); break;
                case 14 when has: Take(client, bench.Send(Rebinding(client, lease.Address))); break;
                case 15 when has:
                    bench.Send(random.Next(2) == 0 ? Releasing(client, lease.Address) : Declining(client, lease.Address));
                    held.Remove(client);
                    break;
                case 16: bench.Store.IsFull = random.Next(3) == 0; break;
                case 17: bench.Clock.Advance(TimeSpan.FromSeconds(random.Next(1, 400))); break;
                case 18:
                    // The background writer gets some of the new ends to the disk, or nothing when that is full.
                    var dirty = bench.Leases.TakeDirty(random.Next(1, 5));
                    if (!bench.Store.ExtendAsync(dirty, CancellationToken.None).IsCompletedSuccessfully) bench.Leases.Redirty(dirty);
                    break;
                case 19 when random.Next(5) == 0:
                    bench = new DhcpBench(bench.Store, bench.Clock, network);
                    restarts++;
                    break;
            }
            var now = bench.Clock.GetUtcNow();
            var twice = held.Where(h => h.Value.Until > now).GroupBy(h => h.Value.Address).FirstOrDefault(g => g.Count() > 1);
            Assert.True(twice is null, $"step {step}: {twice?.Key} is held by {string.Join(" and ", twice?.Select(h => h.Key) ?? [])}");
            Assert.DoesNotContain(held, h => h.Value.Until > now && reservations.Any(r => r.Address == h.Value.Address && r.Mac != DhcpBench.Mac(h.Key)));
        }
        Assert.True(acks > 200 && restarts > 5, $"{acks} ACKs and {restarts} restarts test little");

        void Take(int client, Answer answer)
        {
            if (answer.Type == DhcpMessageType.Nak) held.Remove(client);
            if (answer.Type != DhcpMessageType.Ack) return;
            acks++;
            held[client] = (answer.Yours, bench.Clock.GetUtcNow() + TimeSpan.FromSeconds(answer.Read().UInt32(DhcpOption.LeaseTime)!.Value));
        }

        static Ipv4Address Any(Random random) => new(Ipv4Address.Parse("10.77.0.45").Value + (uint)random.Next(20));
    }
}
