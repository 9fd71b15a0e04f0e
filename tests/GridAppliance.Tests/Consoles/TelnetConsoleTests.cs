using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using GridAppliance.Consoles;
using GridAppliance.Consoles.Serial;
using GridAppliance.Consoles.Telnet;

namespace GridAppliance.Tests.Consoles;

/// <summary>RFC 2217 against Debian's ser2net with a pseudo-terminal behind it, and against a scripted server for what ser2net never does.</summary>
public sealed class TelnetConsoleTests : IDisposable
{
    readonly CancellationTokenSource patience = new(TimeSpan.FromSeconds(60));

    CancellationToken Patience => patience.Token;

    public void Dispose() => patience.Dispose();

    static async Task<byte[]> ReadAsync(IConsole console, int count, CancellationToken patience)
    {
        var octets = new byte[count];
        for (var at = 0; at < count;)
        {
            var read = await console.ReadAsync(octets.AsMemory(at), patience);
            if (read == 0) throw new EndOfStreamException();
            at += read;
        }
        return octets;
    }

    [Fact]
    public async Task Ser2net_carries_binary_both_ways_and_sets_the_line()
    {
        using var pty = new PseudoTerminal();
        pty.MakeRaw();
        using var server = await Ser2net.StartAsync(pty.Path, Patience);
        await using var console = await new TelnetConsolePort(server.EndPoint, new() { Speed = 19200, StopBits = 2 }, TimeProvider.System).OpenAsync(Patience);

        // The first octet is read once the settings are agreed on: ser2net answers in order.
        var reading = ReadAsync(console, 4001, Patience);
        while (pty.Line.Speed != 19200) await Task.Delay(20, Patience);
        var said = RandomNumberGenerator.GetBytes(4001);
        var saying = Task.Run(() => pty.Type(said));
        Assert.Equal(said, await reading);
        await saying;
        Assert.NotEqual(0u, pty.Line.Flags & 0x40);

        var typed = RandomNumberGenerator.GetBytes(4000);
        var waiting = console.ReadAsync(new byte[100], Patience).AsTask();
        var typing = console.WriteAsync(typed, Patience).AsTask();
        Assert.Equal(typed, await pty.ReadAsync(typed.Length));
        await typing;
        await Assert.IsAssignableFrom<ISerialBreak>(console).SendBreakAsync(Patience);
        await console.WriteAsync("x"u8.ToArray(), Patience);
        Assert.Equal("x"u8.ToArray(), await pty.ReadAsync(1));
        server.Dispose();
        await EndedAsync(waiting);

        static async Task EndedAsync(Task<int> waiting)
        {
            try { Assert.Equal(0, await waiting); }
            catch (IOException) { /* Reset rather than closed: a lost line all the same. */ }
        }
    }

    [Fact]
    public async Task A_server_without_the_option_is_said()
    {
        await using var peer = await Peer.StartAsync(Patience);
        var reading = peer.Console.ReadAsync(new byte[10], Patience).AsTask();
        await peer.SendAsync([255, 254, 44]);
        Assert.Contains("does not speak RFC 2217", (await Assert.ThrowsAsync<IOException>(() => reading)).Message, StringComparison.Ordinal);
    }

    /// <summary>RFC 2217: SET-CONTROL 8 and 9 raise and drop DTR, 11 and 12 RTS, 5 and 6 begin and end a break; SET-DATASIZE, SET-PARITY, SET-STOPSIZE and the flow before them.</summary>
    [Theory]
    [InlineData("", 8, 1, 1, 1, 8, 11)]
    [InlineData("?bits=7&parity=even&stop=2&flow=rtscts&dtr=off&rts=off", 7, 3, 2, 3, 9, 12)]
    [InlineData("?bits=5&parity=mark&flow=xonxoff&dtr=off", 5, 4, 1, 2, 9, 11)]
    public async Task The_line_and_its_wires_are_set_as_the_address_says_and_a_break_is_held(string query, byte size, byte parity, byte stop, byte flow, byte dtr, byte rts)
    {
        await using var peer = await Peer.StartAsync(Patience, SerialSettings.Read(query));
        var reading = ReadAsync(peer.Console, 1, Patience);
        await peer.SendAsync([255, 253, 44, (byte)'.']);
        await reading;
        await peer.HearAsync([255, 250, 44, 2, size, 255, 240, 255, 250, 44, 3, parity, 255, 240, 255, 250, 44, 4, stop, 255, 240, 255, 250, 44, 5, flow, 255, 240, 255, 250, 44, 5, dtr, 255, 240, 255, 250, 44, 5, rts, 255, 240]);
        await ((ISerialBreak)peer.Console).SendBreakAsync(Patience);
        await peer.HearAsync([255, 250, 44, 5, 5, 255, 240, 255, 250, 44, 5, 6, 255, 240]);
    }

    [Fact]
    public async Task A_server_that_says_stop_is_waited_for()
    {
        await using var peer = await Peer.StartAsync(Patience);
        var reading = ReadAsync(peer.Console, 1, Patience);
        // DO COM-PORT, FLOWCONTROL-SUSPEND, and an octet by which we know that both were read.
        await peer.SendAsync([255, 253, 44, 255, 250, 44, 108, 255, 240, (byte)'.']);
        await reading;
        await peer.HearAsync([255, 250, 44, 1, 0, 1, 194, 0, 255, 240]);
        var typing = peer.Console.WriteAsync("late"u8.ToArray(), Patience).AsTask();
        var next = ReadAsync(peer.Console, 1, Patience);
        Assert.False(typing.IsCompleted);
        await peer.SendAsync([255, 250, 44, 109, 255, 240, (byte)'.']);
        await next;
        await typing;
        await peer.HearAsync("late"u8.ToArray());
    }

