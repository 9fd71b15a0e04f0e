using System.Net.Sockets;
using System.Text;

namespace GridAppliance.Lab.Machine;

/// <summary>Stands where systemd stands for a Type=notify unit: hears the daemon say that everything it serves is open (sd_notify(3)).</summary>
sealed class NotifySocket : IDisposable
{
    readonly string path;
    readonly Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

    public NotifySocket(string path)
    {
        this.path = path;
        File.Delete(path);
        socket.Bind(new UnixDomainSocketEndPoint(path));
    }

    /// <summary>For the daemon's environment.</summary>
    public string Variable => $"NOTIFY_SOCKET={path}";

    public async Task ReadyAsync(CancellationToken cancellation)
    {
        var message = new byte[4096];
        while (true)
        {
            var length = await socket.ReceiveAsync(message, cancellation);
            if (Encoding.UTF8.GetString(message, 0, length).Split('\n').Contains("READY=1")) return;
        }
    }

    public void Dispose()
    {
        socket.Dispose();
        File.Delete(path);
    }
}
