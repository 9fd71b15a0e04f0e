using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using GridAppliance.Cli;
using GridAppliance.Cli.Terminal;
using GridAppliance.Consoles;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Consoles;

/// <summary>How large a person's window is, on its way to a console server that wants to know (RFC 1073): from a browser and from <c>gridctl console</c>.</summary>
public sealed class WindowSizeTests : IAsyncLifetime
{
    readonly SizeServer server = new();
    ManagementPlaneHost plane = null!;

    public async Task InitializeAsync()
    {
        plane = await ManagementPlaneHost.StartAsync();
        await SampleNodes.DiscoverAsync(plane, 1);
        Assert.Equal(0, (await plane.Gridctl("port", "set", "n1", $"telnet+rfc2217://{server.EndPoint}")).Status);
        await server.ConnectedAsync();
    }

    public async Task DisposeAsync()
    {
        await plane.DisposeAsync();
        server.Dispose();
    }

    [ChromiumFact]
    public async Task A_browsers_window_that_is_resized_is_fitted_and_told_to_the_node()
    {
        await using var page = await ChromiumPage.OpenAsync(new(plane.Loopback, "/console/n1"), 1100, 700);
        await page.UntilAsync("document.querySelector('#link').dataset.link === 'live' && consoleSize() !== '80x24'");
        await page.TypeAsync("x");
        var first = await AgreedAsync();
        await page.ResizeAsync(700, 900);
        await server.UntilAsync(size => size.Columns < first.Columns && size.Rows > first.Rows);
        await AgreedAsync();
        // Nothing of it is cut off: the terminal is as wide as its place has room for.
        Assert.Equal("true", await page.EvaluateAsync("document.querySelector('.xterm-screen').getBoundingClientRect().right <= document.querySelector('#screen').getBoundingClientRect().right"));

        // What stands above the terminal changes with who types, and takes room or gives some: the last word counts.
        async Task<TerminalSize> AgreedAsync()
        {
            for (var tries = 0; ; tries++)
            {
                var told = server.Latest;
                var shown = await page.EvaluateAsync("consoleSize()");
                if (shown == $"{told.Columns}x{told.Rows}") return told;
                Assert.True(tries < 600, $"the page has {shown}, and {told} was told");
                await Task.Delay(50);
            }
        }
    }

    [Fact]
    public async Task A_terminals_window_is_told_when_its_owner_types_when_it_changes_and_when_the_line_is_back()
    {
        using var screen = new PseudoTerminal(100, 30);
        await using StringWriter output = new(), error = new();
        var terminal = new GridctlTerminal(output, error, TextReader.Null, interactive: true) { Raw = () => RawTerminal.Open(screen.Far, screen.Far) };
        var running = Task.Run(() => CommandTree.Run(["console", "n1", "--url", plane.Socket.ToString()!], terminal));
        await screen.SeeAsync("for help");
        Assert.Equal(new(100, 30), await server.NextAsync());

        screen.Resize(132, 43);
        using (var self = System.Diagnostics.Process.Start("/bin/kill", ["-WINCH", Environment.ProcessId.ToString()])) await self.WaitForExitAsync();
        Assert.Equal(new(132, 43), await server.NextAsync());

        // Somebody else with a smaller window types: the node draws for that one now, and for the first again when it is theirs again.
        var session = plane.Get<ConsoleDirectory>().Find(plane.Nodes.Current.Find("n1")!.Id)!;
        using (var ann = session.TryJoin("ann")!)
        {
            ann.Resize(new(80, 24));
            ann.TakeOver();
            Assert.Equal(new(80, 24), await server.NextAsync());
        }
        screen.Type("x");
        Assert.Equal(new(132, 43), await server.NextAsync());

        server.HangUp();
        await server.ConnectedAsync();
        Assert.Equal(new(132, 43), await server.NextAsync());
        screen.Type("\u001dq");
        Assert.Equal(0, await running.WaitAsync(TimeSpan.FromSeconds(60)));
    }

    /// <summary>A telnet server that asks how large the window is.</summary>
    sealed class SizeServer : IDisposable
    {
        readonly TcpListener listener = new(IPAddress.Loopback, 0);
        readonly CancellationTokenSource patience = new(TimeSpan.FromSeconds(60));
        readonly Channel<TerminalSize> sizes = Channel.CreateUnbounded<TerminalSize>();
        TcpClient? client;
        Task reading = Task.CompletedTask;

        public SizeServer() => listener.Start();

        public TerminalSize Latest { get; private set; }

        public IPEndPoint EndPoint => (IPEndPoint)listener.LocalEndpoint;

        public async Task ConnectedAsync()
        {
            client = await listener.AcceptTcpClientAsync(patience.Token);
            // IAC DO NAWS
            await client.GetStream().WriteAsync(new byte[] { 255, 253, 31 }, patience.Token);
            reading = ReadAsync(client.GetStream());
        }

        public async Task<TerminalSize> NextAsync() => await UntilAsync(static _ => true);

        public async Task<TerminalSize> UntilAsync(Func<TerminalSize, bool> awaited)
        {
            try
            {
                while (true)
                    if (await sizes.Reader.ReadAsync(patience.Token) is var size && awaited(size)) return size;
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException("the awaited size of the window was never told");
            }
        }

        public void HangUp() => client?.Dispose();

        public void Dispose()
        {
            client?.Dispose();
            listener.Dispose();
            reading.Wait(TimeSpan.FromSeconds(10));
            patience.Dispose();
        }

        /// <summary>IAC SB NAWS, width and height in two octets each, IAC SE; no size here has an octet of 255.</summary>
        async Task ReadAsync(NetworkStream stream)
        {
            var heard = new List<byte>();
            var buffer = new byte[1024];
            try
            {
                int count;
                while ((count = await stream.ReadAsync(buffer, patience.Token)) > 0)
                {
                    heard.AddRange(buffer[..count]);
                    for (int at; (at = heard.ToArray().AsSpan().IndexOf((byte[])[255, 250, 31])) >= 0 && heard.Count >= at + 9; heard.RemoveRange(0, at + 9))
                        sizes.Writer.TryWrite(Latest = new((ushort)(heard[at + 3] << 8 | heard[at + 4]), (ushort)(heard[at + 5] << 8 | heard[at + 6])));
                }
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException) { /* The test has hung up. */ }
        }
    }
}
