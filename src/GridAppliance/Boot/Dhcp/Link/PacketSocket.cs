using System.Net.Sockets;
using System.Runtime.InteropServices;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Ethernet;

namespace GridAppliance.Boot.Dhcp.Link;

/// <summary>Whole Ethernet frames of one protocol on one interface (packet(7)), with a filter in the kernel so that only what matters wakes us.</summary>
sealed class PacketSocket : IDisposable
{
    const int SOL_SOCKET = 1, SO_ATTACH_FILTER = 26;

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

    /// <summary>Lets the NIC pass a multicast address up.</summary>
    public void Join(MacAddress group) => socket.SetRawSocketOption(PacketMembership.Level, PacketMembership.Add, PacketMembership.Multicast(interfaceIndex, group));

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
}
