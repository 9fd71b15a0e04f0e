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
    public int AtOnce { get; init; } = 256;
    /// <summary>BMCs answer within milliseconds; a bus between does not.</summary>
    public TimeSpan LastAnswer { get; init; } = TimeSpan.FromSeconds(1);
    public TimeSpan ConnectPatience { get; init; } = TimeSpan.FromSeconds(2);
}

/// <summary>
/// Looks for BMCs in a range of addresses: an ASF presence ping and then Get Channel Authentication Capabilities to each by UDP, the Redfish service root of each by HTTPS, and a shout for Redfish
/// services (SSDP). No account is used, and nothing is believed that was not asked. One question at a time: each has <see cref="BmcScanSettings.LastAnswer"/> before the next goes to the same
/// address, and a BMC that has an owner is left to it (<see cref="OwnedBmcs"/>).
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
    /// <param name="range">Where to look.</param>
    /// <param name="owned">The addresses that nothing is sent to and nothing believed from; asked anew whenever something is about to be sent.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<IReadOnlyList<FoundBmc>> ScanAsync(Ipv4Range range, Func<IReadOnlySet<Ipv4Address>> owned, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(range.Count, MostAddresses);
        var found = new ConcurrentDictionary<Ipv4Address, FoundBmc>();
        await AskByUdpAsync(range, owned, found, cancellationToken);
        await AskForRootsAsync(range, owned(), found, cancellationToken);
        var others = owned();
        return [.. found.Values.Where(bmc => !others.Contains(bmc.Address)).OrderBy(bmc => bmc.Address)];
    }

    /// <summary>The port that a BMC would be. IPMI where both are there: it has the console too.</summary>
    public string AddressOf(FoundBmc bmc) => bmc.SpeaksIpmi ? $"ipmi://{bmc.Address}:{settings.IpmiPort}" : $"redfish+https://{bmc.Address}:{settings.HttpsPort}";

    async Task AskByUdpAsync(Ipv4Range range, Func<IReadOnlySet<Ipv4Address>> owned, ConcurrentDictionary<Ipv4Address, FoundBmc> found, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 1 << 20 };
        socket.Bind(new IPEndPoint(IPAddress.Any, 0));
        using var done = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var listening = ListenAsync(socket, range, found, done.Token);
        Shout(socket, range);
        var limit = new RateLimit(settings.Rate, settings.Rate / 10, clock);
        // A datagram is lost now and then, and the first to an address waits for ARP: everybody is pinged and asked, and who has answered only the ping is asked once more.
        await RoundAsync(Addresses(range), Ping);
        await RoundAsync(Addresses(range), Ask);
        await RoundAsync([.. found.Values.Where(bmc => bmc is { SpeaksIpmi: true, SpeaksIpmi20: null }).Select(bmc => bmc.Address)], AskAgain);
        await done.CancelAsync();
        await listening;

        async Task RoundAsync(IReadOnlyCollection<Ipv4Address> addresses, Func<Span<byte>, int> write)
        {
            var others = owned();
            var sent = false;
            foreach (var address in addresses)
            {
                if (others.Contains(address)) continue;
                await Task.Delay(limit.Take(), clock, cancellationToken);
                Send(socket, address, write);
                sent = true;
            }
            if (sent) await Task.Delay(settings.LastAnswer, clock, cancellationToken);
        }
    }

    static IReadOnlyCollection<Ipv4Address> Addresses(Ipv4Range range) => [.. Enumerable.Range(0, (int)range.Count).Select(i => new Ipv4Address(range.First.Value + (uint)i))];

    static int Ping(Span<byte> datagram) => AsfPresence.WritePing(datagram, tag: 0);

    int Ask(Span<byte> datagram) => Ask(datagram, sequence: 0);

    int AskAgain(Span<byte> datagram) => Ask(datagram, sequence: 1);

    int Ask(Span<byte> datagram, byte sequence) => Session15Packet.Wrap(datagram, IpmbMessage.WriteRequest(datagram[Session15Packet.Overhead..], question, sequence));

    void Send(Socket socket, Ipv4Address address, Func<Span<byte>, int> write)
    {
        Span<byte> datagram = stackalloc byte[Session15Packet.Overhead + IpmbMessage.Overhead + IpmiRequest.MaxData];
        try
        {
            socket.SendTo(datagram[..write(datagram)], new IPEndPoint(address.ToIPAddress(), settings.IpmiPort));
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
        found.AddOrUpdate(address, new FoundBmc(address).With(can), (_, bmc) => bmc.With(can));
    }

    async Task AskForRootsAsync(Ipv4Range range, IReadOnlySet<Ipv4Address> owned, ConcurrentDictionary<Ipv4Address, FoundBmc> found, CancellationToken cancellationToken)
    {
        using var http = new HttpClient(new SocketsHttpHandler
        {
            // Nothing secret is sent, so anybody may answer.
            AllowAutoRedirect = false, UseProxy = false, UseCookies = false, ConnectTimeout = settings.ConnectPatience, SslOptions = new() { RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate is not null },
        })
        {
            MaxResponseContentBufferSize = MostRoot, Timeout = settings.ConnectPatience * 2,
        };
        await Parallel.ForEachAsync(Addresses(range).Where(address => !owned.Contains(address)), new ParallelOptions { MaxDegreeOfParallelism = settings.AtOnce, CancellationToken = cancellationToken }, async (address, token) =>
        {
            if (await RootAsync(http, address, token) is not { } root) return;
            found.AddOrUpdate(address, new FoundBmc(address).With(root), (_, bmc) => bmc.With(root));
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
