using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using GridAppliance.Consoles;
using GridAppliance.Consoles.Record;
using GridAppliance.Consoles.Serial;
using GridAppliance.Power.Ports;
using GridAppliance.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Consoles;

/// <summary>Serial lines, on pseudo-terminals: to the driver they are ttys like any other.</summary>
public sealed class SerialLineTests : IDisposable
{
    const uint Cstopb = 0x40, Parodd = 0x200, Cmspar = 0x40000000, Crtscts = 0x80000000, Ixon = 0x400, Ixoff = 0x1000;

    readonly CancellationTokenSource patience = new(TimeSpan.FromSeconds(60));
    readonly PseudoTerminal pty = new();

    CancellationToken Patience => patience.Token;

    public void Dispose()
    {
        pty.Dispose();
        patience.Dispose();
    }

    Task<IConsole> OpenAsync(SerialSettings? settings = null) => new SerialConsolePort(pty.Path, settings ?? new(), TimeProvider.System).OpenAsync(Patience);

    static async Task<byte[]> ReadAsync(IConsole console, int count, CancellationToken patience)
    {
        var octets = new byte[count];
        for (var at = 0; at < count;) at += await console.ReadAsync(octets.AsMemory(at), patience);
        return octets;
    }

    [Fact]
    public async Task Octets_pass_as_they_are_both_ways()
    {
        await using var console = await OpenAsync();
        var said = RandomNumberGenerator.GetBytes(20_000);
        var saying = Task.Run(() => pty.Type(said));
        Assert.Equal(said, await ReadAsync(console, said.Length, Patience));
        await saying;

        var typed = RandomNumberGenerator.GetBytes(20_000);
        var typing = console.WriteAsync(typed, Patience).AsTask();
        Assert.Equal(typed, await pty.ReadAsync(typed.Length));
        await typing;
    }

    /// <summary>
    /// Twice: as the kernel was asked, in strace's reading, and as the tty is afterwards. A pseudo-terminal holds its octets at eight bits and no parity, whatever is asked of it, and keeps all the rest,
    /// of which kind a parity would be is a part.
    /// </summary>
    [Theory]
    [InlineData("", 115200, "CS8", 0, 0)]
    [InlineData("?speed=9600", 9600, "CS8", 0, 0)]
    [InlineData("?bits=5", 115200, "CS5", 0, 0)]
    [InlineData("?bits=6&parity=mark", 115200, "CS6 PARENB PARODD CMSPAR", Parodd | Cmspar, 0)]
    [InlineData("?bits=7&parity=space", 115200, "CS7 PARENB CMSPAR", Cmspar, 0)]
    [InlineData("?speed=250000&bits=7&parity=even&stop=2", 250000, "CS7 PARENB CSTOPB", Cstopb, 0)]
    [InlineData("?speed=1500000&parity=odd&flow=rtscts", 1500000, "CS8 PARENB PARODD CRTSCTS", Parodd | Crtscts, 0)]
    [InlineData("?flow=xonxoff", 115200, "CS8", 0, Ixon | Ixoff)]
    public async Task The_line_is_spoken_as_its_address_says(string query, int speed, string asked, uint kept, uint input)
    {
        var settings = SerialSettings.Read(query)!;
        Assert.Equal(query, settings.ToQuery());
        var calls = await ThreadTrace.OfAsync("ioctl", () => OpenAsync(settings).GetAwaiter().GetResult().DisposeAsync().AsTask().GetAwaiter().GetResult());
        var set = Regex.Match(calls, @"TCSETS2, \{c_iflag=(?<input>[^,]*), c_oflag=[^,]*, c_cflag=(?<control>[^,]*), c_lflag=0?,.*\[VSTART\]=0x11, \[VSTOP\]=0x13,.*c_ispeed=(?<in>\d+), c_ospeed=(?<out>\d+)\}\) = 0");
        Assert.True(set.Success, calls);
        // BOTHER: the speed is the number itself. CLOCAL: whether a modem carries does not matter here.
        Assert.Equal(asked.Split(' ').Concat(["BOTHER", "CREAD", "CLOCAL"]).Order(), set.Groups["control"].Value.Split('|').Order());
        Assert.Equal(input == 0 ? "" : "IXON|IXOFF", set.Groups["input"].Value.TrimStart('0'));
        Assert.Equal(($"{speed}", $"{speed}"), (set.Groups["in"].Value, set.Groups["out"].Value));
        Assert.Equal(((uint)speed, kept, input), (pty.Line.Speed, pty.Line.Flags & (Cstopb | Parodd | Cmspar | Crtscts), pty.Line.Input));
    }

