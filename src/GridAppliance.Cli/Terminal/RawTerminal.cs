using System.Runtime.InteropServices;
using System.Threading.Channels;
using GridAppliance.Cli.Native;
using Microsoft.Win32.SafeHandles;

namespace GridAppliance.Cli.Terminal;

/// <summary>
/// A terminal that hands over every key as it is pressed, the interrupt key among them, and shows octets as they are. Everything is put back by <see cref="Dispose"/>.
/// A read of a terminal cannot be cancelled, so it has a thread of its own that feeds a channel.
/// </summary>
sealed unsafe class RawTerminal : IDisposable
{
    const int EFD_CLOEXEC = 0x80000;

    /// <summary>What a far end may have left switched on: colours, a hidden cursor, the other screen, reports of the mouse and of pastes.</summary>
    static ReadOnlySpan<byte> Tidy => "\e[0m\e[?25h\e[?1049l\e[?1000l\e[?1002l\e[?1003l\e[?1006l\e[?2004l\e(B\e[r\r\n"u8;

    readonly SafeFileHandle input, output;
    readonly Libc.TerminalSettings before;
    readonly SafeFileHandle stop;
    readonly Thread reading;
    // The terminal's own buffer is 4 KiB: when the node does not take a paste, the terminal waits, and with it whoever pastes.
    readonly Channel<byte[]> typed = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(4) { SingleReader = true, SingleWriter = true, FullMode = BoundedChannelFullMode.Wait });

    RawTerminal(SafeFileHandle input, SafeFileHandle output, Libc.TerminalSettings before)
    {
        (this.input, this.output, this.before) = (input, output, before);
        stop = new(Libc.EventFile(0, EFD_CLOEXEC), ownsHandle: true);
        reading = new(Read) { Name = "terminal", IsBackground = true };
        Libc.Apply(input, Libc.Raw(before), dropTyped: false);
        reading.Start();
    }

    /// <summary>What is typed, piece by piece; completes when the terminal is gone.</summary>
    public ChannelReader<byte[]> Typed => typed.Reader;

    public (int Columns, int Rows)? Size => Libc.Size(output);

    /// <summary>Null when the process has no terminal.</summary>
    public static RawTerminal? OfProcess() => Open(new(0, ownsHandle: false), new(1, ownsHandle: false));

    public static RawTerminal? Open(SafeFileHandle input, SafeFileHandle output) =>
        Libc.Settings(input) is { } settings && Libc.Settings(output) is not null ? new(input, output, settings) : null;

    /// <summary>A window that was closed takes nothing, and says so at the next read.</summary>
    public void Write(ReadOnlySpan<byte> octets) => Libc.Write(output, octets);

    public void Dispose()
    {
        Libc.Write(stop, BitConverter.GetBytes(1L));
        typed.Writer.TryComplete();
        reading.Join();
        stop.Dispose();
        Write(Tidy);
        Libc.Apply(input, before, dropTyped: true);
    }

    void Read()
    {
        var entries = stackalloc Libc.PollEntry[2];
        var buffer = new byte[4096];
        try
        {
            while (true)
            {
                entries[0] = new() { File = (int)input.DangerousGetHandle(), Events = Libc.POLLIN };
                entries[1] = new() { File = (int)stop.DangerousGetHandle(), Events = Libc.POLLIN };
                if (Libc.Poll(entries, 2, -1) < 0)
                {
                    if (Marshal.GetLastPInvokeError() == Libc.EINTR) continue;
                    break;
                }
                if (entries[1].Happened != 0) break;
                var count = Libc.Read(input, buffer);
                if (count <= 0) break;
                typed.Writer.WriteAsync(buffer[..count]).AsTask().GetAwaiter().GetResult();
            }
        }
        catch (ChannelClosedException)
        {
            // Nobody listens any more.
        }
        typed.Writer.TryComplete();
    }
}
