using System.Globalization;
using GridAppliance.Protocols.Netlink;

namespace GridAppliance.Guard;

/// <summary>
/// The rules of one guarded interface. Of IPv4 and ARP, what comes from an assigned address has to come from the NIC that has it; anything else is dropped, counted by
/// source, and remembered for a while. DHCP comes from machines that have no address yet and is let through; the rest of what has no address of ours (LLDP, neighbour discovery) is too.
/// </summary>
static class GuardRules
{
    /// <summary>In a key of both, the MAC address is padded to eight octets.</summary>
    public const int AddressInKey = 8;
    /// <summary>Registers 8 to 11 are the four parts of register 1: a key of both begins at 8 and goes on at 10.</summary>
    const uint Register = 1, SecondPart = 10;

    static ReadOnlySpan<byte> Ip => [0x08, 0x00];
    static ReadOnlySpan<byte> Arp => [0x08, 0x06];
    static ReadOnlySpan<byte> Ipv6 => [0x86, 0xDD];
    static ReadOnlySpan<byte> Tag => [0x81, 0x00];
    static ReadOnlySpan<byte> ServiceTag => [0x88, 0xA8];
    static ReadOnlySpan<byte> Udp => [17];
    static ReadOnlySpan<byte> Igmp => [2];
    static ReadOnlySpan<byte> IcmpV6 => [58];
    static ReadOnlySpan<byte> DhcpServer => [0, 67];
    static ReadOnlySpan<byte> DhcpClient => [0, 68];
    static ReadOnlySpan<byte> NoAddress => [0, 0, 0, 0];

    public static string Entry(int link) => Named("in", link);
    /// <summary>Pairs that were assigned.</summary>
    public static string Assigned(int link) => Named("assigned", link);
    /// <summary>The NICs of those pairs.</summary>
    public static string Held(int link) => Named("nics", link);
    /// <summary>The addresses of those pairs.</summary>
    public static string Addresses(int link) => Named("addresses", link);
    /// <summary>Addresses of others that may speak here.</summary>
    public static string Allowed(int link) => Named("allowed", link);
    public static string Forged(int link) => Named("forged", link);
    public static string Dropped(int link) => Named("dropped", link);

    static string Named(string what, int link) => string.Create(CultureInfo.InvariantCulture, $"{what}{link}");

    public static void Write(ref NftWriter batch, int link, string device, int priority, TimeSpan memory, uint mostSources)
    {
        var (entry, ip, arp) = (Entry(link), Named("ip", link), Named("arp", link));
        batch.Set(Assigned(link), NftKey.MacAndIpv4);
        batch.Set(Held(link), NftKey.Mac);
        batch.Set(Addresses(link), NftKey.Ipv4);
        batch.Set(Allowed(link), NftKey.Ipv4);
        batch.Set(Forged(link), NftKey.MacAndIpv4, (memory, mostSources));
        batch.Counter(Dropped(link));
        batch.IngressChain(entry, device, priority);
        batch.Chain(ip);
        batch.Chain(arp);

        WriteEntry(ref batch, link, entry, ip, arp);
        WriteIp(ref batch, link, ip);
        WriteArp(ref batch, link, arp);
    }

    static void WriteEntry(ref NftWriter batch, int link, string entry, string ip, string arp)
    {
        // What carries the tag of another VLAN is another interface's, or nobody's.
        OtherVlan(ref batch, entry, Tag);
        OtherVlan(ref batch, entry, ServiceTag);
        To(ref batch, entry, Ip, ip);
        To(ref batch, entry, Arp, arp);
        // Nothing over IPv6 was assigned: neighbours may look for each other, and that is all.
        When(ref batch, entry, Ipv6);
        batch.TransportProtocol(Register);
        batch.Compare(Register, equal: true, IcmpV6);
        batch.Accept();
        batch.EndRule();
        DropAll(ref batch, link, entry, Ipv6);
        // A tag below a priority tag: the kernel takes off both, and would hand the rest on unseen.
        DropAll(ref batch, link, entry, Tag);
        DropAll(ref batch, link, entry, ServiceTag);
    }

