using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;
using GridAppliance.Boot.Dhcp.Link;
using GridAppliance.Guard;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Ethernet;
using GridAppliance.Tests.Boot.Dhcp.Live;

namespace GridAppliance.Tests.Guard;

/// <summary>
/// The kernel's own judgement: frames of a real sender on a real wire, and a socket of the appliance's that hears what is let in. All frames leave one interface, in order, so
/// that the good one behind the forged ones says that those were judged.
/// </summary>
public sealed class GuardTableTests : IAsyncLifetime
{
    const int Port = 9000;
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    static readonly MacAddress Honest = MacAddress.Parse("52:54:00:00:00:0a"), Liar = MacAddress.Parse("52:54:00:00:00:0b");
    static readonly Ipv4Address Appliance = Ipv4Address.Parse("10.77.0.1"), HonestIp = Ipv4Address.Parse("10.77.0.60"), LiarIp = Ipv4Address.Parse("10.77.0.61"), SwitchIp = Ipv4Address.Parse("10.77.0.9");

    TestSegment segment = null!;
    GuardTable table = null!;
    Socket hearing = null!;
    PacketSocket wire = null!;
    LinkInterface here = null!;

    public async Task InitializeAsync()
    {
        segment = await TestSegment.CreateAsync("rack");
        await segment.InHost("appliance", () =>
        {
            table = new("rack12", [new("eth0", [SwitchIp])]);
            Assert.Null(table.Install());
            hearing = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            hearing.Bind(new IPEndPoint(IPAddress.Any, Port));
            here = Interface();
            return Task.CompletedTask;
        });
        await segment.InHost("rack", () =>
        {
            wire = new(Interface(), 0, []);
            return Task.CompletedTask;
        });
        Assert.Null(table.Assign(0, [new SourcePair(Honest, HonestIp), new(Liar, LiarIp)]));
    }

    public async Task DisposeAsync()
    {
        table.Dispose();
        hearing.Dispose();
        wire.Dispose();
        await segment.DisposeAsync();
    }

    static LinkInterface Interface()
    {
        var nic = NetworkInterface.GetAllNetworkInterfaces().Single(n => n.Name == "eth0");
        return new(nic.Name, nic.GetIPProperties().GetIPv4Properties()?.Index ?? throw new InvalidOperationException("no IPv4"), MacAddress.Read(nic.GetPhysicalAddress().GetAddressBytes()));
    }

    byte[] Datagram(MacAddress mac, Ipv4Address address, string text, ushort port = Port)
    {
        var payload = Encoding.ASCII.GetBytes(text);
        var frame = new byte[UdpFrame.HeaderLength + payload.Length];
        payload.CopyTo(frame.AsSpan(UdpFrame.HeaderLength));
        var length = UdpFrame.WriteHeaders(frame, payload.Length, new() { SourceMac = mac, DestinationMac = here.Mac, Source = address, Destination = Appliance, SourcePort = 1234, DestinationPort = port });
        return frame[..length];
    }

    static byte[] Tagged(byte[] frame, params ReadOnlySpan<ushort> vlans)
    {
        List<byte> tagged = [.. frame[..12]];
        foreach (var vlan in vlans) tagged.AddRange([0x81, 0x00, (byte)(vlan >> 8), (byte)vlan]);
        return [.. tagged, .. frame[12..]];
    }

