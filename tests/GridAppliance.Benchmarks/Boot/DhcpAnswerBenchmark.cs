using BenchmarkDotNet.Attributes;
using GridAppliance.Boot;
using GridAppliance.Boot.Dhcp;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Dhcp;
using GridAppliance.Protocols.Ethernet;

namespace GridAppliance.Benchmarks.Boot;

/// <summary>From the datagram to the finished frame, without the socket: what one packet costs in steady state. The Allocated column has to stay at "-".</summary>
[MemoryDiagnoser]
public class DhcpAnswerBenchmark
{
    static readonly MacAddress client = MacAddress.Parse("52:54:00:00:00:01");
    static readonly Ipv4Address server = Ipv4Address.Parse("10.77.0.1");

    readonly byte[] frame = new byte[1600];
    DhcpNetwork network = null!;
    DhcpDispatch dispatch = null!;
    byte[] discover = null!;
    byte[] renewal = null!;

    [GlobalSetup]
    public void Setup()
    {
        network = new(new NetworkOptions
        {
            Name = "bench", Interface = "eth1", Address = Ipv4Network.Parse("10.77.0.1/24"), DhcpMode = DhcpMode.Server, Range = Ipv4Range.Parse("10.77.0.50-10.77.0.250"), Boot = true,
        });
        var address = Ipv4Address.Parse("10.77.0.50");
        network.Leases!.Restore([new(address, client, default, TimeSpan.FromMinutes(10))], TimeProvider.System.GetUtcNow());
        dispatch = new([network], new BootDirectoryState(), new BootObserver(), TimeProvider.System);
        discover = Message(DhcpMessageType.Discover, Ipv4Address.Any);
        renewal = Message(DhcpMessageType.Request, address);
        for (var i = 0; i < 20_000; i++) DiscoverToOffer();
    }

    [Benchmark]
    public int DiscoverToOffer() => Exchange(discover, DhcpPort.Broadcast);

    [Benchmark]
    public int RenewToAck() => Exchange(renewal, DhcpPort.Unicast);

    int Exchange(byte[] datagram, DhcpPort port)
    {
        var arrival = new DhcpArrival(network, port, default, 68, TimeProvider.System.GetTimestamp());
        var answer = dispatch.Handle(datagram, arrival, frame.AsSpan(UdpFrame.HeaderLength));
        if (answer.Verdict != DhcpVerdict.Send) throw new InvalidOperationException($"no answer: {answer.Reason}");
        var length = DhcpListener.FrameHeaders(frame, answer, client, server);
        dispatch.Sent(answer, arrival, frame.AsSpan(UdpFrame.HeaderLength, answer.Length));
        return length;
    }

    static byte[] Message(DhcpMessageType type, Ipv4Address address)
    {
        var buffer = new byte[1500];
        var writer = new DhcpWriter(buffer, DhcpOperation.Request) { TransactionId = 7, Mac = client, ClientAddress = address };
        writer.Option(DhcpOption.MessageType, (byte)type);
        writer.Option(DhcpOption.VendorClass, "PXEClient:Arch:00000:UNDI:002001"u8);
        writer.Option(DhcpOption.UserClass, "iPXE"u8);
        writer.Option(DhcpOption.ClientArchitecture, (ushort)0);
        return buffer[..writer.Finish()];
    }
}
