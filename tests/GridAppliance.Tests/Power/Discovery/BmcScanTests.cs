using System.Net;
using System.Net.Sockets;
using System.Text;
using GridAppliance.Lab.Servers.Redfish;
using GridAppliance.Power.Discovery;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Ipmi.Rmcp;
using GridAppliance.Testing;
using GridAppliance.Tests.Power.Redfish;

namespace GridAppliance.Tests.Power.Discovery;

/// <summary>A scan of loopback addresses, some of which have BMCs.</summary>
public sealed class BmcScanTests
{
    static CancellationToken Patience => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    static readonly Func<IReadOnlySet<Ipv4Address>> Nobody = static () => new HashSet<Ipv4Address>();

    static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Any, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    static BmcScan Scan(int ipmi, int https) => new(new() { IpmiPort = ipmi, HttpsPort = https, LastAnswer = TimeSpan.FromMilliseconds(400), ConnectPatience = TimeSpan.FromSeconds(5) }, TimeProvider.System);

    [Fact]
    public async Task What_answers_in_a_range_is_found_and_nothing_else()
    {
        var port = FreePort();
        using var first = IpmiSimulator.Start(at: new(IPAddress.Parse("127.0.3.5"), port), withMachine: false);
        using var second = IpmiSimulator.Start(at: new(IPAddress.Parse("127.0.3.9"), port), withMachine: false);
        using var beyond = IpmiSimulator.Start(at: new(IPAddress.Parse("127.0.3.30"), port), withMachine: false);
        var scan = Scan(port, FreePort());
        var found = await scan.ScanAsync(Ipv4Range.Parse("127.0.3.1-127.0.3.20"), Nobody, Patience);
        Assert.Equal(["127.0.3.5", "127.0.3.9"], found.Select(bmc => bmc.Address.ToString()));
        Assert.All(found, bmc => Assert.Equal((true, true, (string?)null), (bmc.SpeaksIpmi, bmc.SpeaksIpmi20, bmc.Redfish)));
        Assert.Equal($"ipmi://127.0.3.5:{port}", scan.AddressOf(found[0]));
    }

