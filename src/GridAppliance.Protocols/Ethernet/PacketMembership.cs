using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Protocols.Ethernet;

/// <summary>What an interface is to let through to a packet socket beyond its own: <c>struct packet_mreq</c>, the value of a socket option.</summary>
public static class PacketMembership
{
    /// <summary>SOL_PACKET.</summary>
    public const int Level = 263;
    /// <summary>PACKET_ADD_MEMBERSHIP.</summary>
    public const int Add = 1;

    const ushort Group = 0, Everything = 1;   // PACKET_MR_MULTICAST, PACKET_MR_PROMISC

    /// <summary>The frames to a multicast address.</summary>
    public static byte[] Multicast(int interfaceIndex, MacAddress group)
    {
        var request = Request(interfaceIndex, Group);
        BitConverter.TryWriteBytes(request.AsSpan(6), (ushort)MacAddress.Length);
        group.Write(request.AsSpan(8));
        return request;
    }

    /// <summary>Whatever comes by.</summary>
    public static byte[] Promiscuous(int interfaceIndex) => Request(interfaceIndex, Everything);

    // interface index (4) | type (2) | length of the address (2) | address (8), all in host order
    static byte[] Request(int interfaceIndex, ushort type)
    {
        var request = new byte[16];
        BitConverter.TryWriteBytes(request, interfaceIndex);
        BitConverter.TryWriteBytes(request.AsSpan(4), type);
        return request;
    }
}
