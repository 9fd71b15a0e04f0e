using System.Runtime.InteropServices;

namespace GridAppliance.Lab.Native;

/// <summary>The few calls of the C library that .NET has no name for.</summary>
static partial class Libc
{
    public const int CloneNewNet = 0x40000000;

    public const int SignalKill = 9;
    public const int SignalTerminate = 15;

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    public static partial int SetNamespace(SafeHandle fileDescriptor, int kind);

    /// <summary>A handle on one process that keeps meaning that process after its number is used again; needs Linux 5.3.</summary>
    [LibraryImport("libc", EntryPoint = "pidfd_open", SetLastError = true)]
    public static partial int OpenProcess(int pid, uint flags);

    [LibraryImport("libc", EntryPoint = "pidfd_send_signal", SetLastError = true)]
    public static partial int SendSignal(SafeHandle process, int signal, nint info, uint flags);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint EffectiveUser();
}
