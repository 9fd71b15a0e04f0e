using GridAppliance.Boot;
using GridAppliance.Boot.Dhcp;
using GridAppliance.Boot.Dhcp.Leases;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Dhcp;
using GridAppliance.Store;
using GridAppliance.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Boot.Dhcp;

/// <summary>ACKs wait for the disk, and only for the disk.</summary>
public sealed class LeaseCommitterTests
{
    readonly ManualClock clock = new();
    readonly DhcpNetwork network = new(DhcpBench.Rack());
    readonly ApplianceProblems problems;
    readonly BootClients clients = new();
    readonly TaskCompletionSource<PendingAck> sent = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public LeaseCommitterTests() => problems = new(clock);

    LeaseCommitter Committer(ILeaseStore store) => new(network, network.Leases!, store, clients, problems, clock, NullLogger.Instance);

    PendingAck Ack(int client)
    {
        var (leases, now) = (network.Leases!, clock.GetUtcNow());
        var lease = leases.Choose(DhcpBench.Mac(client), null, now)!;
        leases.Bind(lease, DhcpBench.Mac(client), now);
        return new(lease, new(lease.Address, DhcpBench.Mac(client), lease.Until, leases.LeaseTime), new() { Verdict = DhcpVerdict.SendWhenDurable, Type = DhcpMessageType.Ack }, default, [], a => sent.TrySetResult(a));
    }

    [Fact]
    public async Task An_ack_is_sent_once_its_lease_is_stored_and_the_address_is_known_to_be_the_nics()
    {
        using var stop = new CancellationTokenSource();
        var store = new MemoryLeaseStore();
        var committer = Committer(store);
        var ack = Ack(1);
        Assert.True(committer.TryEnqueue(ack));
        Assert.False(sent.Task.IsCompleted);
        var running = committer.RunAsync(stop.Token);
        Assert.Same(ack, await sent.Task.WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.Equal((LeaseState.Bound, true), (ack.Lease.State, ack.Lease.IsDurable));
        Assert.Equal(DhcpBench.Mac(1), clients.Find(network.Options, ack.Lease.Address));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task A_store_that_is_full_sends_nothing_tells_the_status_page_and_recovers()
    {
        using var stop = new CancellationTokenSource();
        var store = new SignallingStore { IsFull = true };
        var committer = Committer(store);
        var running = committer.RunAsync(stop.Token);
        var lost = Ack(1);
        committer.TryEnqueue(lost);
        Assert.True(await store.Tried.WaitAsync(Eventually.Patience), "nothing tried to write the lease");
        committer.TryEnqueue(Ack(2));
        Assert.True(await store.Tried.WaitAsync(Eventually.Patience), "nothing tried to write the lease");
        Assert.False(sent.Task.IsCompleted);
        Assert.Equal(LeaseState.Offered, lost.Lease.State);
        Assert.Contains("dhcp.store.rack", problems.All.Select(p => p.Code));
        Assert.True(network.IsStoreFailing(clock.GetUtcNow()));

        store.IsFull = false;
        committer.TryEnqueue(Ack(3));
        Assert.Equal(DhcpBench.Mac(3), (await sent.Task.WaitAsync(TimeSpan.FromSeconds(60))).Stored.Mac);
        Assert.Empty(problems.All);
        Assert.False(network.IsStoreFailing(clock.GetUtcNow()));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task An_exhausted_range_is_told_to_the_status_page_until_it_is_over()
    {
        using var stop = new CancellationTokenSource();
        var running = Committer(new MemoryLeaseStore()).RunAsync(stop.Token);
        lock (network.Gate) network.LastExhausted = clock.GetUtcNow();
        await After(20, () => problems.All.Any(p => p.Code == "dhcp.exhausted.rack" && p.Message.Contains("all 10")));
        await After(60, () => problems.All.Count == 0);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);

        async Task After(int seconds, Func<bool> condition)
        {
            clock.Advance(TimeSpan.FromSeconds(seconds));
            // The loop runs on another thread; it is given half a minute, and needs none of it.
            for (var tries = 0; tries < 600 && !condition(); tries++) await Task.Delay(50);
            Assert.True(condition());
        }
    }

    [Fact]
    public async Task New_ends_are_written_when_the_service_stops()
    {
        using var stop = new CancellationTokenSource();
        var store = new MemoryLeaseStore();
        var committer = Committer(store);
        var running = committer.RunAsync(stop.Token);
        var ack = Ack(1);
        committer.TryEnqueue(ack);
        await sent.Task.WaitAsync(TimeSpan.FromSeconds(60));
        clock.Advance(TimeSpan.FromSeconds(5));
        lock (network.Gate) network.Leases!.Bind(ack.Lease, DhcpBench.Mac(1), clock.GetUtcNow());
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Equal(ack.Lease.Until, store.Rows[ack.Lease.Address].Until);
    }

    [Fact]
    public async Task Leases_survive_in_the_real_store_and_an_extension_does_not_touch_another_clients()
    {
        var directory = Directory.CreateTempSubdirectory("leases");
        try
        {
            var (address, until) = (Ipv4Address.Parse("10.77.0.50"), DateTimeOffset.FromUnixTimeSeconds(1_800_000_000));
            await using (var database = Database.Open(Path.Combine(directory.FullName, "db"), Schema.All))
            {
                var store = new LeaseStore(database);
                await store.BindAsync([new(address, DhcpBench.Mac(1), until, TimeSpan.FromMinutes(10)), new(Ipv4Address.Broadcast, MacAddress.Broadcast, until, TimeSpan.FromMinutes(10))], CancellationToken.None);
                await store.BindAsync([new(address, DhcpBench.Mac(2), until, TimeSpan.FromMinutes(10))], CancellationToken.None);
                await store.ExtendAsync([new(address, DhcpBench.Mac(1), until.AddDays(1), TimeSpan.FromMinutes(10)), new(Ipv4Address.Broadcast, MacAddress.Broadcast, DateTimeOffset.MinValue, TimeSpan.FromMinutes(10))], CancellationToken.None);
            }
            await using (var database = Database.Open(Path.Combine(directory.FullName, "db"), Schema.All))
            {
                Assert.Equal(
                    [new(address, DhcpBench.Mac(2), until, TimeSpan.FromMinutes(10)), new(Ipv4Address.Broadcast, MacAddress.Broadcast, DateTimeOffset.UnixEpoch, TimeSpan.FromMinutes(10))],
                    new LeaseStore(database).Load().OrderBy(l => l.Address));
            }
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    sealed class SignallingStore : ILeaseStore
    {
        readonly MemoryLeaseStore inner = new();
        public SemaphoreSlim Tried { get; } = new(0);
        public bool IsFull { get => inner.IsFull; set => inner.IsFull = value; }
        public IReadOnlyList<StoredLease> Load() => inner.Load();
        public Task BindAsync(IReadOnlyList<StoredLease> leases, CancellationToken cancellationToken)
        {
            // What becomes of it is decided before it is told, or else a test that reacts to the telling would change it.
            try { return inner.BindAsync(leases, cancellationToken); }
            finally { Tried.Release(); }
        }
        public Task ExtendAsync(IReadOnlyList<StoredLease> leases, CancellationToken cancellationToken) => inner.ExtendAsync(leases, cancellationToken);
    }
}
