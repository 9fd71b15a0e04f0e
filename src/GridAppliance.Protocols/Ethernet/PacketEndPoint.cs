using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace GridAppliance.Protocols.Ethernet;

/// <summary>An interface as a packet socket (packet(7)) names it: <c>struct sockaddr_ll</c>.</summary>
/// <param name="etherType">Of the frames that are wanted; zero where that does not count.</param>
/// <param name="interfaceIndex">Zero: every interface.</param>
public sealed class PacketEndPoint(ushort etherType, int interfaceIndex) : EndPoint
{
    // family (2, host order) | ether type (2, network order) | interface index (4, host order) | hardware type (2) | packet type (1) | length (1) | address (8)
    const int Size = 20;

    public int InterfaceIndex => interfaceIndex;

    public override AddressFamily AddressFamily => AddressFamily.Packet;

    public override SocketAddress Serialize()
    {
        var address = new SocketAddress(AddressFamily.Packet, Size);
        BinaryPrimitives.WriteUInt16BigEndian(address.Buffer.Span[2..], etherType);
        BitConverter.TryWriteBytes(address.Buffer.Span[4..], interfaceIndex);
        return address;
    }

    public override EndPoint Create(SocketAddress socketAddress) =>
        new PacketEndPoint(BinaryPrimitives.ReadUInt16BigEndian(socketAddress.Buffer.Span[2..]), BitConverter.ToInt32(socketAddress.Buffer.Span[4..]));
}
