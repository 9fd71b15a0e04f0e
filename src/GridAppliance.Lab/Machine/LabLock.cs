using System.Net.Sockets;

namespace GridAppliance.Lab.Machine;

/// <summary>
/// Keeps two gridlabs from building or removing one lab at once. It is an abstract socket name (unix(7)): the kernel takes it back when its holder ends, however
/// that comes, and it is no file that could be left.
/// </summary>
sealed class LabLock : IDisposable
{
    readonly Socket held;

    LabLock(Socket held) => this.held = held;

    /// <exception cref="LabException">Another gridlab is at work on this lab.</exception>
    public static LabLock Take(LabName name)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(new UnixDomainSocketEndPoint($"\0gridlab/{name}"));
            return new LabLock(socket);
        }
        catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            socket.Dispose();
            throw new LabException($"Another gridlab is at work on lab '{name}': let it finish, or interrupt it.");
        }
    }

    public void Dispose() => held.Dispose();
}