    [Fact]
    public async Task A_break_is_no_octet()
    {
        await using var console = await OpenAsync();
        await Assert.IsAssignableFrom<ISerialBreak>(console).SendBreakAsync(Patience);
        await console.WriteAsync("x"u8.ToArray(), Patience);
        Assert.Equal("x"u8.ToArray(), await pty.ReadAsync(1));
    }

    /// <summary>A pseudo-terminal has neither wires nor a break: what the kernel was asked is seen by strace, in strace's own reading of the numbers.</summary>
    [Theory]
    [InlineData("", "TIOCMBIS, [TIOCM_DTR]", "TIOCMBIS, [TIOCM_RTS]")]
    [InlineData("?dtr=off", "TIOCMBIC, [TIOCM_DTR]", "TIOCMBIS, [TIOCM_RTS]")]
    [InlineData("?rts=off", "TIOCMBIS, [TIOCM_DTR]", "TIOCMBIC, [TIOCM_RTS]")]
    // The kernel moves RTS by itself then, and begins with it raised.
    [InlineData("?flow=rtscts&rts=off", "TIOCMBIS, [TIOCM_DTR]", "TIOCMBIS, [TIOCM_RTS]")]
    public async Task The_kernel_is_asked_for_the_wires_and_for_a_break_with_an_end(string query, string dtr, string rts)
    {
        var calls = await ThreadTrace.OfAsync("ioctl", () => OpenAndBreak(SerialSettings.Read(query)!));
        Assert.Matches($@"(?s)TIOCEXCL.*{Regex.Escape(dtr)}.*{Regex.Escape(rts)}.*TIOCSBRK.*TIOCCBRK", calls);
        Assert.Equal(2, Regex.Count(calls, "TIOCMBI[SC]"));
    }

    /// <summary>All of it on the thread that calls.</summary>
    void OpenAndBreak(SerialSettings settings)
    {
        var clock = new ManualClock();
        var console = new SerialConsolePort(pty.Path, settings, clock).OpenAsync(Patience).GetAwaiter().GetResult();
        var sending = ((ISerialBreak)console).SendBreakAsync(Patience).AsTask();
        Assert.False(sending.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(1));
        sending.GetAwaiter().GetResult();
        console.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }

