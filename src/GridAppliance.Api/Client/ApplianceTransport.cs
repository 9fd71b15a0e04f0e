using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace GridAppliance.Api.Client;

/// <summary>How a caller over TCP beyond loopback shows who it is, and whom it trusts.</summary>
/// <param name="Token">Bearer token.</param>
/// <param name="Certificate">The appliance's own certificate: trusted exactly, beside what the system trusts.</param>
public sealed record ApplianceCredentials(string? Token, X509Certificate2? Certificate);

/// <summary>Connections, and what it means when there is none.</summary>
static class ApplianceTransport
{
    static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    public static SocketsHttpHandler Handler(ApplianceAddress address, ApplianceCredentials? credentials)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            // An operator's web proxy has no business between gridctl and the appliance.
            UseProxy = false,
            ConnectTimeout = ConnectTimeout,
        };
        if (address is ApplianceAddress.Unix unix) handler.ConnectCallback = (_, cancellation) => Connect(unix.Path, cancellation);
        if (credentials?.Certificate is { } trusted)
            handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                errors == SslPolicyErrors.None || certificate is not null && certificate.GetRawCertData().AsSpan().SequenceEqual(trusted.RawDataMemory.Span);
        return handler;
    }

    static async ValueTask<Stream> Connect(string path, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public static ApplianceException Translate(ApplianceAddress address, Exception e)
    {
        var error = (e as SocketException ?? e.InnerException as SocketException)?.SocketErrorCode;
        return address switch
        {
            ApplianceAddress.Unix unix when error == SocketError.AccessDenied => new(ApplianceFault.PermissionDenied,
                $"this user may not use {unix.Path}", "run it with sudo, or add the user to the group: `sudo usermod -aG gridappliance $USER`, then log in again", e),
            ApplianceAddress.Unix unix when !File.Exists(unix.Path) => new(ApplianceFault.Unreachable,
                $"there is no socket at {unix.Path}", "start the appliance with `sudo systemctl start gridappliance`, or name another with --url or GRIDCTL_URL", e),
            ApplianceAddress.Unix unix when error == SocketError.ConnectionRefused => new(ApplianceFault.Unreachable,
                $"nothing listens at {unix.Path}: the appliance has stopped", "look at `systemctl status gridappliance` and `journalctl -u gridappliance`", e),
            ApplianceAddress.Http http when e.InnerException is AuthenticationException => new(ApplianceFault.Unreachable,
                $"the certificate of {http} is not trusted", "give the appliance's own with --certificate FILE: it is certificate.pem in its data directory", e),
            _ => new(ApplianceFault.Unreachable, $"{address} cannot be reached: {e.InnerException?.Message ?? e.Message}",
                "check the address given with --url or GRIDCTL_URL, and `systemctl status gridappliance` there", e),
        };
    }
}
