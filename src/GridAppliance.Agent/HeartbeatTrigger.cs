using System.Threading.Channels;

namespace GridAppliance.Agent;

/// <summary>Asks for a heartbeat before its time: a neighbour was heard, a module changed, an order wants the inventory.</summary>
sealed class HeartbeatTrigger
{
    // One place: any number of reasons make one heartbeat, so a further one is dropped.
    readonly Channel<bool> pulls = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    int inventoryWanted;
    volatile string? doing;

    /// <summary>How far a long order is, for the heartbeats; null when there is none.</summary>
    public string? Doing => doing;

    public void Say(string? what)
    {
        doing = what;
        Pull();
    }

    public void Pull(bool withInventory = false)
    {
        if (withInventory) Volatile.Write(ref inventoryWanted, 1);
        pulls.Writer.TryWrite(true);
    }

    /// <summary>Whether the inventory must go along even if it did not change; true once for each wish.</summary>
    public bool TakeInventoryWish() => Interlocked.Exchange(ref inventoryWanted, 0) == 1;

    /// <summary>Waits for a pull, at most <paramref name="interval"/>.</summary>
    public async Task WaitAsync(TimeSpan interval, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var due = new CancellationTokenSource(interval, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(due.Token, cancellationToken);
        // The end of the interval is the ordinary end, and no exception.
        await ((Task)pulls.Reader.ReadAsync(either.Token).AsTask()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }
}