    async Task<string> HearAsync()
    {
        var buffer = new byte[256];
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            return Encoding.ASCII.GetString(buffer, 0, await hearing.ReceiveAsync(buffer, SocketFlags.None, patience.Token));
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"nothing was let in within {Patience.TotalSeconds} s");
        }
    }

    /// <summary>What is dropped of these, by source; they are followed by one that is let in.</summary>
    async Task<DropReading> DropsOf(params IEnumerable<byte[]> frames)
    {
        foreach (var frame in frames) wire.Send(frame);
        wire.Send(Datagram(Honest, HonestIp, "good"));
        Assert.Equal("good", await HearAsync());
        return table.ReadDrops()!;
    }

    [Fact]
    public async Task A_wrong_address_and_a_wrong_nic_are_dropped_and_counted_by_source_and_the_honest_is_heard()
    {
        var drops = await DropsOf(
            Datagram(Liar, HonestIp, "his neighbour's address"), Datagram(Liar, HonestIp, "again"),
            Datagram(Honest, Ipv4Address.Parse("10.77.0.99"), "an address that nobody has"),
            Datagram(Liar, Ipv4Address.Parse("192.0.2.1"), "from far away"),
            Datagram(Liar, Appliance, "ours"));
        Assert.Equal(5ul, drops.Totals[0]);
        Assert.Equal(
            [new(0, new(Honest, Ipv4Address.Parse("10.77.0.99")), 1), new(0, new(Liar, Appliance), 1), new(0, new(Liar, HonestIp), 2), new(0, new(Liar, Ipv4Address.Parse("192.0.2.1")), 1)],
            drops.Sources.OrderBy(s => s.Source.Mac).ThenBy(s => s.Source.Address));
    }

    [Fact]
    public async Task Whoever_got_an_address_is_heard_at_once_and_whoever_lost_it_is_not()
    {
        var fresh = Ipv4Address.Parse("10.77.0.70");
        Assert.Null(table.Assign(0, new SourcePair(Liar, fresh)));
        wire.Send(Datagram(Liar, fresh, "new"));
        Assert.Equal("new", await HearAsync());
        // The address goes to somebody else.
        Assert.Null(table.Assign(0, new SourcePair(Honest, fresh)));
        Assert.Equal([new(0, new(Liar, fresh), 1)], (await DropsOf(Datagram(Liar, fresh, "too late"))).Sources);
        Assert.Null(table.Assign(0, [new SourcePair(Honest, HonestIp)]));
        Assert.Contains(new(0, new(Liar, LiarIp), 1), (await DropsOf(Datagram(Liar, LiarIp, "his lease is over"))).Sources);
    }

    [Fact]
    public async Task Dhcp_and_those_that_are_allowed_are_let_in_but_no_node_in_their_name()
    {
        var stranger = MacAddress.Parse("00:25:90:00:00:01");
        wire.Send(Datagram(stranger, Ipv4Address.Any, "discover", 67));
        // A rival server is heard: he is to be told of.
        wire.Send(Datagram(stranger, Ipv4Address.Parse("10.77.0.2"), "offer", 68));
        // A bridge without an address joins a group.
        var report = Datagram(stranger, Ipv4Address.Any, "");
        const int protocol = 14 + 9, igmp = 2;
        report[protocol] = igmp;
        wire.Send(report);
        wire.Send(Datagram(stranger, SwitchIp, "trap"));
        Assert.Equal("trap", await HearAsync());
        var drops = await DropsOf(Datagram(Liar, SwitchIp, "forged trap"));
        Assert.Equal([new(0, new(Liar, SwitchIp), 1)], drops.Sources);
        Assert.Equal(1ul, drops.Totals[0]);
    }

    [Fact]
    public async Task Forged_arp_is_dropped_and_probes_and_answers_to_ours_are_not()
    {
        byte[] Arp(MacAddress from, ArpPacket packet)
        {
            var frame = new byte[60];
            packet.Write(frame);
            here.Mac.Write(frame);
            from.Write(frame.AsSpan(6));
            return frame;
        }

        var drops = await DropsOf(
            Arp(Liar, new(ArpOperation.Reply, Liar, HonestIp, here.Mac, Appliance)),
            // From the right NIC, with another's address inside.
            Arp(Honest, new(ArpOperation.Reply, Liar, HonestIp, here.Mac, Appliance)),
            Arp(Liar, new(ArpOperation.Request, Liar, SwitchIp, default, Appliance)),
            // Allowed: a probe, an answer about an address that nobody has, and the honest.
            Arp(Liar, ArpPacket.Probe(Liar, Ipv4Address.Parse("10.77.0.200"))),
            Arp(Liar, new(ArpOperation.Reply, Liar, Ipv4Address.Parse("10.77.0.200"), here.Mac, default)),
            Arp(Honest, new(ArpOperation.Request, Honest, HonestIp, default, Appliance)));
        Assert.Equal(3ul, drops.Totals[0]);
        Assert.Equal([new(0, new(Honest, HonestIp), 1), new(0, new(Liar, SwitchIp), 1), new(0, new(Liar, HonestIp), 1)], drops.Sources.OrderBy(s => s.Source.Mac).ThenBy(s => s.Source.Address));
    }

    [Fact]
    public async Task No_tag_leads_around_it()
    {
        var forged = Datagram(Liar, HonestIp, "forged");
        // Below a priority tag it is judged; below two of them it is dropped unread; with another VLAN's tag it is nobody's here.
        var drops = await DropsOf(Tagged(forged, 0), Tagged(forged, 0, 0), Tagged(forged, 300), Tagged(forged, 0, 300));
        Assert.Equal([new(0, new(Liar, HonestIp), 1)], drops.Sources);
        Assert.Equal(3ul, drops.Totals[0]);
        wire.Send(Tagged(Datagram(Honest, HonestIp, "with priority"), 0));
        Assert.Equal("with priority", await HearAsync());
    }

    [Fact]
    public async Task Over_ipv6_neighbours_may_look_for_each_other_and_that_is_all()
    {
        static byte[] Ipv6(byte next)
        {
            var frame = new byte[14 + 40 + 24];
            MacAddress.Broadcast.Write(frame);
            Liar.Write(frame.AsSpan(6));
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), 0x86DD);
            frame[14] = 0x60;
            (frame[19], frame[20], frame[21]) = (24, next, 255);
            frame[22] = 0xFE;
            frame[23] = 0x80;
            frame[37] = 1;
            frame[38] = 0xFF;
            frame[39] = 2;
            frame[53] = 1;
            return frame;
        }

        Assert.Equal(1ul, (await DropsOf(Ipv6(58), Ipv6(17))).Totals[0]);
    }

    [Fact]
    public async Task A_flood_of_made_up_sources_is_counted_whole_and_remembered_in_part()
    {
        const int sources = 1500;
        // Between two interfaces of one kernel no more than netdev_max_backlog (1,000) frames wait: on a busy machine the rest would be lost on the wire, before anybody judges them.
        const int burst = 250;
        DropReading drops = null!;
        foreach (var frames in Enumerable.Range(0, sources).Select(i => Datagram(Liar, new(0x0A63_0000 + (uint)i), "flood")).Chunk(burst)) drops = await DropsOf(frames);
        Assert.Equal((ulong)sources, drops.Totals[0]);
        Assert.Equal(GuardTable.MostSources, drops.Sources.Count);
    }

    [Fact]
    public async Task A_rack_of_ten_thousand_is_taken_in_and_others_tools_read_it()
    {
        List<SourcePair> rack = [new(Honest, HonestIp), .. Enumerable.Range(0, 10_000).Select(i => new SourcePair(MacAddress.FromUInt64(0x5254_0100_0000 + (ulong)i), new(0x0A4D_8000 + (uint)i)))];
        Assert.Null(table.Assign(0, rack));
        await DropsOf();
        var listed = await segment.RunAsync("appliance", "/usr/sbin/nft", "list", "table", "netdev", "gridappliance-rack12");
        Assert.Equal(0, listed.ExitCode);
        Assert.Contains($"{Honest} . {HonestIp}", listed.Output);
        Assert.Contains("52:54:01:00:27:0f . 10.77.167.15", listed.Output);
        Assert.Contains("meta protocol ip jump ip0", listed.Output);
        Assert.Contains("update @forged0 {", listed.Output);
        Assert.Contains("dport 67 accept", listed.Output);
    }

    [Fact]
    public async Task Nothing_is_left_when_its_socket_is_gone_and_nobody_else_takes_it_out_before()
    {
        async Task<string> Tables() => (await segment.RunAsync("appliance", "/usr/sbin/nft", "list", "tables")).Output;
        Assert.Contains("gridappliance-rack12", await Tables());
        Assert.NotEqual(0, (await segment.RunAsync("appliance", "/usr/sbin/nft", "delete", "table", "netdev", "gridappliance-rack12")).ExitCode);
        // A second appliance of the same name is told no, in a sentence.
        await segment.InHost("appliance", () =>
        {
            using var second = new GuardTable("rack12", [new("eth0", [])]);
            Assert.StartsWith("the kernel ", second.Install());
            Assert.False(second.IsInForce);
            return Task.CompletedTask;
        });
        table.Remove();
        Assert.DoesNotContain("gridappliance", await Tables());
    }

    [Fact]
    public async Task Whoever_is_asked_may_answer_and_may_not_any_more_when_he_is_let_go()
    {
        var (bmc, bmcIp) = (MacAddress.Parse("52:54:00:00:00:0c"), Ipv4Address.Parse("10.77.0.30"));
        Assert.Equal([new(0, new(bmc, bmcIp), 1)], (await DropsOf(Datagram(bmc, bmcIp, "nobody asked"))).Sources);
        Assert.Null(table.Allow(0, [bmcIp]));
        wire.Send(Datagram(bmc, bmcIp, "an answer"));
        Assert.Equal("an answer", await HearAsync());
        // In his name no node may speak.
        Assert.Contains(new(0, new(Liar, bmcIp), 1), (await DropsOf(Datagram(Liar, bmcIp, "as the BMC"))).Sources);
        Assert.Null(table.Allow(0, []));
        Assert.Contains(new(0, new(bmc, bmcIp), 2), (await DropsOf(Datagram(bmc, bmcIp, "too late"))).Sources);
        // Whom the file names stays.
        wire.Send(Datagram(bmc, SwitchIp, "the switch"));
        Assert.Equal("the switch", await HearAsync());
    }

    [Fact]
    public async Task An_interface_that_went_and_came_back_is_guarded_again()
    {
        Assert.NotNull(table.ReadDrops());
        wire.Dispose();
        Assert.Equal(0, (await segment.RunAsync("appliance", "/usr/sbin/ip", "link", "delete", "eth0")).ExitCode);
        // Since Linux 6.16 a chain waits for its interface to come back; before, it is gone with it and that is noticed.
        var waits = table.ReadDrops() is not null;
        await segment.CableAsync("appliance");
        await segment.AddAddressAsync("appliance", "10.77.0.1/24");
        await segment.InHost("appliance", () =>
        {
            if (!waits) Assert.Null(table.Install());
            here = Interface();
            return Task.CompletedTask;
        });
        Assert.Null(table.Assign(0, [new SourcePair(Honest, HonestIp)]));
        await segment.InHost("rack", () =>
        {
            wire = new(Interface(), 0, []);
            return Task.CompletedTask;
        });
        Assert.Equal([new(0, new(Liar, HonestIp), 1)], (await DropsOf(Datagram(Liar, HonestIp, "forged"))).Sources);
    }
}
