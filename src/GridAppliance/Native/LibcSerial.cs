using System.Runtime.InteropServices;
using GridAppliance.Consoles.Serial;
using Microsoft.Win32.SafeHandles;

namespace GridAppliance.Native;

/// <summary>Serial lines: the kernel's own termios2 (ioctl_tty(2)), which takes any speed. The numbers are those of x86-64 and arm64.</summary>
static unsafe partial class Libc
{
    public const int EINTR = 4, ENXIO = 6, EBUSY = 16, ENODEV = 19, ENOTTY = 25;

    public const short POLLIN = 1, POLLOUT = 4, POLLERR = 8, POLLHUP = 16;

    const int O_RDWR = 2, O_NOCTTY = 0x100, O_NONBLOCK = 0x800;
    const int EFD_CLOEXEC = 0x80000;

    const nuint TCGETS2 = 0x802C542A, TCSETS2 = 0x402C542B, TIOCEXCL = 0x540C, TIOCMBIS = 0x5416, TIOCMBIC = 0x5417, TIOCSBRK = 0x5427, TIOCCBRK = 0x5428;

    const uint IXON = 0x400, IXOFF = 0x1000;
    const uint CSTOPB = 0x40, CREAD = 0x80, PARENB = 0x100, PARODD = 0x200, CLOCAL = 0x800, BOTHER = 0x1000, CMSPAR = 0x40000000, CRTSCTS = 0x80000000;
    const int VTIME = 5, VMIN = 6, VSTART = 8, VSTOP = 9;
    /// <summary>ASCII's DC1 and DC3, which XON and XOFF are everywhere.</summary>
    const byte Xon = 0x11, Xoff = 0x13;
    const int TIOCM_DTR = 2, TIOCM_RTS = 4;

    /// <summary>struct termios2.</summary>
    struct Termios2
    {
        public uint InputFlags, OutputFlags, ControlFlags, LocalFlags;
        public byte Line;
        public fixed byte Characters[19];
        public uint InputSpeed, OutputSpeed;
    }

    /// <summary>struct pollfd.</summary>
    public struct PollEntry
    {
        public int File;
        public short Events;
        public short Happened;
    }

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(SafeHandle file, nuint request, void* argument);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll(PollEntry* entries, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial int EventFile(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(SafeHandle file, byte* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(SafeHandle file, byte* buffer, nuint count);

    /// <summary>A counter that wakes a poll.</summary>
    /// <exception cref="IOException">The process has too many files open.</exception>
    public static SafeFileHandle OpenEvent()
    {
        var handle = new SafeFileHandle(EventFile(0, EFD_CLOEXEC | O_NONBLOCK), ownsHandle: true);
        return handle.IsInvalid ? throw Failure("an eventfd") : handle;
    }

    /// <summary>Opens a serial line for us alone and sets it; nothing is ever written to a file that is no terminal.</summary>
    /// <exception cref="IOException">It is not there, in use, no terminal, or cannot do what the settings say.</exception>
    public static SafeFileHandle OpenSerial(string path, SerialSettings settings)
    {
        var line = new SafeFileHandle(Open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC), ownsHandle: true);
        try
        {
            if (line.IsInvalid) throw Failure(path);
            Termios2 termios;
            if (Control(line, TCGETS2, &termios) != 0) throw Marshal.GetLastPInvokeError() == ENOTTY ? new IOException($"{path} is no serial line") : Failure(path);
            if (Control(line, TIOCEXCL, null) != 0) throw Failure(path);
            Set(ref termios, settings);
            if (Control(line, TCSETS2, &termios) != 0) throw Failure(path);
            // A pseudo-terminal has no such wires, and needs none.
            SetWire(line, TIOCM_DTR, settings.Dtr);
            SetWire(line, TIOCM_RTS, settings.Rts || settings.Flow == SerialFlow.RtsCts);
            return line;
        }
        catch
        {
            line.Dispose();
            throw;
        }
    }

    /// <summary>Holds the line low, or lets it go.</summary>
    /// <exception cref="IOException">The line is gone.</exception>
    public static void SetBreak(SafeHandle line, bool on)
    {
        if (Control(line, on ? TIOCSBRK : TIOCCBRK, null) != 0) throw Failure("the serial line");
    }

    public static IOException Failure(string what) => new($"{what}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");

    static void Set(ref Termios2 termios, SerialSettings settings)
    {
        termios.InputFlags = settings.Flow == SerialFlow.XonXoff ? IXON | IXOFF : 0;
        termios.OutputFlags = 0;
        termios.LocalFlags = 0;
        // No HUPCL: an appliance that restarts must not drop DTR on a node.
        termios.ControlFlags = CREAD | CLOCAL | BOTHER
            | settings.Bits switch { 5 => 0u, 6 => 0x10u, 7 => 0x20u, _ => 0x30u }
            | settings.Parity switch
            {
                SerialParity.None => 0u,
                SerialParity.Odd => PARENB | PARODD,
                SerialParity.Even => PARENB,
                SerialParity.Mark => PARENB | PARODD | CMSPAR,
                SerialParity.Space => PARENB | CMSPAR,
            }
            | (settings.StopBits == 2 ? CSTOPB : 0)
            | (settings.Flow == SerialFlow.RtsCts ? CRTSCTS : 0);
        termios.InputSpeed = termios.OutputSpeed = (uint)settings.Speed;
        termios.Characters[VMIN] = 1;
        termios.Characters[VTIME] = 0;
        // Whatever the last program there wanted.
        termios.Characters[VSTART] = Xon;
        termios.Characters[VSTOP] = Xoff;
    }

    static void SetWire(SafeHandle line, int wire, bool on) => Control(line, on ? TIOCMBIS : TIOCMBIC, &wire);
}
