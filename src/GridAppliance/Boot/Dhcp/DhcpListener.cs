using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using GridAppliance.Boot.Dhcp.Leases;
using GridAppliance.Boot.Dhcp.Link;
using GridAppliance.Boot.Dhcp.Watch;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Dhcp;
using GridAppliance.Protocols.Ethernet;

namespace GridAppliance.Boot.Dhcp;

/// <summary>
/// The sockets of one interface, and no rules. Port 67 is open twice: on every address, because a socket that is bound to the interface's own address never sees a
/// broadcast on Linux, and on the interface's own address, which the kernel then prefers for what was sent to us alone. Answers leave as frames of our own making,
/// because most clients have no address yet that the kernel could resolve; only what has to be routed goes through the kernel.
/// </summary>
sealed partial class DhcpListener : IDisposable
{
    const int SOL_SOCKET = 1, SO_REUSEADDR = 2;
    const int LargestDatagram = 2048;

    readonly DhcpDispatch dispatch;
    readonly TimeProvider clock;
    readonly ILogger logger;
    readonly Socket broadcast;
    readonly Socket unicast;
    readonly Socket? proxy;
    readonly PacketSocket frames;
    readonly Lock routedGate = new();
    readonly SocketAddress routedTo = new(AddressFamily.InterNetwork);

    /// <exception cref="StartupException">Something is in the way; the message says what and what to do.</exception>
    public DhcpListener(DhcpNetwork network, DhcpDispatch dispatch, TimeProvider clock, ILogger logger)
    {
        (Network, this.dispatch, this.clock, this.logger) = (network, dispatch, clock, logger);
        var options = network.Options;
        Link = LinkInterface.For(options);
        var address = options.Address.Address.ToIPAddress();
        var opened = new List<IDisposable>();
        try
        {
            opened.Add(broadcast = InterfaceSocket.Open(options, ProtocolType.Udp, new(IPAddress.Any, ReplyDestination.ServerPort), "DHCP"));
            // Only now may the port be shared, and only with ourselves: another program's socket made the line above fail.
            broadcast.SetRawSocketOption(SOL_SOCKET, SO_REUSEADDR, [1, 0, 0, 0]);
            opened.Add(unicast = InterfaceSocket.Open(options, ProtocolType.Udp, new(address, ReplyDestination.ServerPort), "DHCP", shared: true));
            if (options.Boot) opened.Add(proxy = InterfaceSocket.Open(options, ProtocolType.Udp, new(address, ReplyDestination.ProxyPort), "ProxyDHCP"));
            opened.Add(frames = new PacketSocket(Link, UdpFrame.EtherType, PacketFilter.DhcpServers));
            opened.Add(Rivals = new RivalWatch(network, Link, frames, clock));
            if (network.Leases is { } leases) opened.Add(Prober = new AddressProber(network, leases, Link, this, clock, logger));
            // Beside another server the network is not ours, and its routers are not ours to contradict.
            if (options is { Boot: true, DhcpMode: DhcpMode.Server }) opened.Add(Advertiser = new RouterAdvertiser(Link, clock));
        }
        catch
        {
            foreach (var item in opened) item.Dispose();
            throw;
        }
    }

    public DhcpNetwork Network { get; }

    public LinkInterface Link { get; }

    public RivalWatch Rivals { get; }

    AddressProber? Prober { get; }

    RouterAdvertiser? Advertiser { get; }

    /// <summary>Where ACKs wait for their leases; set before <see cref="RunAsync"/>, for the networks that have leases.</summary>
    public required Func<DhcpNetwork, LeaseCommitter?> CommitterOf { get; init; }

    /// <summary>Told of every address that a client is about to be told of.</summary>
    public Action<Lease>? Assigned { get; init; }

    /// <summary>Serves until it is told to stop.</summary>
    public Task RunAsync(CancellationToken cancellationToken)
    {
        List<Task> loops = [ReceiveAsync(broadcast, DhcpPort.Broadcast, cancellationToken), ReceiveAsync(unicast, DhcpPort.Unicast, cancellationToken)];
        if (proxy is not null) loops.Add(ReceiveAsync(proxy, DhcpPort.Proxy, cancellationToken));
        if (Prober is not null) loops.Add(Prober.RunAsync(cancellationToken));
        if (Advertiser is not null) loops.Add(Advertiser.RunAsync(cancellationToken));
        return Loops.TogetherAsync([.. loops]);
    }

    /// <summary>Takes up a message again whose address has been probed meanwhile.</summary>
    public void Resume(ReadOnlySpan<byte> datagram, in DhcpArrival arrival) =>
        Process(datagram, arrival with { IsResumed = true }, new byte[UdpFrame.HeaderLength + ReplyWriter.LargestMessage]);

    public void Dispose()
    {
        broadcast.Dispose();
        unicast.Dispose();
        proxy?.Dispose();
        Prober?.Dispose();
        Advertiser?.Dispose();
        Rivals.Dispose();
        frames.Dispose();
    }