    /// <summary>One socket hears what goes to every address of the loopback network, in order.</summary>
    [Fact]
    public async Task Nobody_is_asked_two_things_at_once_and_a_bmc_that_has_an_owner_is_asked_nothing()
    {
        using var network = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        network.Bind(new IPEndPoint(IPAddress.Any, 0));
        network.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.PacketInformation, true);
        var owned = new HashSet<Ipv4Address> { Ipv4Address.Parse("127.0.3.42") };
        await Scan(((IPEndPoint)network.LocalEndPoint!).Port, FreePort()).ScanAsync(Ipv4Range.Parse("127.0.3.41-127.0.3.43"), () => owned, Patience);
        var heard = new List<string>();
        var buffer = new byte[2048];
        while (network.Available > 0)
        {
            var flags = SocketFlags.None;
            EndPoint sender = new IPEndPoint(IPAddress.Any, 0);
            var length = network.ReceiveMessageFrom(buffer, 0, buffer.Length, ref flags, ref sender, out var to);
            heard.Add($"{(AsfPresence.TryReadPing(buffer.AsSpan(0, length), out _, out _) ? "ping" : "question")} to {to.Address}");
        }
        Assert.Equal(["ping to 127.0.3.41", "ping to 127.0.3.43", "question to 127.0.3.41", "question to 127.0.3.43"], heard);
    }

    [Fact]
    public async Task A_redfish_service_is_found_by_its_root_and_a_web_server_is_not_one()
    {
        await using var bmc = await RedfishSimulator.StartAsync();
        var found = Assert.Single(await Scan(FreePort(), bmc.Address.Port).ScanAsync(Ipv4Range.Parse("127.0.0.1-127.0.0.4"), Nobody, Patience));
        Assert.Equal(("127.0.0.1", false, "1.15.0"), (found.Address.ToString(), found.SpeaksIpmi, found.Redfish));
        // No account was used.
        Assert.Equal(["GET /redfish/v1"], bmc.Log);

        bmc.Instead = async context =>
        {
            await context.Response.Body.WriteAsync("<html>welcome</html>"u8.ToArray());
            return true;
        };
        Assert.Empty(await Scan(FreePort(), bmc.Address.Port).ScanAsync(Ipv4Range.Parse("127.0.0.1-127.0.0.1"), Nobody, Patience));
    }

    /// <summary>Answers of real services differ in order, case of header names and what else they say.</summary>
    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nCACHE-CONTROL:max-age=1800\r\nST:urn:dmtf-org:service:redfish-rest:1\r\nUSN:uuid:92384634-2938-2342-8820-489239905423::urn:dmtf-org:service:redfish-rest:1\r\nAL:https://127.0.0.1/redfish/v1/\r\nEXT:\r\n\r\n", true)]
    [InlineData("HTTP/1.1 200 OK\r\nst: urn:dmtf-org:service:redfish-rest:1:15\r\nal: <https://127.0.0.1/redfish/v1/>\r\n\r\n", true)]
    [InlineData("HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nLOCATION: http://127.0.0.1/printer.xml\r\n\r\n", false)]
    [InlineData("NOTIFY * HTTP/1.1\r\nNT: urn:dmtf-org:service:redfish-rest:1\r\n\r\n", false)]
    [InlineData("", false)]
    public async Task A_redfish_service_that_answers_a_shout_is_found_and_a_printer_is_not(string answer, bool isFound)
    {
        using var service = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        service.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var scan = new BmcScan(new() { IpmiPort = FreePort(), HttpsPort = FreePort(), SsdpGroup = (IPEndPoint)service.LocalEndPoint!, LastAnswer = TimeSpan.FromMilliseconds(400), ConnectPatience = TimeSpan.FromSeconds(5) }, TimeProvider.System);
        var scanning = scan.ScanAsync(Ipv4Range.Parse("127.0.0.1-127.0.0.1"), Nobody, Patience);
        var buffer = new byte[2048];
        var asked = await service.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), Patience);
        var question = Encoding.ASCII.GetString(buffer, 0, asked.ReceivedBytes);
        Assert.StartsWith("M-SEARCH * HTTP/1.1\r\n", question, StringComparison.Ordinal);
        Assert.Contains("\r\nST: urn:dmtf-org:service:redfish-rest:1\r\n", question, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n", question, StringComparison.Ordinal);
        await service.SendToAsync(Encoding.ASCII.GetBytes(answer), SocketFlags.None, asked.RemoteEndPoint, Patience);
        Assert.Equal(isFound ? ["127.0.0.1"] : [], (await scanning).Select(bmc => bmc.Address.ToString()));
    }

    /// <summary>By real multicast, on the loopback device; the answer comes from a port of the service's own.</summary>
    [Fact]
    public async Task A_redfish_service_that_listens_to_its_multicast_group_is_found()
    {
        using var service = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        service.Bind(new IPEndPoint(IPAddress.Any, 0));
        var group = new IPEndPoint(new BmcScanSettings().SsdpGroup.Address, ((IPEndPoint)service.LocalEndPoint!).Port);
        service.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.AddMembership, new MulticastOption(group.Address, IPAddress.Loopback));
        var scan = new BmcScan(new() { IpmiPort = FreePort(), HttpsPort = FreePort(), SsdpGroup = group, LastAnswer = TimeSpan.FromMilliseconds(400), ConnectPatience = TimeSpan.FromSeconds(5) }, TimeProvider.System);
        var scanning = scan.ScanAsync(Ipv4Range.Parse("127.0.0.2-127.0.0.3"), Nobody, Patience);
        var buffer = new byte[2048];
        var asked = await service.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), Patience);
        Assert.StartsWith("M-SEARCH * HTTP/1.1\r\n", Encoding.ASCII.GetString(buffer, 0, asked.ReceivedBytes), StringComparison.Ordinal);
        using var answering = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        answering.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.3"), 0));
        await answering.SendToAsync("HTTP/1.1 200 OK\r\nST: urn:dmtf-org:service:redfish-rest:1\r\nAL: https://127.0.0.3/redfish/v1/\r\n\r\n"u8.ToArray(), SocketFlags.None, asked.RemoteEndPoint, Patience);
        Assert.Equal(["127.0.0.3"], (await scanning).Select(bmc => bmc.Address.ToString()));
    }

    [Fact]
    public async Task Whoever_answers_with_something_else_is_no_bmc()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var port = ((IPEndPoint)socket.LocalEndPoint!).Port;
        using var done = new CancellationTokenSource();
        var echoing = EchoAsync(socket, done.Token);
        // An echo is a ping and a request, neither of which is an answer.
        Assert.Empty(await Scan(port, FreePort()).ScanAsync(Ipv4Range.Parse("127.0.0.1-127.0.0.1"), Nobody, Patience));
        await done.CancelAsync();
        await echoing;

        static async Task EchoAsync(Socket socket, CancellationToken cancellationToken)
        {
            var buffer = new byte[2048];
            try
            {
                while (true)
                {
                    var received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), cancellationToken);
                    await socket.SendToAsync(buffer.AsMemory(0, received.ReceivedBytes), SocketFlags.None, received.RemoteEndPoint, cancellationToken);
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested) { }
        }
    }
}
