using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net.Sockets;
using GridAppliance.Lab.Native;
using GridAppliance.Protocols.Ethernet;
using GridAppliance.Protocols.Lldp;

namespace GridAppliance.Lab.Switches.Snmp;

/// <summary>
/// What neighbours say of themselves on the switch's ports (IEEE 802.1AB-2016, section 9.2.7). Open vSwitch hears them too, and does not tell anybody. One packet socket hears every port of the namespace
/// that it was opened in.
/// </summary>
sealed class LldpEar : IAsyncDisposable
{
    const int MaximumFrame = 2048;
    /// <summary>Neighbours that a switch has: one for each port, and a few more.</summary>
    const int Most = 1024;

    readonly TimeProvider clock;
    readonly Socket socket;
    readonly CancellationTokenSource stopping = new();
    readonly ConcurrentDictionary<(string Port, string Chassis, string Id), (BridgeNeighbour Neighbour, DateTimeOffset Until)> heard = new();
    readonly Task listening;

    public LldpEar(TimeProvider clock)
    {
        this.clock = clock;
        // The protocol is an ether type in network order; with it the kernel hands over LLDP frames and no others.
        socket = new(AddressFamily.Packet, SocketType.Raw, (ProtocolType)BinaryPrimitives.ReverseEndianness(LldpMessage.EtherType));
        socket.Bind(new PacketEndPoint(LldpMessage.EtherType, 0));
        listening = Task.Run(ListenAsync);
    }

    /// <summary>Those that have not fallen silent, on the ports that there are.</summary>
    public IEnumerable<BridgeNeighbour> Neighbours(IEnumerable<BridgePort> ports)
    {
        var now = clock.GetUtcNow();
        foreach (var (key, (_, until)) in heard)
        {
            if (until <= now) heard.TryRemove(key, out _);
        }
        var numbers = ports.ToDictionary(p => p.Name, p => p.Number);
        return heard.Where(h => numbers.ContainsKey(h.Key.Port)).Select(h => h.Value.Neighbour with { Port = numbers[h.Key.Port] }).OrderBy(n => n.Port);
    }

    async Task ListenAsync()
    {
        var buffer = new byte[MaximumFrame];
        while (true)
        {
            try
            {
                var received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, new PacketEndPoint(0, 0), stopping.Token);
                Hear(buffer.AsSpan(0, received.ReceivedBytes), ((PacketEndPoint)received.RemoteEndPoint).InterfaceIndex);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested) { return; }
            catch (SocketException)
            {
                // A port that went down; the others have not.
            }
        }
    }

    void Hear(ReadOnlySpan<byte> frame, int index)
    {
        if (!EthernetHeader.TryRead(frame, out var header, out _) || header.EtherType != LldpMessage.EtherType) return;
        if (!LldpMessage.TryRead(frame[header.Length..], out var message, out _) || Libc.InterfaceName(index) is not { } port) return;
        var key = (port, Convert.ToHexString(message.ChassisId), Convert.ToHexString(message.PortId));
        if (message.TimeToLiveSeconds == 0) heard.TryRemove(key, out _);
        else if (heard.Count < Most || heard.ContainsKey(key))
        {
            heard[key] = (new(0, message.ChassisKind, [.. message.ChassisId], message.PortKind, [.. message.PortId])
            {
                PortDescription = LldpMessage.TextOf(message.PortDescription) ?? "", SystemName = LldpMessage.TextOf(message.SystemName) ?? "", SystemDescription = LldpMessage.TextOf(message.SystemDescription) ?? "",
            }, clock.GetUtcNow().AddSeconds(message.TimeToLiveSeconds));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await listening;
        socket.Dispose();
        stopping.Dispose();
    }
}
