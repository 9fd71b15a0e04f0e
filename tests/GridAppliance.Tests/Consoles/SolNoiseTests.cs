using System.Net;
using System.Net.Sockets;
using System.Text;
using GridAppliance.Testing;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Consoles;

/// <summary>A machine that sends whatever it likes down its serial line, through a real simulator's serial over LAN, to the record and to operators' terminals.</summary>
public sealed class SolNoiseTests
{
    /// <summary>What takes a terminal over when it is shown: titles, clipboards, answers that are typed by the terminal itself, other screens, 8-bit controls, direction marks.</summary>
    const string Attacks = "\e]0;owned\a\e]52;c;cm0gLXJmIC8=\a\e[6n\e[c\e[?1049h\e[2J\e[3J\eP$q\"p\e\\\e_app\e\\\eZ\ec\u009b31m\u202eevil\u2066\u200f\r\n\x7f\b\b\v\f";

    [Fact]
    public async Task Binary_noise_is_recorded_as_it_came_and_reaches_no_terminal_unfiltered()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var serial = new TcpListener(IPAddress.Loopback, 0);
        serial.Start();
        using var simulator = IpmiSimulator.Start(serialPort: ((IPEndPoint)serial.LocalEndpoint).Port);
        await using var plane = await ManagementPlaneHost.StartAsync();
        await SampleNodes.DiscoverAsync(plane, 1);
        Assert.Equal(0, (await plane.GridctlWith(IpmiSimulator.Password + "\n", "port", "set", "n1", $"ipmi://{simulator.EndPoint}", "--user", IpmiSimulator.User)).Status);
        using var machine = await serial.AcceptTcpClientAsync(patience.Token);

        using var client = plane.Client();
        // What a machine says before anybody has its console is its BMC's to keep or to drop.
        await UntilAsync("connected to");

        var said = Noise();
        await machine.GetStream().WriteAsync(said, patience.Token);
        await UntilAsync("the very end");

        using var http = plane.Http();
        var record = await http.GetByteArrayAsync("/api/v1/nodes/n1/console/log?raw=true", patience.Token);
        Assert.True(record.AsSpan().IndexOf(said) >= 0, $"{said.Length} octets were said, and {record.Length} others are in the record");
        foreach (var command in (string[][])[["log", "n1", "--last", "100000"], ["log", "n1", "-o", "json"], ["log", "n1", "--replay", "--speed", "100000"], ["log", "n1", "--grep", "very end|owned|evil"]])
        {
            var ran = await plane.Gridctl(command);
            Assert.True(ran.Status == 0, ran.Error);
            Assert.Contains("the very end", ran.Output, StringComparison.Ordinal);
            Assert.DoesNotContain(ran.Output, c => char.IsControl(c) && c != '\n' || c is '\u202e' or '\u2066' or '\u200f');
        }

        async Task UntilAsync(string words)
        {
            await foreach (var line in client.ReadConsoleLog("n1", new() { Pattern = words, Follow = true }, patience.Token)) return;
            Assert.Fail($"the record ended without '{words}'");
        }
    }

    static byte[] Noise()
    {
        using var noise = new MemoryStream();
        var random = new Random(11);
        for (var i = 0; i < 40; i++)
        {
            var octets = new byte[500];
            random.NextBytes(octets);
            noise.Write(octets);
            noise.Write(Encoding.UTF8.GetBytes(Attacks));
            // The same in single octets, and cut off in the middle.
            noise.Write(Encoding.Latin1.GetBytes("\u009b2J\u009d0;owned\u009c\e[38;5"));
        }
        // A string control may have swallowed what follows, up to its bound.
        noise.Write(Encoding.ASCII.GetBytes("\e\\\r\n\r\nthe very end\r\n"));
        return noise.ToArray();
    }
}