    [Fact]
    public async Task A_tty_that_is_unplugged_is_a_lost_line_for_who_reads_and_who_types()
    {
        await using var console = await OpenAsync();
        var reading = console.ReadAsync(new byte[10], Patience).AsTask();
        pty.Unplug();
        Assert.Contains("unplugged", (await Assert.ThrowsAsync<IOException>(() => reading)).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<IOException>(() => console.WriteAsync("x"u8.ToArray(), Patience).AsTask());
    }

    /// <summary>An adapter keeps its lasting name, which leads to another device when it is plugged in again.</summary>
    [Fact]
    public async Task A_tty_that_is_unplugged_and_plugged_in_again_is_taken_back_and_the_gap_is_in_the_record()
    {
        var directory = Directory.CreateTempSubdirectory("gridappliance-").FullName;
        var name = Path.Combine(directory, "usb-adapter");
        File.CreateSymbolicLink(name, pty.Path);
        using var session = new ConsoleSession("n1", new SerialConsolePort(name, new(), TimeProvider.System), ConsoleRecordWriter.Open(Path.Combine(directory, "record"), new(), TimeProvider.System), TimeProvider.System, _ => { }, NullLogger.Instance);
        using var viewer = session.TryJoin("ann")!;
        var running = session.RunAsync(Patience);
        await SeeAsync("connected");
        pty.Type("before");
        await SeeAsync("before");

        pty.Unplug();
        await SeeAsync("the line was lost: ");
        Assert.Equal(TypeResult.NotConnected, await viewer.TypeAsync("x"u8.ToArray(), Patience));
        using var again = new PseudoTerminal();
        File.Delete(name);
        File.CreateSymbolicLink(name, again.Path);
        await SeeAsync("connected");
        again.Type("after");
        await SeeAsync("after");
        Assert.Equal(TypeResult.Typed, await viewer.TypeAsync("y"u8.ToArray(), Patience));
        Assert.Equal("y"u8.ToArray(), await again.ReadAsync(1));

        session.Sync();
        var record = new StringBuilder();
        await foreach (var entry in ConsoleRecordReader.ReadAsync(Path.Combine(directory, "record"), default, default)) record.Append(Encoding.UTF8.GetString(entry.Octets.Span)).Append('|');
        Assert.Matches("connected.*before.*the line was lost: .*unplugged.*connected.*after", record.ToString());
        await patience.CancelAsync();
        await running;
        Directory.Delete(directory, recursive: true);

        async Task SeeAsync(string text)
        {
            for (var seen = ""; !seen.Contains(text, StringComparison.Ordinal);) seen += Encoding.UTF8.GetString((await viewer.ReadAsync(Patience)).Octets.Span);
        }
    }

    [Fact]
    public async Task What_is_no_serial_line_is_never_written_to()
    {
        var nothing = await Assert.ThrowsAsync<IOException>(() => new SerialConsolePort("/dev/null", new(), TimeProvider.System).OpenAsync(Patience));
        Assert.Contains("/dev/null is no serial line", nothing.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<IOException>(() => new SerialConsolePort("/dev/ttyNotThere", new(), TimeProvider.System).OpenAsync(Patience));
    }

    [Fact]
    public async Task A_closed_line_can_be_opened_again()
    {
        for (var i = 0; i < 3; i++)
        {
            await using var console = await OpenAsync();
            await console.WriteAsync(Encoding.ASCII.GetBytes($"{i}"), Patience);
            Assert.Equal(Encoding.ASCII.GetBytes($"{i}"), await pty.ReadAsync(1));
        }
    }

    [Theory]
    [InlineData("serial:///dev/ttyS1", "serial:///dev/ttyS1")]
    [InlineData("serial:///dev/serial/by-id/usb-FTDI_A1-if00?stop=1&speed=9600", "serial:///dev/serial/by-id/usb-FTDI_A1-if00?speed=9600")]
    [InlineData("telnet+rfc2217://10.0.0.9:7001/?parity=none", "telnet+rfc2217://10.0.0.9:7001")]
    public void An_address_is_kept_in_one_form(string written, string kept)
    {
        Assert.True(PortScheme.TryRead(written, out var address, out var defect), defect);
        Assert.Equal(kept, address.OriginalString);
        Assert.True(PortScheme.TryRead(kept, out var again, out _));
        Assert.Equal(address, again);
        Assert.Equal(["console"], PortScheme.Of(address).Capabilities);
    }

    [Theory]
    [InlineData("serial:///etc/passwd")]
    [InlineData("serial:///dev/../etc/passwd")]
    [InlineData("serial:///dev/ttyS1?speed=0")]
    [InlineData("serial:///dev/ttyS1?speed")]
    [InlineData("serial:///dev/ttyS1?colour=red")]
    [InlineData("telnet+rfc2217://10.0.0.9")]
    [InlineData("tcp://10.0.0.9:7001?speed=9600")]
    public void Nonsense_is_no_address(string written) => Assert.False(PortScheme.TryRead(written, out _, out _));
}
