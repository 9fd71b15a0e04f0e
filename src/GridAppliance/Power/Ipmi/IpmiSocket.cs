using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using GridAppliance.Hosting;

namespace GridAppliance.Power.Ipmi;

/// <summary>The way to every BMC: what arrives is handed, by sender, to the inbox of the BMC's owner; what comes from anybody else is counted and dropped.</summary>
sealed partial class IpmiSocket : IAsyncDisposable
{
    const int MaxDatagram = 2048;

    readonly ConcurrentDictionary<SocketAddress, BmcInbox> inboxes = new();
    readonly DeviceSocket socket;
    readonly ILogger<IpmiSocket> logger;

    public IpmiSocket(ILogger<IpmiSocket> logger)
    {
        this.logger = logger;
        socket = new(MaxDatagram, Hand, LogReceiveFailed);
    }

    /// <summary>Opens the inbox for a BMC. There is one per address: two owners would be two requests at once.</summary>
    /// <exception cref="InvalidOperationException">The address has an owner already.</exception>
    /// <exception cref="SocketException">This machine has no IPv6, and the address is of that kind.</exception>
    public BmcInbox Attach(IPEndPoint bmc, Bell bell)
    {
        socket.Reach(bmc.AddressFamily);
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
    public void Send(ReadOnlySpan<byte> datagram, SocketAddress to) => socket.Send(datagram, to);

    public ValueTask DisposeAsync() => socket.DisposeAsync();

    void Hand(ReadOnlySpan<byte> datagram, SocketAddress sender)
    {
        if (inboxes.TryGetValue(sender, out var inbox)) inbox.Deliver(datagram);
        else Telemetry.BmcStrays.Add(1, Telemetry.Reason("unknown-sender"));
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
