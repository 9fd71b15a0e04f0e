using System.Threading.Channels;

namespace GridAppliance.Fabric;

static class Waiting
{
    /// <summary>Until there is something to read or the time is over, whichever comes first.</summary>
    public static async Task UntilAsync<T>(ChannelReader<T> reader, TimeSpan atMost, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (atMost <= TimeSpan.Zero) return;
        using var timeout = new CancellationTokenSource(atMost, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await reader.WaitToReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // It is time.
        }
    }
}
