using System.Threading.Channels;

namespace GridAppliance.Power.Ipmi;

/// <summary>Wakes the one task that waits: for a request, a datagram or a point in time, whichever comes first. Rings before the wait are kept, as one.</summary>
sealed class Bell
{
    // One ring is as good as many: the waiter looks at everything.
    readonly Channel<bool> rings = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    public void Ring() => rings.Writer.TryWrite(true);

    public ValueTask<bool> WaitAsync() => rings.Reader.ReadAsync();
}
