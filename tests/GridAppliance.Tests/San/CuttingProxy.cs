using System.Net.Sockets;

namespace GridAppliance.Tests.San;

/// <summary>Stands before a target's control socket and goes away after so many orders: before the next one arrives there, or between that order and its answer.</summary>
sealed class CuttingProxy : IAsyncDisposable
{
    readonly Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    readonly CancellationTokenSource over = new();
    readonly string to;
    readonly Task serving;
    int left = int.MaxValue;

    public CuttingProxy(string path, string to)
    {
        this.to = to;
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        serving = ServeAsync();
    }

    /// <summary>Orders that still get through.</summary>
    public int Left { get => Volatile.Read(ref left); set => Volatile.Write(ref left, value); }

    /// <summary>The first that does not is carried out all the same, and its answer is lost.</summary>
    public bool LosesTheAnswer { get; set; }

    async Task ServeAsync()
    {
        while (!over.IsCancellationRequested)
        {
            try
            {
                using var client = await listener.AcceptAsync(over.Token);
                var isCut = Interlocked.Decrement(ref left) < 0;
                // Only the one at the cut: later ones find nobody.
                if (isCut && !(LosesTheAnswer && left == -1)) continue;
                using var target = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await target.ConnectAsync(new UnixDomainSocketEndPoint(to), over.Token);
                var buffer = new byte[1 << 16];
                // One order is one write of the client's; the answer ends with the connection.
                await target.SendAsync(buffer.AsMemory(0, await client.ReceiveAsync(buffer, over.Token)), over.Token);
                int length;
                while ((length = await target.ReceiveAsync(buffer, over.Token)) > 0)
                {
                    if (!isCut) await client.SendAsync(buffer.AsMemory(0, length), over.Token);
                }
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                // The other end has heard enough, or it is over.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await over.CancelAsync();
        await serving;
        listener.Dispose();
        over.Dispose();
    }
}
