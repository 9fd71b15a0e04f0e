using System.Runtime.InteropServices;

namespace GridAppliance.Cli.Native;

/// <summary>What gridctl asks of libc: the terminal's own settings. Linux.</summary>
static unsafe partial class Libc
{
    public const int EINTR = 4;
    public const short POLLIN = 1;

    const int EAGAIN = 11;
    const short POLLOUT = 4;

    const int TCSAFLUSH = 2, TCSADRAIN = 1;
    const uint TIOCGWINSZ = 0x5413;

    /// <summary>struct termios of the GNU library, kept as it came: cfmakeraw(3) knows its fields.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct TerminalSettings
    {
        fixed uint words[16];
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct PollEntry
    {
        public int File;
        public short Events;
        public short Happened;
    }

    struct WindowSize
    {
        public ushort Rows, Columns, Width, Height;
    }

    [LibraryImport("libc", EntryPoint = "tcgetattr", SetLastError = true)]
    private static partial int GetAttributes(SafeHandle terminal, TerminalSettings* settings);

    [LibraryImport("libc", EntryPoint = "tcsetattr", SetLastError = true)]
    private static partial int SetAttributes(SafeHandle terminal, int when, TerminalSettings* settings);

    [LibraryImport("libc", EntryPoint = "cfmakeraw")]
    private static partial void MakeRaw(TerminalSettings* settings);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int GetWindowSize(SafeHandle terminal, nuint request, WindowSize* size);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll(PollEntry* entries, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    public static partial int EventFile(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(SafeHandle file, byte* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(SafeHandle file, byte* buffer, nuint count);

    /// <returns>How many octets; 0 at the end, and when the terminal is gone.</returns>
    public static int Read(SafeHandle file, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            while (true)
            {
                var count = (int)Read(file, start, (nuint)buffer.Length);
                if (count >= 0) return count;
                if (Marshal.GetLastPInvokeError() != EINTR) return 0;
            }
        }
    }

    /// <returns>Whether all of it was written; a terminal that is gone takes nothing.</returns>
    public static bool Write(SafeHandle file, ReadOnlySpan<byte> octets)
    {
        fixed (byte* start = octets)
        {
            for (var at = 0; at < octets.Length;)
            {
                var count = (int)Write(file, start + at, (nuint)(octets.Length - at));
                if (count > 0) at += count;
                else if (Marshal.GetLastPInvokeError() is var error && error == EAGAIN) WaitFor(file, POLLOUT);
                else if (error != EINTR) return false;
            }
        }
        return true;
    }

    static void WaitFor(SafeHandle file, short what)
    {
        var entry = new PollEntry { File = (int)file.DangerousGetHandle(), Events = what };
        Poll(&entry, 1, -1);
    }

    /// <summary>The terminal's settings; null when it is none.</summary>
    public static TerminalSettings? Settings(SafeHandle terminal)
    {
        TerminalSettings settings;
        return GetAttributes(terminal, &settings) == 0 ? settings : null;
    }

    public static TerminalSettings Raw(TerminalSettings settings)
    {
        MakeRaw(&settings);
        return settings;
    }

    /// <param name="terminal">Which.</param>
    /// <param name="settings">From <see cref="Settings"/>.</param>
    /// <param name="dropTyped">What was typed before the change is dropped.</param>
    public static bool Apply(SafeHandle terminal, TerminalSettings settings, bool dropTyped) => SetAttributes(terminal, dropTyped ? TCSAFLUSH : TCSADRAIN, &settings) == 0;

    public static (int Columns, int Rows)? Size(SafeHandle terminal)
    {
        WindowSize size;
        return GetWindowSize(terminal, TIOCGWINSZ, &size) == 0 && size is { Columns: > 0, Rows: > 0 } ? (size.Columns, size.Rows) : null;
    }
}
