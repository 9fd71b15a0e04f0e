using System.Net.Sockets;
using GridAppliance.Boot.Dhcp.Link;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Dhcp;
using GridAppliance.Protocols.Ethernet;

namespace GridAppliance.Boot.Dhcp.Watch;

/// <summary>Another DHCP server on the link.</summary>
readonly record struct Rival(Ipv4Address Address, MacAddress Mac);

/// <summary>Listens for other DHCP servers on one link, and can make them speak up.</summary>
sealed class RivalWatch(DhcpNetwork network, LinkInterface link, PacketSocket frames, TimeProvider clock) : IDisposable
{
    static readonly TimeSpan askAgain = TimeSpan.FromMilliseconds(250);

    /// <summary>More than this many are one misfortune, not a list worth keeping.</summary>
    const int MostRemembered = 16;

    readonly Lock gate = new();
    readonly Dictionary<MacAddress, Rival> seen = [];
    readonly TaskCompletionSource first = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Raised once for each server, on the listening loop.</summary>
    public event Action<Rival>? Found;

    public IReadOnlyList<Rival> Seen { get { lock (gate) return [.. seen.Values]; } }

    /// <summary>Listens until it is told to stop.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[2048];
        while (true)
        {
            try
            {
                var length = await frames.ReceiveAsync(buffer, cancellationToken);
                if (RivalIn(buffer.AsSpan(0, length), link.Mac, network.Replies.Server) is { } rival) Note(rival);
            }
            catch (SocketException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), clock, cancellationToken);
            }
        }
    }

    /// <summary>Asks for servers and waits for the first answer, at most <paramref name="patience"/> long. <see cref="RunAsync"/> has to be running.</summary>
    /// <remarks>
    /// INFORM first: there is nothing that a server has to try before it answers. A DISCOVER makes some ping an address for a second or three before they offer it, and dnsmasq
    /// deaf meanwhile; but some answer nothing else.
    /// </remarks>
    public async Task<Rival?> ProvokeAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        var deadline = Task.Delay(patience, clock, cancellationToken);
        Ask(DhcpMessageType.Inform);
        await Task.WhenAny(first.Task, Task.Delay(askAgain, clock, cancellationToken));
        if (!first.Task.IsCompleted)
        {
            Ask(DhcpMessageType.Inform);
            Ask(DhcpMessageType.Discover);
        }
        await Task.WhenAny(first.Task, deadline);
        cancellationToken.ThrowIfCancellationRequested();
        return Seen is [var rival, ..] ? rival : null;
    }

    public void Dispose() => first.TrySetCanceled();

    /// <summary>The server that a frame comes from, unless it is ourselves or no DHCP server.</summary>
    internal static Rival? RivalIn(ReadOnlySpan<byte> frame, MacAddress ourMac, Ipv4Address ourAddress)
    {
        if (!UdpFrame.TryRead(frame, out var addresses, out var payload, out _) || addresses.SourcePort != ReplyDestination.ServerPort || addresses.SourceMac == ourMac) return null;
        if (!DhcpMessage.TryRead(payload, out var message, out _) || message.Operation != DhcpOperation.Reply) return null;
        if (message.Type is not (DhcpMessageType.Offer or DhcpMessageType.Ack or DhcpMessageType.Nak)) return null;
        // A boot file without an address is a ProxyDHCP server's: no rival for addresses.
        if (message.Type == DhcpMessageType.Offer && message.YourAddress.IsAny) return null;
        var server = message.Address(DhcpOption.ServerIdentifier) ?? addresses.Source;
        return server == ourAddress ? null : new(server, addresses.SourceMac);
    }

    void Note(Rival rival)
    {
        lock (gate)
        {
            if (seen.Count >= MostRemembered || !seen.TryAdd(rival.Mac, rival)) return;
        }
        Found?.Invoke(rival);
        first.TrySetResult();
    }

    void Ask(DhcpMessageType type)
    {
        Span<byte> frame = stackalloc byte[UdpFrame.HeaderLength + DhcpWriter.MinimumLength];
        var ours = network.Options.Address.Address;
        var informs = type == DhcpMessageType.Inform;
        var writer = new DhcpWriter(frame[UdpFrame.HeaderLength..], DhcpOperation.Request)
        {
            TransactionId = (uint)clock.GetTimestamp(),
            Flags = 0x8000,
            Mac = link.Mac,
            ClientAddress = informs ? ours : Ipv4Address.Any,
        };
        writer.Option(DhcpOption.MessageType, (byte)type);
        writer.Option(DhcpOption.ParameterRequestList, [(byte)DhcpOption.SubnetMask, (byte)DhcpOption.Router]);
        var length = UdpFrame.WriteHeaders(frame, writer.Finish(), new()
        {
            SourceMac = link.Mac,
            DestinationMac = MacAddress.Broadcast,
            Source = informs ? ours : Ipv4Address.Any,
            Destination = Ipv4Address.Broadcast,
            SourcePort = ReplyDestination.ClientPort,
            DestinationPort = ReplyDestination.ServerPort,
        });
        try { frames.Send(frame[..length]); }
        catch (SocketException) { /* The link is down: nobody can answer. */ }
    }
}
