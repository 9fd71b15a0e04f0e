using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;
using GridAppliance.Boot.Files;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Tftp;

namespace GridAppliance.Boot.Tftp;

/// <summary>
/// The TFTP port of one network. One task reads requests and alone decides which may start; every transfer has a socket and a task of its own and only ever takes itself off the list.
/// </summary>
sealed partial class TftpListener : IAsyncDisposable
{
    const int SendBuffer = 1 << 20;
    /// <summary>Room for the requests of a whole hall that is switched on at once.</summary>
    const int ReceiveBuffer = 1 << 20;
    static readonly TimeSpan PauseAfterError = TimeSpan.FromSeconds(1);

    readonly NetworkOptions network;
    readonly TftpSettings settings;
    readonly BootCatalogState catalog;
    readonly TftpCounters counters;
    readonly BootReporter reporter;
    readonly TimeProvider clock;
    readonly ILogger log;
    readonly Socket socket;
    readonly int mtu;
    readonly byte[] outbox = new byte[64];
    readonly ConcurrentDictionary<ClientPort, Running> transfers = new();
    readonly CancellationTokenSource stopping = new();
    readonly Task receiving;

    readonly record struct ClientPort(Ipv4Address Address, ushort Port);

    sealed class Running(BootFile file, TftpTransfer transfer)
    {
        public BootFile File => file;
        public TftpTransfer Transfer => transfer;
        public Task Done { get; set; } = Task.CompletedTask;
    }

    /// <summary>Opens the port and starts to serve.</summary>
    /// <exception cref="StartupException">The port or the interface is not to be had.</exception>
    public TftpListener(NetworkOptions network, TftpSettings settings, BootCatalogState catalog, TftpCounters counters, BootReporter reporter, TimeProvider clock, ILogger log)
    {
        this.network = network;
        this.settings = settings;
        this.catalog = catalog;
        this.counters = counters;
        this.reporter = reporter;
        this.clock = clock;
        this.log = log;
        socket = InterfaceSocket.Open(network, ProtocolType.Udp, new IPEndPoint(IPAddress.Any, settings.Port), "TFTP");
        socket.ReceiveBufferSize = ReceiveBuffer;
        mtu = NetworkInterface.GetAllNetworkInterfaces().FirstOrDefault(i => i.Name == network.Interface)?.GetIPProperties().GetIPv4Properties()?.Mtu ?? 1500;
        LogListening(network.Name, network.Interface, ((IPEndPoint)socket.LocalEndPoint!).Port);
        receiving = ReceiveAsync();
    }

    public int Port => ((IPEndPoint)socket.LocalEndPoint!).Port;

    /// <summary>Transfers under way.</summary>
    public int Active => transfers.Count;

    public async ValueTask DisposeAsync()
    {
        if (stopping.IsCancellationRequested) return;
        await stopping.CancelAsync();
        await receiving;
        socket.Dispose();
        foreach (var running in transfers.Values) running.Transfer.Stop();
        await Task.WhenAll(transfers.Values.Select(r => r.Done));
        stopping.Dispose();
    }

