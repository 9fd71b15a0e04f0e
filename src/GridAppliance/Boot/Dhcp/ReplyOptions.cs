using System.Buffers.Binary;
using System.Text;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Dhcp;

namespace GridAppliance.Boot.Dhcp;

/// <summary>What goes into the replies of one network, encoded once at start: an answer then copies octets and makes none.</summary>
sealed class ReplyOptions
{
    readonly BootOptions?[] boot;

    public ReplyOptions(NetworkOptions network)
    {
        Server = network.Server;
        Link = EncodeLink(network);
        Domain = network.Domain is { Length: > 0 } domain ? Encode((DhcpOption.DomainName, Encoding.ASCII.GetBytes(domain))) : [];
        Lease = EncodeLease(network.LeaseTime);
        boot = new BootOptions?[Index(LastArchitecture, true, FirmwareBoot.Http, LastAction) + 1];
        if (!network.Boot) return;
        foreach (var architecture in Enum.GetValues<ClientArchitecture>())
            foreach (var firmware in Enum.GetValues<FirmwareBoot>())
                foreach (var action in Enum.GetValues<BootAction>())
                    foreach (var isIpxe in (ReadOnlySpan<bool>)[false, true])
                    {
                        var loader = LoaderChoice.For(architecture, isIpxe, firmware == FirmwareBoot.Http, action);
                        if (loader is not null) boot[Index(architecture, isIpxe, firmware, action)] = BootOptions.For(loader, Server, isIpxe, firmware);
                    }
    }

    /// <summary>Our address: option 54 and <c>siaddr</c>.</summary>
    public Ipv4Address Server { get; }

    /// <summary>Mask, broadcast address, router, name servers.</summary>
    public ReadOnlyMemory<byte> Link { get; }

    public ReadOnlyMemory<byte> Domain { get; }

    /// <summary>Lease time with T1 and T2.</summary>
    public ReadOnlyMemory<byte> Lease { get; }

    /// <summary>What a client boots, or null when it gets an address only.</summary>
    public BootOptions? BootFor(in BootClient client, BootAction action) =>
        client.WantsBootFile ? boot[Index(client.Architecture, client.IsIpxe, client.Firmware, action)] : null;

    const ClientArchitecture LastArchitecture = ClientArchitecture.EfiRiscV64;
    const BootAction LastAction = BootAction.None;

    static int Index(ClientArchitecture architecture, bool isIpxe, FirmwareBoot firmware, BootAction action) =>
        (((int)architecture * 2 + (isIpxe ? 1 : 0)) * 3 + (int)firmware) * 3 + (int)action;

    static byte[] EncodeLink(NetworkOptions network)
    {
        var options = new List<(DhcpOption, byte[])>
        {
            (DhcpOption.SubnetMask, Octets(network.Address.Mask)),
            (DhcpOption.BroadcastAddress, Octets(network.Address.DirectedBroadcast)),
        };
        if (network.Router is { } router) options.Add((DhcpOption.Router, Octets(router)));
        if (network.Dns.Count > 0) options.Add((DhcpOption.DomainNameServer, [.. network.Dns.SelectMany(Octets)]));
        return Encode([.. options]);
    }

    static byte[] EncodeLease(TimeSpan time)
    {
        var seconds = (uint)Math.Clamp(time.TotalSeconds, 1, uint.MaxValue - 1);
        // RFC 2131 section 4.4.5: T1 = 0.5, T2 = 0.875 of the lease.
        return Encode((DhcpOption.LeaseTime, Octets(new(seconds))), (DhcpOption.RenewalTime, Octets(new(seconds / 2))), (DhcpOption.RebindingTime, Octets(new((uint)(seconds * 7L / 8)))));
    }

    internal static byte[] Octets(Ipv4Address address)
    {
        var octets = new byte[Ipv4Address.Length];
        BinaryPrimitives.WriteUInt32BigEndian(octets, address.Value);
        return octets;
    }

    internal static byte[] Encode(params ReadOnlySpan<(DhcpOption Code, byte[] Value)> options)
    {
        var encoded = new List<byte>();
        foreach (var (code, value) in options)
        {
            foreach (var piece in value.Length == 0 ? [[]] : value.Chunk(255)) encoded.AddRange([(byte)code, (byte)piece.Length, .. piece]);
        }
        return [.. encoded];
    }
}

/// <summary>The boot file of one kind of client, encoded.</summary>
/// <param name="File">For the BOOTP field; empty when it is too long for it.</param>
/// <param name="Encoded">Options 43, 60, 66, 67 and 175, as far as they apply.</param>
/// <param name="ForProxy">The same for an offer without an address.</param>
/// <param name="Name">For the timeline.</param>
sealed record BootOptions(byte[] File, byte[] Encoded, byte[] ForProxy, string Name)
{
    public const int HttpPort = 8067;

    static ReadOnlySpan<byte> FetchTheFile => [PxeSuboption.DiscoveryControl, 1, PxeSuboption.JustFetchTheFile, (byte)DhcpOption.End];

    public static BootOptions For(Loader loader, Ipv4Address server, bool isIpxe, FirmwareBoot firmware)
    {
        var name = loader switch
        {
            Loader.Tftp tftp => tftp.FileName,
            Loader.Http http => $"http://{server}:{HttpPort}{http.Path}",
            _ => throw new ArgumentException($"a loader of no known kind: {loader}", nameof(loader)),
        };
        var file = Encoding.ASCII.GetBytes(name);
        var options = new List<(DhcpOption, byte[])> { (DhcpOption.BootFileName, file) };
        if (loader is Loader.Tftp) options.Add((DhcpOption.TftpServerName, Encoding.ASCII.GetBytes(server.ToString())));
        // UEFI HTTP boot takes no offer that does not say HTTPClient too.
        if (firmware == FirmwareBoot.Http && !isIpxe) options.Add((DhcpOption.VendorClass, "HTTPClient"u8.ToArray()));

        var pxe = new List<(DhcpOption, byte[])> { (DhcpOption.VendorClass, "PXEClient"u8.ToArray()), (DhcpOption.VendorSpecific, FetchTheFile.ToArray()) };
        var proxy = firmware == FirmwareBoot.Http && !isIpxe ? [] : pxe;
        // A PXE ROM that hears PXEClient and "fetch the file" does not wait for a ProxyDHCP server. iPXE is told so by its own option.
        var direct = isIpxe ? [(DhcpOption.Ipxe, [IpxeSuboption.NoProxyDhcp, 1, 1])] : proxy;
        return new(file.Length <= 127 ? file : [], ReplyOptions.Encode([.. options, .. direct]), ReplyOptions.Encode([.. options, .. proxy]), name);
    }
}
