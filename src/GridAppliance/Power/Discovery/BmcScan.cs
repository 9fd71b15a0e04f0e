using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using GridAppliance.Power.Ipmi;
using GridAppliance.Power.Redfish;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Ipmi;
using GridAppliance.Protocols.Ipmi.Commands;
using GridAppliance.Protocols.Ipmi.Rmcp;
using GridAppliance.Protocols.Ipmi.Session;

namespace GridAppliance.Power.Discovery;

/// <summary>How a scan goes about it.</summary>
sealed record BmcScanSettings
{
    public int IpmiPort { get; init; } = RmcpHeader.Port;
    public int HttpsPort { get; init; } = 443;
    /// <summary>Where Redfish services listen for a shout.</summary>
    public IPEndPoint SsdpGroup { get; init; } = new(IPAddress.Parse("239.255.255.250"), 1900);
    /// <summary>Datagrams a second: switches that learn a thousand addresses at once drop them.</summary>
    public int Rate { get; init; } = 500;
    /// <summary>Service roots that are asked for at one time.</summary>
    public int AtOnce { get; init; } = 64;
    /// <summary>BMCs answer within milliseconds; a bus between does not.</summary>
    public TimeSpan LastAnswer { get; init; } = TimeSpan.FromSeconds(1);
    public TimeSpan ConnectPatience { get; init; } = TimeSpan.FromSeconds(2);
}

/// <summary>
/// Looks for BMCs in a range of addresses: an ASF presence ping and Get Channel Authentication Capabilities to each by UDP, the Redfish service root of each by HTTPS, and a shout for Redfish
/// services (SSDP). No account is used, and nothing is believed that was not asked.
/// </summary>
sealed class BmcScan(BmcScanSettings settings, TimeProvider clock)
{
    /// <summary>A range is somebody's network, not the world.</summary>
    public const int MostAddresses = 4096;

    const int MostRoot = 64 * 1024;

    /// <summary>UPnP Device Architecture 1.1, section 1.3.2; enough for a management network with a router in it that carries multicast.</summary>
    const int SsdpTimeToLive = 2;

    /// <summary>DSP0266, section 11.2.</summary>
    static readonly byte[] SsdpQuestion = "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: urn:dmtf-org:service:redfish-rest:1\r\n\r\n"u8.ToArray();

    readonly GetChannelAuthenticationCapabilities question = new(IpmiPrivilege.Administrator);

    /// <summary>What answers in <paramref name="range"/>, by address.</summary>
    public async Task<IReadOnlyList<FoundBmc>> ScanAsync(Ipv4Range range, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(range.Count, MostAddresses);
        var found = new ConcurrentDictionary<Ipv4Address, FoundBmc>();
        await Task.WhenAll(AskByUdpAsync(range, found, cancellationToken), AskForRootsAsync(range, found, cancellationToken));
        return [.. found.Values.OrderBy(bmc => bmc.Address)];
    }

    /// <summary>The port that a BMC would be. IPMI where both are there: it has the console too.</summary>
    public string AddressOf(FoundBmc bmc) => bmc.SpeaksIpmi ? $"ipmi://{bmc.Address}:{settings.IpmiPort}" : $"redfish+https://{bmc.Address}:{settings.HttpsPort}";