    async Task ReceiveAsync(Socket socket, DhcpPort port, CancellationToken cancellationToken)
    {
        var buffer = new byte[LargestDatagram];
        var frame = new byte[UdpFrame.HeaderLength + ReplyWriter.LargestMessage];
        var sender = new SocketAddress(AddressFamily.InterNetwork);
        while (true)
        {
            int length;
            try
            {
                length = await socket.ReceiveFromAsync(buffer, SocketFlags.None, sender, cancellationToken);
            }
            catch (SocketException e)
            {
                // The interface went down, or an ICMP error came back: neither ends the service.
                LogSocketError(Network.Options.Interface, e.SocketErrorCode);
                await Task.Delay(TimeSpan.FromMilliseconds(200), clock, cancellationToken);
                continue;
            }
            var from = sender.Buffer.Span;
            var arrival = new DhcpArrival(Network, port, Ipv4Address.Read(from[4..]), BinaryPrimitives.ReadUInt16BigEndian(from[2..]), clock.GetTimestamp());
            Process(buffer.AsSpan(0, length), arrival, frame);
        }
    }

    void Process(ReadOnlySpan<byte> datagram, in DhcpArrival arrival, Span<byte> frame)
    {
        var answer = dispatch.Handle(datagram, arrival, frame[UdpFrame.HeaderLength..]);
        if (answer is { Verdict: DhcpVerdict.Send or DhcpVerdict.SendWhenDurable, Lease: { } assigned }) Assigned?.Invoke(assigned);
        switch (answer.Verdict)
        {
            case DhcpVerdict.Silence:
                break;
            case DhcpVerdict.Send:
                SendInPlace(answer, arrival, frame);
                break;
            case DhcpVerdict.SendWhenDurable:
                Enqueue(answer, arrival, frame.Slice(UdpFrame.HeaderLength, answer.Length));
                break;
            case DhcpVerdict.ProbeFirst:
                Prober?.Start(answer.Lease!, datagram, arrival);
                break;
        }
    }

    void Enqueue(in DhcpAnswer answer, in DhcpArrival arrival, ReadOnlySpan<byte> message)
    {
        var lease = answer.Lease!;
        var read = DhcpMessage.TryRead(message, out var reply, out _);
        System.Diagnostics.Debug.Assert(read, "we wrote it");
        // The lease's network is the relay's when there is one; its committer writes it.
        var network = dispatch.Containing(lease.Address) ?? arrival.Network;
        var stored = new StoredLease(lease.Address, reply.Mac ?? default, clock.GetUtcNow() + network.Options.LeaseTime, network.Options.LeaseTime);
        if (CommitterOf(network)?.TryEnqueue(new(lease, stored, answer, arrival, message.ToArray(), SendDurable)) != true) DhcpTags.Dropped(network, DhcpSilence.StoreFailing);
    }

    void SendDurable(PendingAck ack)
    {
        Span<byte> frame = stackalloc byte[UdpFrame.HeaderLength + ReplyWriter.LargestMessage];
        ack.Message.CopyTo(frame[UdpFrame.HeaderLength..]);
        SendInPlace(ack.Answer, ack.Arrival, frame);
    }

    /// <summary>Sends an answer that stands in <paramref name="frame"/> behind the room for its headers.</summary>
    void SendInPlace(in DhcpAnswer answer, in DhcpArrival arrival, Span<byte> frame)
    {
        var message = frame.Slice(UdpFrame.HeaderLength, answer.Length);
        try
        {
            switch (answer.Destination.Path)
            {
                case ReplyPath.Link:
                    frames.Send(frame[..FrameHeaders(frame, answer, Link.Mac, Network.Replies.Server)]);
                    break;
                case ReplyPath.Routed:
                    SendRouted(message, answer.Destination, arrival.Port == DhcpPort.Proxy ? proxy ?? unicast : unicast);
                    break;
            }
            dispatch.Sent(answer, arrival, message);
        }
        catch (SocketException e)
        {
            // As good as lost on the way: the client asks again.
            LogSocketError(Network.Options.Interface, e.SocketErrorCode);
        }
    }

    /// <summary>Puts the headers in front of an answer; the frame's length.</summary>
    internal static int FrameHeaders(Span<byte> frame, in DhcpAnswer answer, MacAddress ourMac, Ipv4Address ourAddress) =>
        UdpFrame.WriteHeaders(frame, answer.Length, new()
        {
            SourceMac = ourMac,
            DestinationMac = answer.Destination.Mac,
            Source = ourAddress,
            Destination = answer.Destination.Address,
            SourcePort = ReplyDestination.ServerPort,
            DestinationPort = answer.Destination.Port,
        });

    void SendRouted(ReadOnlySpan<byte> message, in ReplyDestination destination, Socket socket)
    {
        lock (routedGate)
        {
            BinaryPrimitives.WriteUInt16BigEndian(routedTo.Buffer.Span[2..], destination.Port);
            destination.Address.Write(routedTo.Buffer.Span[4..]);
            socket.SendTo(message, SocketFlags.None, routedTo);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "DHCP on {Interface}: {Error}")]
    partial void LogSocketError(string @interface, SocketError error);
}
