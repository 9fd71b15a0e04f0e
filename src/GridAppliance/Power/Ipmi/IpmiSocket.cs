using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using GridAppliance.Hosting;

namespace GridAppliance.Power.Ipmi;

/// <summary>
/// The one UDP socket through which every BMC is talked to (a second one, once there is a BMC with an IPv6 address): a thousand BMCs are one descriptor, one receive loop and no thread of their own. What
/// arrives is handed, by sender, to the inbox of the BMC's owner; what comes from anybody else is counted and dropped.
/// </summary>
sealed partial class IpmiSocket : IAsyncDisposable
{
    const int MaxDatagram = 2048;
    /// <summary>Room for a thousand BMCs that answer in the same instant.</summary>
    const int SocketBuffer = 4 << 20;

    readonly Lock opening = new();
    readonly Way four;
    Way? six;
    readonly ConcurrentDictionary<SocketAddress, BmcInbox> inboxes = new();
    readonly CancellationTokenSource stopping = new();
    readonly ILogger<IpmiSocket> logger;

    /// <summary>A socket of one address family, and its receive loop.</summary>
    sealed record Way(Socket Socket, Task Receiving);

    public IpmiSocket(ILogger<IpmiSocket> logger)
    {
        this.logger = logger;
        four = Open(AddressFamily.InterNetwork);
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

    /// <summary>Opens the inbox for a BMC. There is one per address: two owners would be two requests at once.</summary>
    /// <exception cref="InvalidOperationException">The address has an owner already.</exception>
    /// <exception cref="SocketException">This machine has no IPv6, and the address is of that kind.</exception>
    public BmcInbox Attach(IPEndPoint bmc, Bell bell)
    {
        if (bmc.AddressFamily == AddressFamily.InterNetworkV6)
            lock (opening) six ??= Open(AddressFamily.InterNetworkV6);
        var inbox = new BmcInbox(bmc.Serialize(), bell);
        if (!inboxes.TryAdd(inbox.Address, inbox)) throw new InvalidOperationException($"{bmc} has an owner already");
        return inbox;
    }

    public void Detach(BmcInbox inbox)
    {
        inboxes.TryRemove(KeyValuePair.Create(inbox.Address, inbox));
        inbox.Clear();
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

    async Task ReceiveAsync(Socket socket)
    {
        var buffer = GC.AllocateUninitializedArray<byte>(MaxDatagram, pinned: true);
        var sender = new SocketAddress(socket.AddressFamily);
        while (true)
        {
            try
            {
                var length = await socket.ReceiveFromAsync(buffer, SocketFlags.None, sender, stopping.Token);
                if (inboxes.TryGetValue(sender, out var inbox)) inbox.Deliver(buffer.AsSpan(0, length));
                else Telemetry.BmcStrays.Add(1, Telemetry.Reason("unknown-sender"));
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested) { return; }
            catch (SocketException e)
            {
                // An ICMP error about one BMC must not end the reading for all of them.
                LogReceiveFailed(e.SocketErrorCode);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Receiving from BMCs: {Error}")]
    partial void LogReceiveFailed(SocketError error);
}

/// <summary>What has arrived from one BMC and waits for its owner.</summary>
sealed class BmcInbox(SocketAddress address, Bell bell)
{
    /// <summary>An owner has one request under way; the rest is for SOL and for a BMC that says everything twice.</summary>
    const int Capacity = 64;

    // Full: the newest is dropped, as a network would. A request is sent again, and so is a console's packet.
    readonly Channel<Datagram> datagrams = Channel.CreateBounded<Datagram>(
        new BoundedChannelOptions(Capacity) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true, SingleWriter = true });

    public SocketAddress Address { get; } = address;

    public void Deliver(ReadOnlySpan<byte> octets)
    {
        var datagram = Datagram.Copy(octets);
        if (datagrams.Writer.TryWrite(datagram)) bell.Ring();
        else datagram.Return();
    }

    /// <summary>The caller gives the datagram back with <see cref="Datagram.Return"/>.</summary>
    public bool TryTake(out Datagram datagram) => datagrams.Reader.TryRead(out datagram);

    public void Clear()
    {
        while (TryTake(out var datagram)) datagram.Return();
    }
}

/// <summary>Octets in a pooled buffer.</summary>
readonly record struct Datagram(byte[] Buffer, int Length)
{
    public ReadOnlySpan<byte> Octets => Buffer.AsSpan(0, Length);

    public static Datagram Copy(ReadOnlySpan<byte> octets)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(octets.Length);
        octets.CopyTo(buffer);
        return new(buffer, octets.Length);
    }

    public void Return() => ArrayPool<byte>.Shared.Return(Buffer);
}
