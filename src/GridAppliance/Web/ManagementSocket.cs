using System.Net.Sockets;
using GridAppliance.Hosting;
using GridAppliance.Web.Security;

namespace GridAppliance.Web;

/// <summary>The unix socket: whoever may open it is let in, so its mode is set before anybody can connect.</summary>
static class ManagementSocket
{
    /// <summary>Members of it may use gridctl without sudo.</summary>
    const string Group = "gridappliance";

    const UnixFileMode OwnerAndGroup = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    /// <returns>Bound and not yet listening: a connection before that is refused, whatever the mode was at birth.</returns>
    public static Socket Bind(string path)
    {
        RemoveLeftover(path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            socket.Bind(new UnixDomainSocketEndPoint(path));
            File.SetUnixFileMode(path, OwnerAndGroup);
            // Only root can give the socket to a group that it is not in itself; the daemon's own user has the group already.
            if (Environment.IsPrivilegedProcess && UnixAccounts.GroupId(Group) is { } group) Native.Libc.ChangeGroup(path, group);
            return socket;
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException)
        {
            socket.Dispose();
            throw new StartupException($"the socket {path} cannot be made: {e.Message}", "Check that its directory is there and belongs to the daemon's user.", e);
        }
    }

    /// <summary>A daemon that was killed leaves its socket behind. One that answers belongs to a daemon that lives.</summary>
    static void RemoveLeftover(string path)
    {
        if (!File.Exists(path)) return;
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try { probe.Connect(new UnixDomainSocketEndPoint(path)); }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
            return;
        }
        catch (SocketException e) { throw new StartupException($"{path} is in the way: {e.Message}", "Remove it, or name another socket in management.listen.", e); }
        throw new StartupException($"another appliance answers at {path}", "Stop that one, or name another socket in management.listen.");
    }
}
