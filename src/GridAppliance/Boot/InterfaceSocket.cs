using System.Net;
using System.Net.Sockets;
using System.Text;
using GridAppliance.Hosting;

namespace GridAppliance.Boot;

/// <summary>Sockets that hear one interface only, opened with an operator's sentence for everything that can be in the way.</summary>
static class InterfaceSocket
{
    const int SOL_SOCKET = 1, SO_REUSEADDR = 2, SO_BINDTODEVICE = 25;

    /// <param name="network">Whose interface.</param>
    /// <param name="kind">UDP or TCP.</param>
    /// <param name="endPoint">Where to bind.</param>
    /// <param name="what">What the port is for, as the sentence says it: "TFTP".</param>
    /// <param name="shared">UDP: the port may be open already on another address, by a socket that is marked so too.</param>
    /// <exception cref="StartupException">The interface, the address or the port is not to be had.</exception>
    public static Socket Open(NetworkOptions network, ProtocolType kind, IPEndPoint endPoint, string what, bool shared = false)
    {
        var socket = new Socket(AddressFamily.InterNetwork, kind == ProtocolType.Tcp ? SocketType.Stream : SocketType.Dgram, kind);
        try
        {
            // TCP: past connections in TIME_WAIT must not keep a restart from listening. The runtime's own ReuseAddress adds SO_REUSEPORT, with which two daemons would share the port unknowingly.
            if (kind == ProtocolType.Tcp || shared) socket.SetRawSocketOption(SOL_SOCKET, SO_REUSEADDR, BitConverter.GetBytes(1));
            BindToDevice(socket, network.Interface);
            socket.Bind(endPoint);
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            var (message, next) = Say(e.SocketErrorCode, network, kind, endPoint, what);
            throw new StartupException(message, next, e);
        }
    }

    /// <summary>SO_BINDTODEVICE; since Linux 5.7 open to everyone on a socket that is not bound yet.</summary>
    public static void BindToDevice(Socket socket, string device) =>
        socket.SetRawSocketOption(SOL_SOCKET, SO_BINDTODEVICE, Encoding.ASCII.GetBytes(device));

    static (string Message, string NextStep) Say(SocketError error, NetworkOptions network, ProtocolType kind, IPEndPoint endPoint, string what)
    {
        var port = $"{(kind == ProtocolType.Tcp ? "TCP" : "UDP")} port {endPoint.Port}";
        var find = $"ss -l{(kind == ProtocolType.Tcp ? "t" : "u")}np 'sport = :{endPoint.Port}'";
        return error switch
        {
            SocketError.AddressAlreadyInUse =>
                ($"{what} cannot listen on {network.Interface}: another program has {port}", $"Find it with \"{find}\" and stop it, or take network '{network.Name}' out of the configuration."),
            SocketError.AccessDenied =>
                ($"{what} may not listen on {network.Interface}, {port}", "Give the daemon CAP_NET_BIND_SERVICE and CAP_NET_RAW, as its systemd unit does."),
            SocketError.AddressNotAvailable =>
                ($"{what} cannot listen on {network.Interface}: {endPoint.Address} is not an address of this machine", $"Give it to {network.Interface}, or correct the address of network '{network.Name}'."),
            _ => ($"{what} cannot listen on {network.Interface}, {port}: {error}", $"Check that the interface of network '{network.Name}' is there."),
        };
    }
}