    static void WriteIp(ref NftWriter batch, int link, string chain)
    {
        const uint source = 12;
        // To servers, from whoever has no address yet; and what servers say, so that a rival gives himself away.
        Dhcp(ref batch, chain, DhcpServer);
        Dhcp(ref batch, chain, DhcpClient);

        // Who listens to which group, from bridges and switches that have no address of their own (RFC 4541, section 2.1.1): nobody is spoken for.
        batch.BeginRule(chain);
        batch.Payload(Register, NftHeader.Network, 9, 1);
        batch.Compare(Register, equal: true, Igmp);
        batch.Payload(Register, NftHeader.Network, source, 4);
        batch.Compare(Register, equal: true, NoAddress);
        batch.Accept();
        batch.EndRule();

        batch.BeginRule(chain);
        LoadPair(ref batch, source);
        batch.Lookup(Assigned(link), Register);
        batch.Accept();
        batch.EndRule();

        LetOthers(ref batch, link, chain, source);
        DropForged(ref batch, link, chain, source);
    }

    static void Dhcp(ref NftWriter batch, string chain, ReadOnlySpan<byte> port)
    {
        const uint protocol = 9, destinationPort = 2;
        batch.BeginRule(chain);
        batch.Payload(Register, NftHeader.Network, protocol, 1);
        batch.Compare(Register, equal: true, Udp);
        batch.Payload(Register, NftHeader.Transport, destinationPort, 2);
        batch.Compare(Register, equal: true, port);
        batch.Accept();
        batch.EndRule();
    }

    static void WriteArp(ref NftWriter batch, int link, string chain)
    {
        const uint senderMac = 8, sender = 14;
        // Somebody who probes whether an address is free says nothing of his own.
        batch.BeginRule(chain);
        batch.Payload(Register, NftHeader.Network, sender, 4);
        batch.Compare(Register, equal: true, NoAddress);
        batch.Accept();
        batch.EndRule();

        batch.BeginRule(chain);
        LoadPair(ref batch, sender);
        batch.Lookup(Assigned(link), Register);
        batch.Payload(Register, NftHeader.Network, senderMac, 6);
        batch.Payload(SecondPart, NftHeader.Network, sender, 4);
        batch.Lookup(Assigned(link), Register);
        batch.Accept();
        batch.EndRule();

        LetOthers(ref batch, link, chain, sender);
        // Of addresses that nobody has: how a conflict is found before one is given away. It leads nowhere, since no packet from there is let in.
        batch.BeginRule(chain);
        batch.Payload(Register, NftHeader.Network, sender, 4);
        batch.Lookup(Addresses(link), Register, isIn: false);
        batch.Lookup(Allowed(link), Register, isIn: false);
        batch.Accept();
        batch.EndRule();
        DropForged(ref batch, link, chain, sender);
    }

    /// <summary>Others that may speak here; a node's NIC is none of them.</summary>
    static void LetOthers(ref NftWriter batch, int link, string chain, uint address)
    {
        batch.BeginRule(chain);
        batch.Payload(Register, NftHeader.Network, address, 4);
        batch.Lookup(Allowed(link), Register);
        batch.Payload(Register, NftHeader.Link, 6, 6);
        batch.Lookup(Held(link), Register, isIn: false);
        batch.Accept();
        batch.EndRule();
    }

    static void DropForged(ref NftWriter batch, int link, string chain, uint address)
    {
        batch.BeginRule(chain);
        LoadPair(ref batch, address);
        batch.Learn(Forged(link), Register);
        batch.EndRule();
        batch.BeginRule(chain);
        batch.Count(Dropped(link));
        batch.Drop();
        batch.EndRule();
    }

    static void DropAll(ref NftWriter batch, int link, string chain, ReadOnlySpan<byte> protocol)
    {
        When(ref batch, chain, protocol);
        batch.Count(Dropped(link));
        batch.Drop();
        batch.EndRule();
    }

    static void To(ref NftWriter batch, string chain, ReadOnlySpan<byte> protocol, string next)
    {
        When(ref batch, chain, protocol);
        batch.Jump(next);
        batch.EndRule();
    }

    static void When(ref NftWriter batch, string chain, ReadOnlySpan<byte> protocol)
    {
        batch.BeginRule(chain);
        batch.Protocol(Register);
        batch.Compare(Register, equal: true, protocol);
    }

    static void OtherVlan(ref NftWriter batch, string chain, ReadOnlySpan<byte> tag)
    {
        const uint etherType = 12, control = 14;
        batch.BeginRule(chain);
        batch.Payload(Register, NftHeader.Link, etherType, 2);
        batch.Compare(Register, equal: true, tag);
        batch.Payload(Register, NftHeader.Link, control, 2);
        batch.Mask(Register, [0x0F, 0xFF]);
        batch.Compare(Register, equal: false, [0, 0]);
        batch.Accept();
        batch.EndRule();
    }

    static void LoadPair(ref NftWriter batch, uint address)
    {
        batch.Payload(Register, NftHeader.Link, 6, 6);
        batch.Payload(SecondPart, NftHeader.Network, address, 4);
    }
}
