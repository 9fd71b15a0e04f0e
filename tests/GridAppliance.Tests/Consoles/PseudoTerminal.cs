using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace GridAppliance.Tests.Consoles;

/// <summary>A pseudo-terminal (pty(7)): the far end is a terminal to whoever has it, this end is its keyboard and its screen.</summary>
sealed partial class PseudoTerminal : IDisposable
{

    readonly StringBuilder seen = new();
    readonly FileStream near;

    public unsafe PseudoTerminal(int columns = 80, int rows = 24)
    {
        int master, slave;
        var size = stackalloc ushort[4] { (ushort)rows, (ushort)columns, 0, 0 };
        if (OpenPair(&master, &slave, null, null, size) != 0) throw new IOException(Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError()));
        Far = new(slave, ownsHandle: true);
        var name = stackalloc byte[64];
        if (NameOf(master, name, 64) != 0) throw new IOException("ptsname_r");
        Path = Marshal.PtrToStringUTF8((nint)name)!;
        near = new(new SafeFileHandle(master, ownsHandle: true), FileAccess.ReadWrite, bufferSize: 0, isAsync: false);
    }

    /// <summary>The terminal's end.</summary>
    public SafeFileHandle Far { get; }

    public string Path { get; }

    /// <summary>What the program at the far end complained of elsewhere; for a failing test.</summary>
    public string Complaint { get; set; } = "";

    public void Type(ReadOnlySpan<byte> octets) => near.Write(octets);

    public void Type(string text) => Type(Encoding.UTF8.GetBytes(text));

    /// <summary>Reads the screen until it shows <paramref name="text"/>; returns everything since the last call.</summary>
    public async Task<string> SeeAsync(string text)
    {
        var buffer = new byte[4096];
        while (!seen.ToString().Contains(text, StringComparison.Ordinal))
        {
            // A pty's read cannot be cancelled: when it waits for ever, the test fails and its end closes the pty.
            var reading = Task.Run(() => near.Read(buffer));
            int count;
            try { count = await reading.WaitAsync(TimeSpan.FromSeconds(60)); }
            catch (TimeoutException) { throw new TimeoutException($"never saw '{text}' in: {seen} {Complaint}"); }
            if (count == 0) throw new EndOfStreamException($"the terminal was closed before '{text}' in: {seen}");
            seen.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }
        var all = seen.ToString();
        seen.Clear();
        return all;
    }

    public async Task<byte[]> ReadAsync(int count)
    {
        var octets = new byte[count];
        for (var at = 0; at < count;)
        {
            var from = at;
            var read = await Task.Run(() => near.Read(octets, from, count - from)).WaitAsync(TimeSpan.FromSeconds(60));
            if (read == 0) throw new EndOfStreamException();
            at += read;
        }
        return octets;
    }

    public unsafe bool IsRaw
    {
        get
        {
            var settings = stackalloc uint[16];
            if (GetAttributes(Far, settings) != 0) throw new IOException("tcgetattr");
            const uint ICANON = 2;
            return (settings[3] & ICANON) == 0;
        }
    }

    /// <summary>How the far end is set: bits per second, and the kernel's control and input flags (termbits.h).</summary>
    public unsafe (uint Speed, uint Flags, uint Input) Line
    {
        get
        {
            const nuint TCGETS2 = 0x802C542A;
            var settings = stackalloc uint[11];
            if (Control(Far, TCGETS2, settings) != 0) throw new IOException("TCGETS2");
            return (settings[10], settings[2], settings[0]);
        }
    }

    /// <summary>Makes the far end carry octets as they are, as a serial line does.</summary>
    public unsafe void MakeRaw()
    {
        var settings = stackalloc uint[16];
        if (GetAttributes(Far, settings) != 0) throw new IOException("tcgetattr");
        RawSettings(settings);
        if (SetAttributes(Far, 0, settings) != 0) throw new IOException("tcsetattr");
    }

    /// <summary>As when a person pulls at the window's corner; whoever has the terminal hears of it by SIGWINCH, which the test sends.</summary>
    public unsafe void Resize(int columns, int rows)
    {
        const nuint TIOCSWINSZ = 0x5414;
        var size = stackalloc ushort[4] { (ushort)rows, (ushort)columns, 0, 0 };
        if (Control(Far, TIOCSWINSZ, size) != 0) throw new IOException("TIOCSWINSZ");
    }

    /// <summary>As when an adapter is pulled.</summary>
    public void Unplug() => near.Dispose();

    public void Dispose()
    {
        near.Dispose();
        Far.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "openpty", SetLastError = true)]
    private static unsafe partial int OpenPair(int* master, int* slave, byte* name, void* settings, ushort* size);

    [LibraryImport("libc", EntryPoint = "ptsname_r", SetLastError = true)]
    private static unsafe partial int NameOf(int master, byte* name, nuint length);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static unsafe partial int Control(SafeHandle terminal, nuint request, void* argument);

    [LibraryImport("libc", EntryPoint = "cfmakeraw")]
    private static unsafe partial void RawSettings(uint* settings);

    [LibraryImport("libc", EntryPoint = "tcsetattr", SetLastError = true)]
    private static unsafe partial int SetAttributes(SafeHandle terminal, int when, uint* settings);

    [LibraryImport("libc", EntryPoint = "tcgetattr", SetLastError = true)]
    private static unsafe partial int GetAttributes(SafeHandle terminal, uint* settings);
}
