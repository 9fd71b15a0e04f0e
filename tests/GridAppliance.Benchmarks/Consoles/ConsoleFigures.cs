using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using GridAppliance.Agents;
using GridAppliance.Api.Client;
using GridAppliance.Benchmarks.Peers;
using GridAppliance.Boot;
using GridAppliance.Boot.Files;
using GridAppliance.Boot.Http;
using GridAppliance.Consoles;
using GridAppliance.Consoles.Record;
using GridAppliance.Establish;
using GridAppliance.Fabric;
using GridAppliance.Grids;
using GridAppliance.Hosting;
using GridAppliance.Modules;
using GridAppliance.Nodes;
using GridAppliance.Operations;
using GridAppliance.Power;
using GridAppliance.Power.Ports;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Resources;
using GridAppliance.San;
using GridAppliance.Store;
using GridAppliance.Switches;
using GridAppliance.Testing;
using GridAppliance.Tests.Web;
using GridAppliance.Web;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace GridAppliance.Benchmarks.Consoles;

/// <summary>What consoles cost and how quick they are, in a daemon with everything but the boot path.</summary>
static class ConsoleFigures
{
    public const int Consoles = 200, BytesPerSecond = 10_000, LineLength = 100, Seconds = 30;
    const int Samples = 300;

    /// <summary>200 consoles at 10 kB/s each, from another process; what is recorded is checked line by line.</summary>
    public static async Task<int> RecordAsync()
    {
        using var feeder = new PeerProcess(Environment.ProcessPath!, "consoles", "feed");
        var endPoint = feeder.ReadLine()!;
        return await RecordAsync("TCP", feeder, (daemon, i) => daemon.AddAsync(i, $"tcp://{endPoint}", "", ""));
    }

    /// <summary>The same through serial over LAN: 200 sessions of suite 17, in which each packet is signed, encrypted and acknowledged.</summary>
    /// <param name="threshold">The BMCs' character send threshold.</param>
    public static async Task<int> RecordSolAsync(int threshold)
    {
        using var feeder = new PeerProcess(Environment.ProcessPath!, "consoles", "feed", "sol", threshold.ToString());
        var addresses = Enumerable.Range(0, Consoles).Select(_ => feeder.ReadLine()!).ToList();
        return await RecordAsync($"serial over LAN, sent at {threshold} characters", feeder, (daemon, i) => daemon.AddAsync(i, addresses[i], SolFeed.User, SolFeed.Password));
    }

    static async Task<int> RecordAsync(string way, PeerProcess feeder, Func<Daemon, int, Task<Guid>> add)
    {
        await using var daemon = await Daemon.StartAsync();
        var nodes = new List<Guid>();
        for (var i = 0; i < Consoles; i++) nodes.Add(await add(daemon, i));
        // The feeder begins when all have come.
        if (feeder.ReadLine() != "begins") throw new InvalidOperationException("the feeder ended");
        var (cpu, clock) = (Environment.CpuUsage, Stopwatch.StartNew());
        if (feeder.ReadLine() is not { } ended || !ended.StartsWith("ends", StringComparison.Ordinal)) throw new InvalidOperationException("the feeder ended");
        var (spent, elapsed) = (Environment.CpuUsage, clock.Elapsed);
        await Task.Delay(TimeSpan.FromSeconds(1));

        var wanted = int.Parse(ended.Split(' ')[1]);
        var wrong = 0;
        foreach (var node in nodes) wrong += await CheckAsync(daemon, node, wanted);
        var (user, kernel) = (spent.UserTime - cpu.UserTime, spent.PrivilegedTime - cpu.PrivilegedTime);
        Console.WriteLine($"{Consoles} consoles over {way}, {Consoles * (long)wanted * LineLength / elapsed.TotalSeconds / Consoles / 1000:0.0} kB/s each for {elapsed.TotalSeconds:0.0} s: {100 * (user + kernel) / elapsed:0.0} % of one core ({100 * kernel / elapsed:0.0} % in the kernel); {wrong} of {Consoles * wanted} lines missing or out of order; {ended}");
        return wrong == 0 ? 0 : 1;
    }

    /// <summary>A numbered line of <see cref="LineLength"/> octets.</summary>
    public static void WriteLine(int number, Span<byte> line) => Encoding.ASCII.GetBytes($"{number:d9} ".PadRight(LineLength - 2, '.') + "\r\n", line);

