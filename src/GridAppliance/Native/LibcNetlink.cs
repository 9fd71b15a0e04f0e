using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace GridAppliance.Native;

/// <summary>Netlink sockets: the base library knows no such address family.</summary>
static unsafe partial class Libc
{
    public const int AF_NETLINK = 16, SOCK_RAW = 3, SOCK_CLOEXEC = 0x80000, NETLINK_NETFILTER = 12;

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int OpenSocket(int domain, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint SendTo(SafeHandle socket, byte* message, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint ReceiveFrom(SafeHandle socket, byte* buffer, nuint length, int flags);

    /// <returns>Invalid when the kernel refuses; <see cref="Marshal.GetLastPInvokeError"/> says why.</returns>
    public static SafeFileHandle OpenNetfilter() => new(OpenSocket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER), ownsHandle: true);

    /// <summary>The kernel has answered by the time it has taken the message.</summary>
    /// <returns>0, or an error number.</returns>
    public static int Send(SafeHandle socket, ReadOnlySpan<byte> message)
    {
        fixed (byte* start = message) return SendTo(socket, start, (nuint)message.Length, 0) < 0 ? Marshal.GetLastPInvokeError() : 0;
    }

    /// <returns>Octets of one datagram, or -1 when none is there.</returns>
    public static int Receive(SafeHandle socket, Span<byte> buffer)
    {
        fixed (byte* start = buffer) return (int)ReceiveFrom(socket, start, (nuint)buffer.Length, MSG_DONTWAIT);
    }
}
