using System.Net;
using System.Net.Sockets;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Ethernet;

namespace GridAppliance.Power.Wake;

/// <summary>
/// The weakest power-on: <c>wol://10.77.0.255/52:54:00:12:34:56</c> sends the pattern that the machine's NIC wakes up at to a network's broadcast address. Nothing comes back: whether it helped shows
/// when the machine boots.
/// </summary>
sealed class WakeOnLan : IPrivilegedPort, IPowerControl
{
    /// <summary>Discard: nobody is to answer.</summary>
    public const int Port = 9;

    /// <summary>A switch port that comes up again with its machine's sleep loses the first.</summary>
    const int Times = 3;

    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    readonly IPEndPoint to;
    readonly MacAddress mac;
    readonly TimeProvider clock;
    volatile bool closed;

    public WakeOnLan(Uri address, TimeProvider clock)
    {
        Address = address;
        this.clock = clock;
        if (!IPAddress.TryParse(address.Host, out var host) || !TryReadMac(address, out mac)) throw new NotSupportedException($"{address}: a wake-up has a broadcast address and a MAC, such as wol://10.77.0.255/52:54:00:12:34:56");
        to = new(host, address.Port < 0 ? Port : address.Port);
    }

    public Uri Address { get; }

    public static bool TryReadMac(Uri address, out MacAddress mac) => MacAddress.TryParse(address.AbsolutePath.AsSpan().Trim('/'), null, out mac);

    public Task<PowerState> GetPowerAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(closed, this);
        return Task.FromResult(PowerState.Unknown);
    }

    public async Task SetPowerAsync(PowerAction action, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(closed, this);
        if (action != PowerAction.On) throw new DeviceException(DeviceFault.Unsupported, Address.OriginalString, $"a machine can be woken up through the network, and nothing else: there is no {action}", isTransient: false);
        var packet = new byte[MagicPacket.Length];
        MagicPacket.Write(packet, mac);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { EnableBroadcast = true };
        try
        {
            for (var time = 0; time < Times; time++)
            {
                if (time > 0) await Task.Delay(Pause, clock, cancellationToken);
                await socket.SendToAsync(packet, SocketFlags.None, to, cancellationToken);
            }
        }
        catch (SocketException e)
        {
            throw new DeviceException(DeviceFault.Unreachable, Address.OriginalString, $"cannot be sent to: {e.SocketErrorCode}", isTransient: true, e);
        }
    }

    public ValueTask DisposeAsync()
    {
        closed = true;
        return ValueTask.CompletedTask;
    }
}