    /// <summary>The other process: a port on which every connection gets numbered lines.</summary>
    public static async Task<int> FeedAsync()
    {
        using var listener = new TcpListener(IPAddress.Any, 0);
        listener.Start(Consoles);
        Console.WriteLine($"127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
        var clients = new List<TcpClient>();
        while (clients.Count < Consoles) clients.Add(await listener.AcceptTcpClientAsync());
        // Every console in pieces of a tenth of a second, the consoles spread over it.
        const int linesAtOnce = BytesPerSecond / 10 / LineLength;
        var (line, clock) = (0, Stopwatch.StartNew());
        Console.WriteLine("begins");
        var piece = new byte[linesAtOnce * LineLength];
        for (var round = 0; round < Seconds * 10; round++, line += linesAtOnce)
        {
            for (var i = 0; i < linesAtOnce; i++) WriteLine(line + i, piece.AsSpan(i * LineLength));
            for (var i = 0; i < clients.Count; i++)
            {
                await clients[i].GetStream().WriteAsync(piece);
                if (i % 20 == 19 && TimeSpan.FromMilliseconds(round * 100 + i / 2) - clock.Elapsed is { Ticks: > 0 } ahead) await Task.Delay(ahead);
            }
        }
        Console.WriteLine($"ends {line}");
        await Task.Delay(TimeSpan.FromMinutes(2));
        return 0;
    }

    /// <summary>A character at the machine's serial port, through OpenIPMI's simulator and serial over LAN, to a WebSocket.</summary>
    public static async Task<int> LatencyAsync()
    {
        using var serial = new TcpListener(IPAddress.Loopback, 0);
        serial.Start();
        using var simulator = IpmiSimulator.Start(serialPort: ((IPEndPoint)serial.LocalEndpoint).Port);
        await using var daemon = await Daemon.StartAsync();
        await daemon.AddAsync(0, $"ipmi://{simulator.EndPoint}", IpmiSimulator.User, IpmiSimulator.Password);
        using var machine = await serial.AcceptTcpClientAsync();
        machine.NoDelay = true;
        using var client = new ApplianceClient(new ApplianceAddress.Unix(daemon.Socket));
        using var viewer = await client.AttachConsole("n1", write: true, CancellationToken.None);
        var (buffer, times, random) = (new byte[65536], new List<double>(), new Random(1));
        for (var i = 0; i < Samples; i++)
        {
            var mark = (byte)('a' + i % 26);
            await Task.Delay(random.Next(20, 60));
            var began = Stopwatch.GetTimestamp();
            await machine.GetStream().WriteAsync(new[] { mark });
            while (true)
            {
                var heard = await viewer.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                if (heard.MessageType == WebSocketMessageType.Binary && buffer.AsSpan(0, heard.Count).Contains(mark)) break;
            }
            times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }
        times.Sort();
        Console.WriteLine($"serial port to WebSocket through serial over LAN, {Samples} characters: p50 {times[Samples / 2]:0.00} ms, p90 {times[Samples * 9 / 10]:0.00} ms, p99 {times[Samples * 99 / 100]:0.00} ms, most {times[^1]:0.00} ms");
        return 0;
    }

    /// <returns>How many lines are not where they should be.</returns>
    static async Task<int> CheckAsync(Daemon daemon, Guid node, int wanted)
    {
        var lines = new ConsoleLines();
        var (next, wrong) = (0, 0);
        daemon.Consoles.Find(node)!.Flush();
        await foreach (var entry in ConsoleRecordReader.ReadAsync(daemon.Consoles.RecordOf(node), default, default))
            foreach (var line in lines.Add(entry).Where(line => line.Kind == ConsoleEntryKind.Output))
                if (int.Parse(line.Text.AsSpan(0, 9)) != next++) wrong++;
        return wrong + Math.Abs(wanted - next);
    }

    sealed class Daemon(IHost host, string directory) : IAsyncDisposable
    {
        public string Socket => Path.Combine(directory, "api.sock");

        public ConsoleDirectory Consoles => host.Services.GetRequiredService<ConsoleDirectory>();

        public static async Task<Daemon> StartAsync()
        {
            var directory = Directory.CreateTempSubdirectory("ga-consoles-").FullName;
            var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
            builder.Services.AddSingleton(new ApplianceOptions
            {
                Name = "figures", DataDir = directory, BootFiles = directory, ManagementListen = [new ListenAddress.Unix(Path.Combine(directory, "api.sock"))], Networks = [],
            });
            builder.Services.AddSingleton(TimeProvider.System);
            builder.Services.AddDaemonWithoutBootServices(new());
            var host = builder.Build();
            await host.StartAsync();
            return new(host, directory);
        }

        /// <summary>A node with a port; returns when its console is open.</summary>
        public async Task<Guid> AddAsync(int number, string address, string user, string password)
        {
            var node = await host.Services.GetRequiredService<NodeDirectory>().DiscoverAsync(
                MacAddress.Parse($"52:54:00:00:{number >> 8:x2}:{number & 255:x2}"), "provisioning", static node => node, "is there", CancellationToken.None);
            // Two ports never have the same address: 127.0.0.1 has sixteen million neighbours.
            var uri = new Uri(address.StartsWith("tcp", StringComparison.Ordinal) ? address.Replace("127.0.0.1", $"127.0.1.{number + 1}", StringComparison.Ordinal) : address);
            await host.Services.GetRequiredService<NodePorts>().SetAsync(node.Id, new() { Address = uri, User = user, Password = Encoding.ASCII.GetBytes(password) }, "figures", CancellationToken.None);
            for (var tries = 0; Consoles.Find(node.Id)?.State.Connected != true; tries++)
            {
                if (tries > 3000) throw new TimeoutException($"the console of {node.Name} does not open");
                await Task.Delay(10);
            }
            return node.Id;
        }

        public async ValueTask DisposeAsync()
        {
            await host.StopAsync();
            host.Dispose();
            Directory.Delete(directory, recursive: true);
        }
    }
}