    [Fact]
    public async Task Without_binary_a_carriage_return_has_its_nul_and_a_break_is_telnets_own()
    {
        await using var peer = await Peer.StartAsync(Patience);
        var reading = ReadAsync(peer.Console, 4, Patience);
        await peer.SendAsync([255, 254, 0, 255, 252, 0, (byte)'a', 13, 0, 10, 255, 255]);
        Assert.Equal([(byte)'a', 13, 10, 255], await reading);
        await peer.Console.WriteAsync("b\r"u8.ToArray(), Patience);
        await peer.HearAsync([(byte)'b', 13, 0]);
        await ((ISerialBreak)peer.Console).SendBreakAsync(Patience);
        await peer.HearAsync([255, 243]);
    }

    [Fact]
    public async Task The_windows_size_is_told_to_who_wants_it()
    {
        await using var peer = await Peer.StartAsync(Patience);
        var reading = ReadAsync(peer.Console, 1, Patience);
        await peer.SendAsync([255, 253, 31, (byte)'.']);
        await reading;
        await peer.HearAsync([255, 251, 31]);
        await ((IWindowSize)peer.Console).ResizeAsync(new(255, 50), Patience);
        await peer.HearAsync([255, 250, 31, 0, 255, 255, 0, 50, 255, 240]);
    }

    [Fact]
    public async Task The_windows_size_is_told_to_who_asks_for_it_later()
    {
        await using var peer = await Peer.StartAsync(Patience);
        await ((IWindowSize)peer.Console).ResizeAsync(new(132, 43), Patience);
        var reading = ReadAsync(peer.Console, 1, Patience);
        await peer.SendAsync([255, 253, 31, (byte)'.']);
        await reading;
        await peer.HearAsync([255, 251, 31, 255, 250, 31, 0, 132, 0, 43, 255, 240]);
    }

    /// <summary>A telnet server played by a test.</summary>
    sealed class Peer(TcpListener listener, TcpClient client, IConsole console, CancellationToken patience) : IAsyncDisposable
    {
        readonly List<byte> heard = [];

        public IConsole Console => console;

        public static async Task<Peer> StartAsync(CancellationToken patience, SerialSettings? settings = null)
        {
            var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            var opening = new TelnetConsolePort((IPEndPoint)listener.LocalEndpoint, settings ?? new(), TimeProvider.System).OpenAsync(patience);
            var client = await listener.AcceptTcpClientAsync(patience);
            return new(listener, client, await opening, patience);
        }

        public Task SendAsync(byte[] octets) => client.GetStream().WriteAsync(octets, patience).AsTask();

        /// <summary>Reads until these octets have come.</summary>
        public async Task HearAsync(byte[] awaited)
        {
            var buffer = new byte[1024];
            int at;
            while ((at = heard.ToArray().AsSpan().IndexOf(awaited)) < 0)
            {
                var count = await client.GetStream().ReadAsync(buffer, patience);
                if (count == 0) throw new EndOfStreamException();
                heard.AddRange(buffer[..count]);
            }
            heard.RemoveRange(0, at + awaited.Length);
        }

        public async ValueTask DisposeAsync()
        {
            await console.DisposeAsync();
            client.Dispose();
            listener.Dispose();
        }
    }

    sealed class Ser2net(Process process, string configuration, IPEndPoint endPoint) : IDisposable
    {
        bool ended;

        public IPEndPoint EndPoint => endPoint;

        public static async Task<Ser2net> StartAsync(string device, CancellationToken patience)
        {
            int port;
            using (var free = new TcpListener(IPAddress.Loopback, 0))
            {
                free.Start();
                port = ((IPEndPoint)free.LocalEndpoint).Port;
            }
            // By the name's end it tells the language of the file.
            var configuration = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():n}.yaml");
            await File.WriteAllTextAsync(configuration, $"connection: &node\n  accepter: telnet(rfc2217),tcp,127.0.0.1,{port}\n  connector: serialdev,{device},9600n81,local\n", patience);
            var start = new ProcessStartInfo("/usr/sbin/ser2net") { RedirectStandardOutput = true, RedirectStandardError = true };
            // In the foreground, and without lock files of other programs' time.
            foreach (var argument in (string[])["-n", "-u", "-c", configuration]) start.ArgumentList.Add(argument);
            var server = new Ser2net(Process.Start(start)!, configuration, new(IPAddress.Loopback, port));
            try
            {
                await server.ListensAsync(patience);
                return server;
            }
            catch
            {
                server.Dispose();
                throw;
            }
        }

        public void Dispose()
        {
            if (ended) return;
            ended = true;
            process.Kill();
            process.WaitForExit(10_000);
            process.Dispose();
            File.Delete(configuration);
        }

        async Task ListensAsync(CancellationToken patience)
        {
            while (!Listeners.Listens(endPoint))
            {
                if (process.HasExited) throw new InvalidOperationException($"ser2net ended: {await process.StandardError.ReadToEndAsync(patience)}");
                await Task.Delay(20, patience);
            }
        }
    }

    static class Listeners
    {
        // Asked of the kernel: a connection to try it would open the line.
        public static bool Listens(IPEndPoint endPoint) =>
            System.Net.NetworkInformation.IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Any(listener => listener.Port == endPoint.Port);
    }
}