    async Task ReceiveAsync()
    {
        var buffer = GC.AllocateUninitializedArray<byte>(TftpRequest.MaxLength + 1, pinned: true);
        var from = new SocketAddress(AddressFamily.InterNetwork);
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                var length = await socket.ReceiveFromAsync(buffer, SocketFlags.None, from, stopping.Token);
                var refusal = Take(buffer.AsSpan(0, length), from, clock.GetTimestamp());
                if (refusal > 0) await socket.SendToAsync(outbox.AsMemory(0, refusal), SocketFlags.None, from, stopping.Token);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (SocketException e)
            {
                LogSocketError(e, network.Name);
                await Task.Delay(PauseAfterError, clock, stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Starts what a datagram asks for.</summary>
    /// <returns>Length of the refusal in the outbox; 0 when there is nothing to say here.</returns>
    int Take(ReadOnlySpan<byte> datagram, SocketAddress from, long arrived)
    {
        if (!TftpRequest.TryRead(datagram, out var request, out var defect))
        {
            counters.Add(defect);
            // Only a request gets an answer: two servers that correct each other's errors would never stop.
            return defect is TftpDefect.EmptyFileName or TftpDefect.UnknownMode or TftpDefect.UnterminatedText or TftpDefect.RequestTooLong
                ? Refuse(TftpErrorCode.IllegalOperation, "malformed request"u8) : 0;
        }
        if (request.Opcode == TftpOpcode.WriteRequest) return Refuse(TftpErrorCode.AccessViolation, "this server only gives"u8);
        if (request.Mode == TftpMode.Mail) return Refuse(TftpErrorCode.IllegalOperation, "no mail here"u8);
        if (catalog.Current?.Find(request.FileName) is not { } file) return RefuseUnknown(request.FileName);
        if ((request.Mode == TftpMode.Netascii ? file.AsNetascii() : file.Content) is not { } content) return Refuse(TftpErrorCode.Undefined, "too large for netascii"u8);

        var client = ReadClient(from);
        if (!MayStart(client, file)) return 0;
        Start(client, from, file, content, TftpNegotiation.Accept(request.Options, content.Length, mtu, settings), arrived);
        return 0;
    }

    bool MayStart(ClientPort client, BootFile file)
    {
        if (transfers.TryGetValue(client, out var running))
        {
            // The client asks again because our first answer got lost or is under way: the transfer sends it again by itself.
            if (running.File == file && !running.Transfer.IsEstablished) return false;
            running.Transfer.Stop();
            transfers.TryRemove(new(client, running));
        }
        if (transfers.Count < settings.MaxTransfers && transfers.Keys.Count(c => c.Address == client.Address) < settings.MaxTransfersPerClient) return true;
        // Unanswered, a boot ROM asks again in a few seconds; an ERROR would end its boot.
        counters.AddTurnedAway();
        return false;
    }

    void Start(ClientPort client, SocketAddress from, BootFile file, byte[] content, TftpOptions accepted, long arrived)
    {
        var peer = new SocketAddress(AddressFamily.InterNetwork, from.Size);
        from.Buffer[..from.Size].CopyTo(peer.Buffer);
        Socket own;
        try
        {
            own = InterfaceSocket.Open(network, ProtocolType.Udp, new IPEndPoint(network.Address.Address.ToIPAddress(), 0), "A TFTP transfer");
        }
        catch (StartupException e)
        {
            LogNoSocket(e.Message);
            return;
        }
        own.SendBufferSize = SendBuffer;
        var running = new Running(file, new TftpTransfer(own, peer, content, accepted, settings, counters, clock));
        transfers[client] = running;
        counters.AddStarted();
        running.Done = Task.Run(() => RunAsync(client, running, arrived), CancellationToken.None);
    }

    async Task RunAsync(ClientPort client, Running running, long arrived)
    {
        var (file, transfer) = (running.File, running.Transfer);
        var who = reporter.Identify(network, client.Address);
        try
        {
            if (await transfer.NegotiateAsync() is { } early)
            {
                End(who, file, transfer, early);
                return;
            }
            var sending = transfer.SendFileAsync();
            reporter.Started(who, file, clock.GetElapsedTime(arrived, transfer.FirstAnswerAt));
            End(who, file, transfer, await sending);
        }
        catch (SocketException e)
        {
            counters.AddFailed();
            reporter.Failed(who, $"{file.Key}: {e.SocketErrorCode}", transfer.BytesAcknowledged);
            LogFailed(file.Key, client.Address, e.Message);
        }
        finally
        {
            counters.AddBytes(transfer.BytesAcknowledged);
            transfers.TryRemove(new(client, running));
            transfer.Dispose();
        }
    }

    void End(BootRequester who, BootFile file, TftpTransfer transfer, TftpEnding ending)
    {
        switch (ending)
        {
            case TftpEnding.Completed:
                counters.AddCompleted();
                reporter.Finished(who, file, transfer.BytesAcknowledged);
                LogCompleted(file.Key, who.Address, transfer.BytesAcknowledged);
                break;
            case TftpEnding.SizeProbe:
                LogProbe(file.Key, who.Address);
                break;
            case TftpEnding.Aborted:
                Fail(who, file, transfer, $"the client gave up ({transfer.PeerMessage})");
                break;
            case TftpEnding.TimedOut:
                Fail(who, file, transfer, "the client stopped answering");
                break;
            case TftpEnding.Stopped:
                break;
        }
    }

    void Fail(BootRequester who, BootFile file, TftpTransfer transfer, string why)
    {
        counters.AddFailed();
        reporter.Failed(who, $"{file.Key}: {why}", transfer.BytesAcknowledged);
        LogFailed(file.Key, who.Address, why);
    }

    int RefuseUnknown(ReadOnlySpan<byte> name)
    {
        if (log.IsEnabled(LogLevel.Debug)) LogUnknown(Encoding.ASCII.GetString(name).ReplaceLineEndings("?"));
        return Refuse(TftpErrorCode.FileNotFound, "no such boot file"u8);
    }

    int Refuse(TftpErrorCode code, ReadOnlySpan<byte> message)
    {
        counters.AddRefused();
        return TftpPacket.WriteError(outbox, code, message);
    }

    // struct sockaddr_in: family in host order, then port and address in network order.
    static ClientPort ReadClient(SocketAddress address)
    {
        var octets = address.Buffer.Span;
        return new(Ipv4Address.Read(octets[4..]), BinaryPrimitives.ReadUInt16BigEndian(octets[2..]));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "TFTP serves network {Network} on {Interface}, port {Port}")]
    partial void LogListening(string network, string @interface, int port);

    [LoggerMessage(Level = LogLevel.Debug, Message = "TFTP sent {Key} to {Client}, {Bytes} octets")]
    partial void LogCompleted(string key, Ipv4Address client, long bytes);

    [LoggerMessage(Level = LogLevel.Debug, Message = "TFTP told {Client} the size of {Key}")]
    partial void LogProbe(string key, Ipv4Address client);

    // Debug: the reason may be the client's own words, and the node's timeline has it.
    [LoggerMessage(Level = LogLevel.Debug, Message = "TFTP did not get {Key} to {Client}: {Reason}")]
    partial void LogFailed(string key, Ipv4Address client, string reason);

    [LoggerMessage(Level = LogLevel.Debug, Message = "TFTP was asked for a file that is not in the catalogue: {Name}")]
    partial void LogUnknown(string name);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Reason}")]
    partial void LogNoSocket(string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "TFTP socket of network {Network}")]
    partial void LogSocketError(Exception error, string network);
}
