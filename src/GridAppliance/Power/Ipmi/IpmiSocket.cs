using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using GridAppliance.Hosting;

namespace GridAppliance.Power.Ipmi;

/// <summary>The way to every BMC: what arrives is handed, by sender, to the BMC's owner; what comes from anybody else is counted and dropped.</summary>
sealed class IpmiSocket : IAsyncDisposable
{
    const int MaxDatagram = 2048;

    readonly ConcurrentDictionary<SocketAddress, Taker> takers = new();
    readonly DeviceSocket socket;

    public IpmiSocket(ILogger<IpmiSocket> logger) => socket = new("BMCs", MaxDatagram, Hand, logger);

    /// <summary>Looks at a datagram from one BMC, on the thread that read it: nothing in it may wait.</summary>
    public delegate void Taker(ReadOnlySpan<byte> datagram);

    /// <summary>Hands what the BMC sends to <paramref name="taker"/>, until <see cref="Detach"/>. There is one for each address: two owners would be two requests at once.</summary>
    /// <returns>The address to send to.</returns>
    /// <exception cref="InvalidOperationException">The address has an owner already.</exception>
    /// <exception cref="SocketException">This machine has no IPv6, and the address is of that kind.</exception>
    public SocketAddress Attach(IPEndPoint bmc, Taker taker)
    {
        socket.Reach(bmc.AddressFamily);
        var address = bmc.Serialize();
        return takers.TryAdd(address, taker) ? address : throw new InvalidOperationException($"{bmc} has an owner already");
    }

    /// <summary>The address may have another owner from now on.</summary>
    public void Detach(SocketAddress address) => takers.TryRemove(address, out _);

    /// <exception cref="SocketException">No route, or no permission.</exception>
    public void Send(ReadOnlySpan<byte> datagram, SocketAddress to) => socket.Send(datagram, to);

    /// <summary>From inside a taker: see <see cref="DeviceSocket.AtTurnEnd"/>.</summary>
    public void AtTurnEnd(SocketAddress bmc, DeviceSocket.ITurnEnd last) => socket.AtTurnEnd(bmc.Family, last);

    public ValueTask DisposeAsync() => socket.DisposeAsync();

    void Hand(ReadOnlySpan<byte> datagram, SocketAddress sender)
    {
        if (takers.TryGetValue(sender, out var taker)) taker(datagram);
        else Telemetry.BmcStrays.Add(1, Telemetry.Reason("unknown-sender"));
    }
}
