using System.Runtime.InteropServices;
using System.Text;

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

    /// <summary>What the interface with this number is called in our namespace; null when there is none.</summary>
    public static string? InterfaceName(int index)
    {
        Span<byte> name = stackalloc byte[InterfaceNameLength];
        return NameOfInterface((uint)index, name) == 0 ? null : Encoding.ASCII.GetString(name[..name.IndexOf((byte)0)]);
    }

    /// <summary>IF_NAMESIZE, its final zero included.</summary>
    const int InterfaceNameLength = 16;

    [LibraryImport("libc", EntryPoint = "if_indextoname")]
    private static partial nint NameOfInterface(uint index, Span<byte> name);
}
