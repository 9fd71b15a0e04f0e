using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Dhcp;

namespace GridAppliance.Boot.Dhcp;

enum ReplyPath
{
    /// <summary>A frame of our own making on the link that the question came from: the client has no address that the kernel could ask a MAC for.</summary>
    Link,
    /// <summary>An ordinary datagram, by way of routing: to a relay, or to a client beyond one.</summary>
    Routed,
}

/// <summary>Where an answer goes (RFC 2131 section 4.1, fourth paragraph).</summary>
readonly record struct ReplyDestination(ReplyPath Path, MacAddress Mac, Ipv4Address Address, ushort Port)
{
    public const ushort ServerPort = 67;
    public const ushort ClientPort = 68;
    public const ushort ProxyPort = 4011;

    static ReplyDestination Everybody => new(ReplyPath.Link, MacAddress.Broadcast, Ipv4Address.Broadcast, ClientPort);

    /// <param name="request">What is answered.</param>
    /// <param name="reply">With what: a NAK goes to everybody, because the client's address may be wrong for the link.</param>
    /// <param name="assigned">The address in <c>yiaddr</c>, if any.</param>
    /// <param name="link">The network on whose interface the request arrived.</param>
    public static ReplyDestination For(in DhcpMessage request, DhcpMessageType reply, Ipv4Address assigned, Ipv4Network link)
    {
        if (!request.RelayAddress.IsAny) return new(ReplyPath.Routed, default, request.RelayAddress, ServerPort);
        if (reply == DhcpMessageType.Nak) return Everybody;
        var mac = request.Mac ?? MacAddress.Broadcast;
        if (!request.ClientAddress.IsAny)
        {
            return link.Contains(request.ClientAddress)
                ? new(ReplyPath.Link, mac, request.ClientAddress, ClientPort)
                : new(ReplyPath.Routed, default, request.ClientAddress, ClientPort);
        }
        return request.WantsBroadcast || assigned.IsAny ? Everybody : new(ReplyPath.Link, mac, assigned, ClientPort);
    }
}
