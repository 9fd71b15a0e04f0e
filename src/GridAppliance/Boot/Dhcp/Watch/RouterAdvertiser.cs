using System.Net.Sockets;
using GridAppliance.Boot.Dhcp.Link;
using GridAppliance.Protocols.Ndp;

namespace GridAppliance.Boot.Dhcp.Watch;

/// <summary>
/// Answers router solicitations with "no router here, no DHCPv6". Without an answer iPXE goes on soliciting for 13 seconds before it boots from the IPv4 address that
/// it has had all along. Hosts take nothing from such an advertisement: its lifetime is 0 and it carries no prefix.
/// </summary>
sealed class RouterAdvertiser : IDisposable
{
    /// <summary>One advertisement is for everybody who asked just before; far more often than RFC 4861's three seconds, because a machine waits.</summary>
    static readonly TimeSpan spacing = TimeSpan.FromMilliseconds(100);

    readonly TimeProvider clock;
    readonly PacketSocket socket;
    readonly byte[] advertisement;

    public RouterAdvertiser(LinkInterface link, TimeProvider clock)
    {
        this.clock = clock;
        socket = new(link, NdpFrame.EtherType, PacketFilter.RouterSolicitations);
        socket.Join(NdpFrame.AllRoutersMac);
        var frame = new byte[RouterAdvertisement.MaximumFrameLength];
        advertisement = frame[..new RouterAdvertisement { Router = link.Mac }.Write(frame)];
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var frame = new byte[256];
        while (true)
        {
            try
            {
                var length = await socket.ReceiveAsync(frame, cancellationToken);
                if (!NdpFrame.TryReadSolicitation(frame.AsSpan(0, length), out _, out _)) continue;
                socket.Send(advertisement);
                await Task.Delay(spacing, clock, cancellationToken);
            }
            catch (SocketException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), clock, cancellationToken);
            }
        }
    }

    public void Dispose() => socket.Dispose();
}
