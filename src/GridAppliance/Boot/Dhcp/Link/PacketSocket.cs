using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Boot.Dhcp.Link;

/// <summary>Whole Ethernet frames of one protocol on one interface (packet(7)), with a filter in the kernel so that only what matters wakes us.</summary>
sealed class PacketSocket : IDisposable
{
    const int SOL_SOCKET = 1, SO_ATTACH_FILTER = 26, SOL_PACKET = 263, PACKET_ADD_MEMBERSHIP = 1;

    readonly Socket socket;
    readonly int interfaceIndex;

    /// <exception cref="StartupException">The kernel refuses: no right to, or no such interface.</exception>
    public PacketSocket(LinkInterface link, ushort etherType, ReadOnlySpan<PacketFilter.Instruction> filter)
    {
        interfaceIndex = link.Index;
        try
        {
            // Protocol 0 hears nothing until the filter is in place and bind names the real one.
            socket = new Socket(AddressFamily.Packet, SocketType.Raw, 0);
            if (!filter.IsEmpty) Attach(filter);
            socket.Bind(new PacketEndPoint(etherType, link.Index));
        }
        catch (SocketException e)
        {
            socket?.Dispose();
            throw e.SocketErrorCode == SocketError.AccessDenied
                ? new StartupException($"DHCP may not use raw frames on {link.Name}", "Give the daemon CAP_NET_RAW, as its systemd unit does.", e)
                : new StartupException($"DHCP cannot use raw frames on {link.Name} ({e.Message})", "Check that the interface is there and is Ethernet.", e);
        }
    }

    /// <summary>Lets the NIC pass a multicast address up: struct packet_mreq.</summary>
    public void Join(MacAddress group)
    {
        Span<byte> request = stackalloc byte[16];
        request.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(request, interfaceIndex);
        BinaryPrimitives.WriteUInt16LittleEndian(request[6..], MacAddress.Length);
        group.Write(request[8..]);
        socket.SetRawSocketOption(SOL_PACKET, PACKET_ADD_MEMBERSHIP, request);
    }

    /// <exception cref="SocketException">The interface is down or gone, or its queue is full.</exception>
    public void Send(ReadOnlySpan<byte> frame) => socket.Send(frame);

    public ValueTask<int> ReceiveAsync(Memory<byte> frame, CancellationToken cancellationToken) => socket.ReceiveAsync(frame, SocketFlags.None, cancellationToken);

    public void Dispose() => socket.Dispose();

    unsafe void Attach(ReadOnlySpan<PacketFilter.Instruction> filter)
    {
        fixed (PacketFilter.Instruction* program = filter)
        {
            var description = new FilterProgram { Length = (ushort)filter.Length, Instructions = program };
            socket.SetRawSocketOption(SOL_SOCKET, SO_ATTACH_FILTER, new ReadOnlySpan<byte>(&description, sizeof(FilterProgram)));
        }
    }

    /// <summary>struct sock_fprog: a length, padding, a pointer.</summary>
    [StructLayout(LayoutKind.Sequential)]
    unsafe struct FilterProgram
    {
        public ushort Length;
        public PacketFilter.Instruction* Instructions;
    }

    /// <summary>struct sockaddr_ll: protocol in network order and interface index; the rest is for sockets that do not write the Ethernet header themselves.</summary>
    sealed class PacketEndPoint(ushort etherType, int interfaceIndex) : EndPoint
    {
        public override AddressFamily AddressFamily => AddressFamily.Packet;

        public override SocketAddress Serialize()
        {
            var address = new SocketAddress(AddressFamily.Packet, 20);
            BinaryPrimitives.WriteUInt16BigEndian(address.Buffer.Span[2..], etherType);
            BinaryPrimitives.WriteInt32LittleEndian(address.Buffer.Span[4..], interfaceIndex);
            return address;
        }
    }
}
