using System.Threading.Channels;
using GridAppliance.Hosting;
using GridAppliance.Store;

namespace GridAppliance.Boot.Dhcp.Leases;

/// <summary>An ACK that waits for its lease to be on the disk.</summary>
/// <param name="Lease">What it promises.</param>
/// <param name="Stored">The row that has to be durable first.</param>
/// <param name="Answer">The answer and where it goes.</param>
/// <param name="Arrival">What it answers.</param>
/// <param name="Message">The reply's octets.</param>
/// <param name="Send">Lets it go, on the interface that the request came in on.</param>
sealed record PendingAck(Lease Lease, StoredLease Stored, DhcpAnswer Answer, DhcpArrival Arrival, byte[] Message, Action<PendingAck> Send);

/// <summary>Writes one network's leases: new ones at once and together with whatever else is waiting, changed ends in the background.</summary>
sealed partial class LeaseCommitter(DhcpNetwork network, LeaseTable leases, ILeaseStore store, BootClients clients, ApplianceProblems problems, TimeProvider clock, ILogger logger)
{
    /// <summary>As many as a group commit takes.</summary>
    const int LargestBatch = 256;

    const int FlushBatch = 512;

    /// <summary>After a crash every lease counts for one more lease time, so that a written end may be this old and nobody is harmed.</summary>
    static readonly TimeSpan flushEvery = TimeSpan.FromSeconds(20);

    /// <summary>Full means that the disk is far behind: the request is dropped, and the client asks again in a few seconds.</summary>
    readonly Channel<PendingAck> pending = Channel.CreateBounded<PendingAck>(new BoundedChannelOptions(1024) { SingleReader = true });

    bool failing;

    string ProblemCode => $"dhcp.store.{network.Options.Name}";

    /// <summary>Hands an ACK over; false when too many are waiting, and then nothing was promised.</summary>
    public bool TryEnqueue(PendingAck ack)
    {
        if (pending.Writer.TryWrite(ack)) return true;
        lock (network.Gate) leases.CommitFailed(ack.Lease, ack.Stored.Mac, clock.GetUtcNow());
        return false;
    }

    public Task RunAsync(CancellationToken cancellationToken) => Loops.TogetherAsync(CommitAsync(cancellationToken), FlushAsync(cancellationToken));

    async Task CommitAsync(CancellationToken cancellationToken)
    {
        var batch = new List<PendingAck>(LargestBatch);
        while (await pending.Reader.WaitToReadAsync(cancellationToken))
        {
            batch.Clear();
            while (batch.Count < LargestBatch && pending.Reader.TryRead(out var ack)) batch.Add(ack);
            await CommitAsync(batch, cancellationToken);
        }
    }

    async Task CommitAsync(List<PendingAck> batch, CancellationToken cancellationToken)
    {
        try
        {
            await store.BindAsync([.. batch.Select(a => a.Stored)], cancellationToken);
        }
        catch (StoreException e)
        {
            Failed(e);
            var now = clock.GetUtcNow();
            lock (network.Gate)
            {
                foreach (var ack in batch) leases.CommitFailed(ack.Lease, ack.Stored.Mac, now);
            }
            return;
        }
        Works();
        foreach (var ack in batch)
        {
            bool stands;
            lock (network.Gate) stands = leases.Committed(ack.Lease, ack.Stored.Mac);
            if (!stands) continue;
            clients.Granted(network.Options.Name, ack.Stored.Address, ack.Stored.Mac);
            ack.Send(ack);
        }
    }

    async Task FlushAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(flushEvery, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                await FlushAllAsync(cancellationToken);
                TellExhaustion();
            }
        }
        catch (OperationCanceledException)
        {
            // A stop in good order leaves the true ends behind.
            await FlushAllAsync(CancellationToken.None);
            throw;
        }
    }

    async Task FlushAllAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            List<StoredLease> changed;
            lock (network.Gate) changed = leases.TakeDirty(FlushBatch);
            if (changed.Count == 0) return;
            try
            {
                await store.ExtendAsync(changed, cancellationToken);
                Works();
            }
            catch (Exception e) when (e is StoreException or OperationCanceledException)
            {
                lock (network.Gate) leases.Redirty(changed);
                if (e is not StoreException fault) throw;
                Failed(fault);
                return;
            }
        }
    }

    /// <summary>Looked at now and then rather than at every packet: a flood must not be able to make work here.</summary>
    void TellExhaustion()
    {
        var code = $"dhcp.exhausted.{network.Options.Name}";
        bool isExhausted;
        lock (network.Gate) isExhausted = clock.GetUtcNow() - network.LastExhausted < 3 * flushEvery;
        if (!isExhausted) problems.Clear(code);
        else problems.Raise(code, $"Network '{network.Options.Name}' has no address left: all {leases.Capacity} are taken.", "Widen its 'range', or shorten its 'leaseTime' if machines come and go.");
    }

    void Failed(StoreException e)
    {
        Telemetry.LeaseWriteFailures.Add(1);
        lock (network.Gate) network.StoreFailed(clock.GetUtcNow());
        problems.Raise(ProblemCode, $"Network '{network.Options.Name}' gives no addresses to new machines, because {e.Message}; machines with a lease are served.", "Make room on the disk that holds dataDir.");
        if (!failing) LogStoreFailing(e.Message, network.Options.Name);
        failing = true;
    }

    void Works()
    {
        if (!failing) return;
        failing = false;
        lock (network.Gate) network.StoreWorks();
        problems.Clear(ProblemCode);
        LogStoreWorks(network.Options.Name);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Leases cannot be written ({Cause}): network {Network} serves machines that have a lease, and refuses new ones.")]
    partial void LogStoreFailing(string cause, string network);

    [LoggerMessage(Level = LogLevel.Information, Message = "Leases can be written again: network {Network} takes new machines.")]
    partial void LogStoreWorks(string network);
}
