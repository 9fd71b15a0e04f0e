using System.Net;
using System.Net.Sockets;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Web.Security;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace GridAppliance.Web;

/// <summary>Kestrel's sockets, from the configuration. Every connection is told who its caller is before its first byte is read.</summary>
static class ManagementListeners
{
    const long LargestBody = 64 * 1024;
    const int MostConnections = 1024;

    static readonly Caller Loopback = new("loopback", CallerTrust.Loopback);
    static readonly Caller Network = new("token", CallerTrust.Network);

    /// <returns>The token that callers beyond this machine need; null when nothing listens there.</returns>
    public static AccessToken? Configure(IWebHostBuilder host, IServiceCollection services, ApplianceOptions options, TimeProvider time)
    {
        var endPoints = options.ManagementListen.OfType<ListenAddress.Tcp>().ToList();
        foreach (var tcp in endPoints) Check(tcp, options);
        var certificate = new Lazy<System.Security.Cryptography.X509Certificates.X509Certificate2>(() =>
            OwnCertificate.Load(options.DataDir, endPoints.Select(tcp => tcp.EndPoint.Address), time));
        services.Configure<SocketTransportOptions>(transport => transport.CreateBoundListenSocket = Bind);
        host.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = LargestBody;
            kestrel.Limits.MaxConcurrentConnections = MostConnections;
            kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
            foreach (var listen in options.ManagementListen)
            {
                if (listen is ListenAddress.Unix unix) kestrel.ListenUnixSocket(unix.Path, endpoint => Know(endpoint, PeerOf));
                if (listen is ListenAddress.Tcp tcp) kestrel.Listen(tcp.EndPoint, endpoint =>
                {
                    var isLoopback = IPAddress.IsLoopback(tcp.EndPoint.Address);
                    if (!isLoopback) RefuseNodes(endpoint, options.Networks);
                    Know(endpoint, isLoopback ? static _ => Loopback : static _ => Network);
                    if (tcp.Tls) endpoint.UseHttps(certificate.Value);
                });
            }
        });
        return endPoints.Any(tcp => !IPAddress.IsLoopback(tcp.EndPoint.Address)) ? AccessToken.Load(options.DataDir) : null;
    }

    /// <summary>What the configuration has been checked for already; here because the rule is this plane's own.</summary>
    static void Check(ListenAddress.Tcp tcp, ApplianceOptions options)
    {
        var address = tcp.EndPoint.Address;
        if (IPAddress.IsLoopback(address)) return;
        if (!tcp.Tls) throw new StartupException($"the management plane would listen on {tcp.EndPoint} without TLS", "Write https:// in management.listen.");
        var provisioning = options.Networks.FirstOrDefault(network => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) || network.Address.Address.ToString() == address.ToString());
        if (provisioning is not null)
            throw new StartupException($"the management plane would listen on the provisioning network {provisioning.Name}", "Name an address of another interface in management.listen.");
    }

    /// <summary>
    /// An address of another interface can be reached from a provisioning network too, since this machine answers for all of its addresses everywhere: whoever calls from such a network
    /// is hung up on before the first byte. (Binding to the device would do it in the kernel, and shut out this machine itself.)
    /// </summary>
    static void RefuseNodes(ListenOptions endpoint, IReadOnlyList<NetworkOptions> provisioning) => endpoint.Use(next => connection =>
    {
        var from = (connection.RemoteEndPoint as IPEndPoint)?.Address;
        if (from is not null && Ipv4Address.From(from.IsIPv4MappedToIPv6 ? from.MapToIPv4() : from) is { } caller && provisioning.Any(n => n.Address.Contains(caller) && n.Address.Address != caller))
        {
            connection.Abort();
            return Task.CompletedTask;
        }
        return next(connection);
    });

    static void Know(ListenOptions endpoint, Func<ConnectionContext, Caller> caller) => endpoint.Use(next => connection =>
    {
        connection.Features.Set(caller(connection));
        return next(connection);
    });

    static Caller PeerOf(ConnectionContext connection) =>
        Caller.OfUnixPeer(connection.Features.Get<IConnectionSocketFeature>()?.Socket ?? throw new InvalidOperationException("a unix connection without its socket"));

    static Socket Bind(EndPoint endPoint) => endPoint is UnixDomainSocketEndPoint unix
        ? ManagementSocket.Bind(unix.ToString() ?? throw new InvalidOperationException("a socket without a path"))
        : SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint);
}
