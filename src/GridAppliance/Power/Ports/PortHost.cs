using System.Net;
using System.Net.Sockets;
using GridAppliance.Hosting;

namespace GridAppliance.Power.Ports;

/// <summary>What the host in a port's address is.</summary>
static class PortHost
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>The address that is written there; null for a name.</summary>
    public static IPAddress? AddressIn(Uri uri) => IPAddress.TryParse(uri.DnsSafeHost, out var address) ? address : null;

    public static bool IsName(Uri uri) => uri.Host.Length > 0 && AddressIn(uri) is null;

    /// <summary>What the name means now, the older kind of address first: BMCs that have both often mean only that one.</summary>
    /// <exception cref="DeviceException">Nobody knows the name.</exception>
    public static async Task<IPAddress> ResolveAsync(Uri uri, TimeProvider time, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            var addresses = await Dns.GetHostAddressesAsync(uri.DnsSafeHost, either.Token);
            return addresses.OrderBy(address => address.AddressFamily == AddressFamily.InterNetwork ? 0 : 1).FirstOrDefault() ?? throw Unknown(uri, null);
        }
        catch (SocketException e)
        {
            throw Unknown(uri, e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw Unknown(uri, e);
        }
    }

    static DeviceException Unknown(Uri uri, Exception? inner) => new(DeviceFault.Unreachable, uri.OriginalString, $"nobody knows the name {uri.DnsSafeHost}", isTransient: true, inner);
}
