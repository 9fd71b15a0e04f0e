using System.Runtime.InteropServices;

namespace GridAppliance.Agent.Native;

/// <summary>The few calls of libc that the base library does not offer.</summary>
static partial class Libc
{
    public const int SigTerm = 15, SigKill = 9;
    public const int RebootAutoboot = 0x01234567, RebootKexec = 0x45584543;
    public const long KexecFileLoad = 320;
    public const int OpenReadOnly = 0, OpenReadWrite = 2, OpenExclusive = 0x80, OpenCloseOnExec = 0x80000;
    public const int TryAgain = 11, Busy = 16, Exists = 17;

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int process, int signal);

    [LibraryImport("libc", EntryPoint = "reboot", SetLastError = true)]
    public static partial int Reboot(int command);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    public static unsafe partial long LoadKernel(long number, int kernel, int initramfs, nuint lineLength, byte* line, nuint flags);

    [LibraryImport("libc", EntryPoint = "sync")]
    public static partial void Sync();

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static unsafe partial nint Read(int file, byte* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int file);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static unsafe partial int Ioctl(SafeHandle file, nuint request, void* argument);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    public static unsafe partial int Poll(PollEntry* entries, nuint count, int milliseconds);

    [StructLayout(LayoutKind.Sequential)]
    public struct PollEntry
    {
        public int File;
        public short Events;
        public short Returned;
    }
}
