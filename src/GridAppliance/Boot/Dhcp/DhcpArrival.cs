using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Boot.Dhcp;

/// <summary>Which of our sockets a message came in on: that tells RENEWING from REBINDING, and ProxyDHCP from DHCP.</summary>
enum DhcpPort
{
    /// <summary>Port 67, sent to everybody.</summary>
    Broadcast,
    /// <summary>Port 67, sent to our own address.</summary>
    Unicast,
    /// <summary>Port 4011 (PXE 2.1, section 2.2.2).</summary>
    Proxy,
}

/// <param name="Network">The network of the interface it arrived on.</param>
/// <param name="Port">The socket.</param>
/// <param name="Source">The sender's address, zero for a client without one.</param>
/// <param name="SourcePort">Its port: OVMF asks port 4011 from 4011, iPXE from 68.</param>
/// <param name="Timestamp">When, on the clock's high-resolution counter.</param>
/// <param name="IsResumed">It was counted and reported before, and waited for a conflict probe since.</param>
readonly record struct DhcpArrival(DhcpNetwork Network, DhcpPort Port, Ipv4Address Source, ushort SourcePort, long Timestamp, bool IsResumed = false);
