using System.Net;
using System.Net.Sockets;

namespace GridAppliance.Hosting;

/// <summary>
/// UDP to many devices at once: one socket (a second one, once there is a device with an IPv6 address) and one thread that reads it, so that a thousand devices are one descriptor. What arrives is handled where
/// it was read, from the socket to the answer, with no task woken for it.
/// </summary>
sealed partial class DeviceSocket : IAsyncDisposable
{
    /// <summary>Room for the answers of a thousand devices in the same instant.</summary>
    const int SocketBuffer = 4 << 20;

    /// <summary>How long datagrams may gather while many come. Each waking costs as much as several datagrams, and nobody waits for one of them for less than this.</summary>
    static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(1);

    readonly Lock opening = new();
    readonly Way four;
    Way? six;
    readonly string devices;
    readonly int largest;
    readonly Handler received;
    readonly ILogger logger;
    volatile bool stopping;

    /// <summary>A socket of one address family, and the thread that reads it.</summary>
    sealed record Way(Socket Socket, Thread Reader);

    /// <summary>Takes a datagram; runs on a reading thread, and must be quick.</summary>
    public delegate void Handler(ReadOnlySpan<byte> datagram, SocketAddress sender);

    /// <param name="devices">What is at the other end, for logs and the thread's name.</param>
    /// <param name="largest">Octets of a datagram; longer ones are cut off.</param>
    /// <param name="received">Gets what arrives. One thread for each kind of address: it may be called by both at once.</param>
    /// <param name="logger">Hears of errors about single devices, after which reading goes on.</param>
    public DeviceSocket(string devices, int largest, Handler received, ILogger logger)
    {
        (this.devices, this.largest, this.received, this.logger) = (devices, largest, received, logger);
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

    public ValueTask DisposeAsync()
    {
        stopping = true;
        foreach (var way in (Way?[])[four, six])
        {
            if (way is null) continue;
            // Ends the read that is under way.
            way.Socket.Dispose();
            way.Reader.Join();
        }
        return ValueTask.CompletedTask;
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
        var reader = new Thread(() => Read(socket)) { Name = $"udp-{devices}", IsBackground = true };
        reader.Start();
        return new(socket, reader);
    }

    void Read(Socket socket)
    {
        var buffer = new byte[largest];
        var sender = new SocketAddress(socket.AddressFamily);
        var pace = new ArrivalPace();
        while (!stopping)
        {
            try
            {
                var length = socket.ReceiveFrom(buffer, SocketFlags.None, sender);
                received(buffer.AsSpan(0, length), sender);
                // The machine's own time, as in the sleep: no policy hangs on it.
                if (pace.IsHighWithOneMore(Environment.TickCount64) && socket.Available == 0) Thread.Sleep(Gathering);
            }
            catch (Exception) when (stopping)
            {
                return;
            }
            catch (SocketException e)
            {
                // An ICMP error about one device must not end the reading for all of them.
                LogReceiveFailed(devices, e.SocketErrorCode);
            }
            catch (Exception e)
            {
                // Our own mistake about one datagram must not either.
                LogMistake(e, devices);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Receiving from {Devices}: {Error}")]
    partial void LogReceiveFailed(string devices, SocketError error);

    [LoggerMessage(Level = LogLevel.Error, Message = "The appliance made a mistake about a datagram from {Devices}; the next ones are read")]
    partial void LogMistake(Exception e, string devices);
}
