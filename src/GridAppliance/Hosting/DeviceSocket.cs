using System.Net;
using System.Net.Sockets;

namespace GridAppliance.Hosting;

/// <summary>
/// UDP to many devices at once: one socket (a second one, once there is a device with an IPv6 address) and one receive loop, so that a thousand devices are one descriptor and no thread of their own.
/// </summary>
sealed class DeviceSocket : IAsyncDisposable
{
    /// <summary>Room for the answers of a thousand devices in the same instant.</summary>
    const int SocketBuffer = 4 << 20;

    readonly Lock opening = new();
    readonly Way four;
    Way? six;
    readonly CancellationTokenSource stopping = new();
    readonly int largest;
    readonly Handler received;
    readonly Action<SocketError> failed;

    /// <summary>A socket of one address family, and its receive loop.</summary>
    sealed record Way(Socket Socket, Task Receiving);

    /// <summary>Takes a datagram; runs on a receive loop, and must be quick.</summary>
    public delegate void Handler(ReadOnlySpan<byte> datagram, SocketAddress sender);

    /// <param name="largest">Octets of a datagram; longer ones are cut off.</param>
    /// <param name="received">Gets what arrives. One loop for each kind of address: it may be called by both at once.</param>
    /// <param name="failed">Hears of errors about single devices, after which receiving goes on.</param>
    public DeviceSocket(int largest, Handler received, Action<SocketError> failed)
    {
        (this.largest, this.received, this.failed) = (largest, received, failed);
        four = Open(AddressFamily.InterNetwork);
    }

    /// <summary>Sees to it that devices of this kind of address can be sent to.</summary>
    /// <exception cref="SocketException">This machine has no IPv6, and the address is of that kind.</exception>
    public void Reach(AddressFamily family)
    {
        if (family != AddressFamily.InterNetworkV6) return;
        lock (opening) six ??= Open(AddressFamily.InterNetworkV6);
    }

    /// <exception cref="SocketException">No route, or no permission.</exception>
    public void Send(ReadOnlySpan<byte> datagram, SocketAddress to) => (to.Family == AddressFamily.InterNetwork ? four : six!).Socket.SendTo(datagram, SocketFlags.None, to);

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        foreach (var way in (Way?[])[four, six])
        {
            if (way is null) continue;
            await way.Receiving;
            way.Socket.Dispose();
        }
        stopping.Dispose();
    }

    Way Open(AddressFamily family)
    {
        var socket = new Socket(family, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = SocketBuffer, SendBufferSize = SocketBuffer };
        try
        {
            socket.Bind(new IPEndPoint(family == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0));
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }
        return new(socket, Task.Run(() => ReceiveAsync(socket)));
    }

    async Task ReceiveAsync(Socket socket)
    {
        var buffer = GC.AllocateUninitializedArray<byte>(largest, pinned: true);
        var sender = new SocketAddress(socket.AddressFamily);
        while (true)
        {
            try
            {
                var length = await socket.ReceiveFromAsync(buffer, SocketFlags.None, sender, stopping.Token);
                received(buffer.AsSpan(0, length), sender);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested) { return; }
            catch (SocketException e)
            {
                // An ICMP error about one device must not end the reading for all of them.
                failed(e.SocketErrorCode);
            }
        }
    }
}
