using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using GridAppliance.Boot.Files;
using GridAppliance.Boot.Tftp;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Tftp;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Benchmarks.Peers;

/// <summary>
/// Our TFTP server and Debian's atftpd, one after the other, case by case, in one run on loopback, with one client for both: throughput, and the server's CPU time for it.
/// </summary>
static class TftpPeers
{
    const int FileLength = 32 << 20;
    const int Rounds = 3;
    const string Key = "image";

    sealed record Case(int BlockSize, int Window, int Clients)
    {
        public override string ToString() => $"blksize {BlockSize,5} window {Window,2} clients {Clients}";
    }

    readonly record struct Figure(double MegabytesPerSecond, double CpuSecondsPerGigabyte);

    static readonly Case[] Cases =
    [
        new(512, 1, 1), new(1428, 1, 1), new(1428, 4, 1), new(1428, 16, 1), new(1428, 64, 1), new(8192, 16, 1), new(65464, 1, 1), new(65464, 16, 1),
        new(1428, 1, 8), new(1428, 16, 8), new(65464, 16, 8),
    ];

    /// <param name="atftpd">Path of the peer.</param>
    public static int Run(string atftpd)
    {
        if (!File.Exists(atftpd))
        {
            Console.Error.WriteLine($"{atftpd} is not there: install Debian's atftpd, or give its path.");
            return 2;
        }
        var directory = Directory.CreateTempSubdirectory("tftp-peers");
        try
        {
            // The peer gives up root for nobody and has to reach the file all the same.
            File.SetUnixFileMode(directory.FullName, (UnixFileMode)Convert.ToInt32("755", 8));
            var path = Path.Combine(directory.FullName, Key);
            File.WriteAllBytes(path, RandomNumberGenerator.GetBytes(FileLength));
            File.SetUnixFileMode(path, (UnixFileMode)Convert.ToInt32("644", 8));
            var peerPort = FreePort();
            using var peer = new PeerProcess(atftpd, "--daemon", "--no-fork", "--port", peerPort.ToString(), "--bind-address", "127.0.0.1", "--maxthread", "100", "--logfile", "/dev/null", directory.FullName);
            using var ours = new PeerProcess(Environment.ProcessPath!, "peers", "tftp-serve", path);
            var ourPort = int.Parse(ours.ReadLine() ?? throw new InvalidOperationException("our server did not start"));
            Thread.Sleep(300);
            Compare(peer, peerPort, ours, ourPort);
            return 0;
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    /// <summary>The other process: serves one file until it is killed.</summary>
    public static async Task<int> ServeAsync(string path)
    {
        var content = GC.AllocateUninitializedArray<byte>((int)new FileInfo(path).Length, pinned: true);
        (await File.ReadAllBytesAsync(path)).CopyTo(content, 0);
        var file = new BootFile(Key, BootFileRole.Initramfs, content, "");
        var network = new NetworkOptions { Name = "bench", Interface = "lo", Address = Ipv4Network.Parse("127.0.0.1/8"), Boot = true };
        var catalog = new BootCatalogState { Current = new([file], file, file, default, "bench") };
        await using var listener = new TftpListener(
            network, new() { Port = 0 }, catalog, new(), new(new(), new(), TimeProvider.System), TimeProvider.System, NullLogger.Instance);
        Console.WriteLine(listener.Port);
        await Task.Delay(Timeout.Infinite);
        return 0;
    }

    static void Compare(PeerProcess peer, int peerPort, PeerProcess ours, int ourPort)
    {
        Console.WriteLine($"{FileLength >> 20} MiB for each client; best of {Rounds}; MB/s, and CPU seconds of the server for each GB");
        Console.WriteLine($"{"",-36}{"atftpd",18}{"gridappliance",18}{"throughput",12}{"CPU",8}");
        foreach (var one in Cases)
        {
            // Once each for the page cache and the JIT.
            Measure(ours, ourPort, one);
            Measure(peer, peerPort, one);
            var (theirs, mine) = (default(Figure), default(Figure));
            for (var round = 0; round < Rounds; round++)
            {
                theirs = Best(theirs, Measure(peer, peerPort, one));
                mine = Best(mine, Measure(ours, ourPort, one));
            }
            Console.WriteLine($"{one,-36}{theirs.MegabytesPerSecond,9:F0} {theirs.CpuSecondsPerGigabyte,8:F2}{mine.MegabytesPerSecond,9:F0} {mine.CpuSecondsPerGigabyte,8:F2}"
                + $"{mine.MegabytesPerSecond / theirs.MegabytesPerSecond,11:F2}x{mine.CpuSecondsPerGigabyte / theirs.CpuSecondsPerGigabyte,7:F2}x");
        }
    }

    static Figure Best(Figure a, Figure b) => b.MegabytesPerSecond > a.MegabytesPerSecond ? b : a;

    static Figure Measure(PeerProcess server, int port, Case one)
    {
        var cpu = server.Cpu;
        var began = Stopwatch.GetTimestamp();
        var threads = Enumerable.Range(0, one.Clients).Select(_ => new Thread(() => Fetch(port, one))).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        var bytes = (double)FileLength * one.Clients;
        return new(bytes / 1e6 / seconds, (server.Cpu - cpu).TotalSeconds / (bytes / 1e9));
    }

    /// <summary>Takes the file as a boot ROM does, checks the order of the blocks, and throws them away.</summary>
    static void Fetch(int port, Case one)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 8 << 20, ReceiveTimeout = 20_000 };
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var packet = new byte[70_000];
        EndPoint from = new IPEndPoint(IPAddress.Loopback, port);
        var request = new TftpRequest { Opcode = TftpOpcode.ReadRequest, FileName = "image"u8, Mode = TftpMode.Octet, Options = new() { BlockSize = one.BlockSize, WindowSize = one.Window } };
        socket.SendTo(packet.AsSpan(0, request.Write(packet)), from);
        var length = socket.ReceiveFrom(packet, ref from);
        if (!TftpPacket.TryReadOptionAcknowledgement(packet.AsSpan(0, length), out var accepted, out _) || accepted.BlockSize != one.BlockSize || accepted.WindowSize != one.Window)
            throw new InvalidOperationException($"{one} was not accepted");
        socket.Connect(from);

        var acknowledgement = new byte[TftpPacket.HeaderLength];
        TftpPacket.WriteAcknowledgement(acknowledgement, 0);
        socket.Send(acknowledgement);
        long received = 0, total = 0;
        while (true)
        {
            length = socket.Receive(packet);
            if (!TftpPacket.TryReadData(packet.AsSpan(0, length), out var block, out var payload, out _)) throw new InvalidOperationException("no DATA");
            var next = block == (ushort)(received + 1);
            if (next)
            {
                received++;
                total += payload.Length;
            }
            var last = next && payload.Length < one.BlockSize;
            if (last || !next || received % one.Window == 0)
            {
                TftpPacket.WriteAcknowledgement(acknowledgement, (ushort)received);
                socket.Send(acknowledgement);
            }
            if (last) break;
        }
        if (total != FileLength) throw new InvalidOperationException($"{total} octets came");
    }

    static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
