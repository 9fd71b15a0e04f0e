using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace GridAppliance.Native;

/// <summary>What the daemon asks of libc that the base library has no call for. Linux, 64-bit.</summary>
static unsafe partial class Libc
{
    public const int EIO = 5;
    public const int EAGAIN = 11;
    public const int EINVAL = 22;
    public const int EOPNOTSUPP = 95;

    public const int MSG_DONTWAIT = 0x40;
    /// <summary>Wait for the first message, and take with it what is there.</summary>
    public const int MSG_WAITFORONE = 0x10000;

    const int O_RDONLY = 0, O_DIRECTORY = 0x10000, O_CLOEXEC = 0x80000;

    /// <returns>How many of the messages were sent, or -1 with the error in <see cref="Marshal.GetLastPInvokeError"/>.</returns>
    [LibraryImport("libc", EntryPoint = "sendmmsg", SetLastError = true)]
    public static partial int SendMessages(SafeHandle socket, MessageHeaders* messages, uint count, int flags);

    /// <returns>How many messages were read, or -1 with the error in <see cref="Marshal.GetLastPInvokeError"/>.</returns>
    [LibraryImport("libc", EntryPoint = "recvmmsg", SetLastError = true)]
    public static partial int ReceiveMessages(SafeHandle socket, MessageHeaders* messages, uint count, int flags, void* timeout);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(SafeHandle file);

    /// <summary>Makes a rename or a creation inside <paramref name="path"/> durable.</summary>
    /// <exception cref="IOException">The kernel refused.</exception>
    public static void SyncDirectory(string path)
    {
        using var directory = new SafeFileHandle(Open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), ownsHandle: true);
        if (directory.IsInvalid || Fsync(directory) != 0)
            throw new IOException($"{path} cannot be synced: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
    }

    /// <summary>struct iovec.</summary>
    public struct Vector
    {
        public byte* Start;
        public nuint Length;
    }

    /// <summary>struct mmsghdr: struct msghdr and the octets sent or received.</summary>
    public struct MessageHeaders
    {
        public byte* Name;
        public uint NameLength;
        public Vector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        /// <summary>An int, and what fills struct msghdr up to its alignment.</summary>
        public nint Flags;
        public uint Length;
    }
}
