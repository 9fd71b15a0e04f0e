using System.Buffers.Binary;
using System.Net.Sockets;
using GridAppliance.Protocols.Ethernet;
using GridAppliance.Protocols.Lldp;

namespace GridAppliance.Agent.Inventory;

/// <summary>
/// Listens for LLDP on every NIC through one packet socket. It never holds anything up: what it hears makes the next heartbeat carry a new inventory.
/// </summary>
sealed class NeighbourListener(NeighbourTable table, HeartbeatTrigger trigger, AgentConsole console)
{
    const int MaximumFrame = 2048;
    static readonly TimeSpan LookForNics = TimeSpan.FromSeconds(5);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var socket = Open();
            var buffer = new byte[MaximumFrame];
            var joined = new HashSet<int>();
            while (true)
            {
                JoinAll(socket, joined);
                await HearForAsync(LookForNics, socket, buffer, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested) { /* the agent ends */ }
        catch (Exception e) when (e is SocketException or IOException)
        {
            console.Say($"LLDP cannot be heard: {e.Message}");
        }
    }

    /// <summary>Takes frames for a while; then the caller looks for NICs that came up meanwhile.</summary>
    async Task HearForAsync(TimeSpan time, Socket socket, byte[] buffer, CancellationToken cancellationToken)
    {
        using var turn = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        turn.CancelAfter(time);
        try
        {
            while (true)
            {
                var received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, new PacketEndPoint(0, 0), turn.Token);
                Hear(buffer.AsSpan(0, received.ReceivedBytes), ((PacketEndPoint)received.RemoteEndPoint).InterfaceIndex);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested) { /* the time is over */ }
    }

    void Hear(ReadOnlySpan<byte> frame, int nic)
    {
        if (!EthernetHeader.TryRead(frame, out var header, out _) || header.EtherType != LldpMessage.EtherType) return;
        if (!LldpMessage.TryRead(frame[header.Length..], out var message, out _)) return;
        if (table.Hear(nic, message)) trigger.Pull();
    }

    // The protocol is an ether type in network order; with it the kernel hands over LLDP frames and no others.
    static Socket Open()
    {
        var socket = new Socket(AddressFamily.Packet, SocketType.Raw, (ProtocolType)BinaryPrimitives.ReverseEndianness(LldpMessage.EtherType));
        // To all interfaces. The kernel would do without; .NET receives nothing on a socket that is not bound.
        socket.Bind(new PacketEndPoint(LldpMessage.EtherType, 0));
        return socket;
    }

    /// <summary>Asks each NIC to let LLDP's group address through.</summary>
    static void JoinAll(Socket socket, HashSet<int> joined)
    {
        foreach (var path in SystemFiles.Entries("/sys/class/net"))
        {
            if (!Directory.Exists(Path.Combine(path, "device")) || SystemFiles.Number(path, "ifindex") is not { } index || !joined.Add((int)index)) continue;
            try { socket.SetRawSocketOption(PacketMembership.Level, PacketMembership.Add, PacketMembership.Multicast((int)index, LldpMessage.NearestBridge)); }
            catch (SocketException) { joined.Remove((int)index); }
        }
    }
}