    async Task AskByUdpAsync(Ipv4Range range, ConcurrentDictionary<Ipv4Address, FoundBmc> found, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 1 << 20 };
        socket.Bind(new IPEndPoint(IPAddress.Any, 0));
        using var done = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var listening = ListenAsync(socket, range, found, done.Token);
        Shout(socket, range);
        var limit = new RateLimit(settings.Rate, settings.Rate / 10, clock);
        // A datagram is lost now and then, and the first to an address waits for ARP: everybody is asked twice.
        for (var round = 0; round < 2; round++)
        {
            for (var value = range.First.Value; ; value++)
            {
                var address = new Ipv4Address(value);
                if (!found.TryGetValue(address, out var known) || known.SpeaksIpmi20 is null)
                {
                    await Task.Delay(limit.Take(), clock, cancellationToken);
                    Send(socket, address, (byte)round);
                }
                if (value == range.Last.Value) break;
            }
            await Task.Delay(settings.LastAnswer, clock, cancellationToken);
        }
        await done.CancelAsync();
        await listening;
    }

    void Send(Socket socket, Ipv4Address address, byte round)
    {
        Span<byte> datagram = stackalloc byte[Session15Packet.Overhead + IpmbMessage.Overhead + IpmiRequest.MaxData];
        var to = new IPEndPoint(address.ToIPAddress(), settings.IpmiPort);
        try
        {
            socket.SendTo(datagram[..AsfPresence.WritePing(datagram, round)], to);
            socket.SendTo(datagram[..Session15Packet.Wrap(datagram, IpmbMessage.WriteRequest(datagram[Session15Packet.Overhead..], question, round))], to);
        }
        catch (SocketException)
        {
            // No way there, or an ICMP error about the one before: then nobody is found there.
        }
    }

    /// <summary>Into the network that leads to <paramref name="range"/>: an appliance stands in several, and the default route is none of theirs.</summary>
    void Shout(Socket socket, Ipv4Range range)
    {
        try
        {
            // A range may begin with its network's own address, which counts as a broadcast.
            using (var route = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { EnableBroadcast = true })
            {
                // Nothing is sent: the kernel only says from which address it would be.
                route.Connect(range.First.ToIPAddress(), settings.IpmiPort);
                socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastInterface, ((IPEndPoint)route.LocalEndPoint!).Address.GetAddressBytes());
            }
            socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastTimeToLive, SsdpTimeToLive);
            socket.SendTo(SsdpQuestion, settings.SsdpGroup);
        }
        catch (SocketException)
        {
            // A machine without a route there finds nobody this way.
        }
    }

    async Task ListenAsync(Socket socket, Ipv4Range range, ConcurrentDictionary<Ipv4Address, FoundBmc> found, CancellationToken cancellationToken)
    {
        var buffer = new byte[2048];
        var anybody = new IPEndPoint(IPAddress.Any, 0);
        while (true)
        {
            try
            {
                var received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, anybody, cancellationToken);
                var sender = (IPEndPoint)received.RemoteEndPoint;
                var address = Ipv4Address.Read(sender.Address.GetAddressBytes());
                if (range.Contains(address)) Take(buffer.AsSpan(0, received.ReceivedBytes), address, sender.Port, found);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested) { return; }
            catch (SocketException)
            {
                // An ICMP error about one address is no end for the others.
            }
        }
    }

    void Take(ReadOnlySpan<byte> datagram, Ipv4Address address, int port, ConcurrentDictionary<Ipv4Address, FoundBmc> found)
    {
        if (port != settings.IpmiPort)
        {
            // Answers come from the group's port or from any other.
            if (datagram.StartsWith("HTTP/1.1 200"u8) && datagram.IndexOf("redfish-rest"u8) >= 0) found.AddOrUpdate(address, new FoundBmc(address) { Redfish = "?" }, (_, bmc) => bmc with { Redfish = bmc.Redfish ?? "?" });
            return;
        }
        if (AsfPresence.TryReadPong(datagram, out var pong, out _))
        {
            if (pong.SupportsIpmi) found.AddOrUpdate(address, new FoundBmc(address) { SpeaksIpmi = true }, (_, bmc) => bmc with { SpeaksIpmi = true });
            return;
        }
        if (!Session15Packet.TryRead(datagram, out var packet, out _) || !IpmbMessage.TryRead(packet.Message, out var message, out _)) return;
        if (!message.IsAnswer || message.Command != question.Command || message.Data is not [(byte)CompletionCode.Ok, ..] || !question.TryReadAnswer(message.Data[1..], out var can)) return;
        found.AddOrUpdate(address, new FoundBmc(address) { SpeaksIpmi = true, SpeaksIpmi20 = can.SupportsIpmi20, AllowsAnonymous = can.AllowsAnonymousLogin },
            (_, bmc) => bmc with { SpeaksIpmi = true, SpeaksIpmi20 = can.SupportsIpmi20, AllowsAnonymous = can.AllowsAnonymousLogin });
    }

    async Task AskForRootsAsync(Ipv4Range range, ConcurrentDictionary<Ipv4Address, FoundBmc> found, CancellationToken cancellationToken)
    {
        using var http = new HttpClient(new SocketsHttpHandler
        {
            // Nothing secret is sent, so anybody may answer.
            AllowAutoRedirect = false, UseProxy = false, UseCookies = false, ConnectTimeout = settings.ConnectPatience, SslOptions = new() { RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate is not null },
        })
        {
            MaxResponseContentBufferSize = MostRoot, Timeout = settings.ConnectPatience * 2,
        };
        var addresses = Enumerable.Range(0, (int)range.Count).Select(i => new Ipv4Address(range.First.Value + (uint)i));
        await Parallel.ForEachAsync(addresses, new ParallelOptions { MaxDegreeOfParallelism = settings.AtOnce, CancellationToken = cancellationToken }, async (address, token) =>
        {
            if (await RootAsync(http, address, token) is not { } root) return;
            var product = string.Join(' ', new[] { RedfishResource.TextOf(root, "Vendor"), RedfishResource.TextOf(root, "Product") }.Where(text => !string.IsNullOrWhiteSpace(text)));
            var version = RedfishResource.TextOf(root, "RedfishVersion") ?? "1";
            found.AddOrUpdate(address, new FoundBmc(address) { Redfish = version, Product = product }, (_, bmc) => bmc with { Redfish = version, Product = product });
        });
    }

    async Task<JsonElement?> RootAsync(HttpClient http, Ipv4Address address, CancellationToken cancellationToken)
    {
        try
        {
            var octets = await http.GetByteArrayAsync($"https://{address}:{settings.HttpsPort}{RedfishPath.Root}", cancellationToken);
            using var document = JsonDocument.Parse(octets);
            // Many a web server answers everything with a page: this has to be a service root.
            return RedfishPath.TryRead(RedfishResource.TextOf(document.RootElement, "@odata.id"), out _) && RedfishResource.ObjectOf(document.RootElement, "Systems") is not null ? document.RootElement.Clone() : null;
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }
}
