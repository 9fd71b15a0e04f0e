using GridAppliance.Boot;
using GridAppliance.Boot.Dhcp;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Dhcp;
using GridAppliance.Testing;
using static GridAppliance.Tests.Boot.Dhcp.TestMessage;

namespace GridAppliance.Tests.Boot.Dhcp;

/// <summary>What each kind of firmware and loader is told to fetch, and how.</summary>
public sealed class BootOptionTests
{
    readonly DhcpBench bench = new();

    [Fact]
    public void A_bios_rom_is_sent_to_tftp_and_told_not_to_look_for_other_boot_servers()
    {
        var offer = bench.Send(Discover(1) with { Options = BiosPxe });
        Assert.Equal(("undionly.kpxe", "10.77.0.1"), (System.Text.Encoding.ASCII.GetString(offer.Read().BootFile), offer.Read().NextServer.ToString()));
        Assert.Equal(("undionly.kpxe", "10.77.0.1", "PXEClient"), (offer.Text(DhcpOption.BootFileName), offer.Text(DhcpOption.TftpServerName), offer.Text(DhcpOption.VendorClass)));
        Assert.Equal("060108FF", Convert.ToHexString(offer.Option(DhcpOption.VendorSpecific)!));
        Assert.Equal(BiosPxe[3].Item2, offer.Option(DhcpOption.ClientMachine));
        Assert.Null(offer.Option(DhcpOption.Ipxe));
    }

    [Fact]
    public void Uefi_pxe_gets_the_uefi_loader() => Assert.Equal("snponly.efi", bench.Send(Discover(1) with { Options = EfiPxe }).Text(DhcpOption.BootFileName));

    [Fact]
    public void Uefi_http_boot_gets_a_url_and_hears_its_own_class()
    {
        var offer = bench.Send(Discover(1) with { Options = EfiHttp });
        Assert.Equal(("http://10.77.0.1:8067/boot/snponly.efi", "HTTPClient"), (offer.Text(DhcpOption.BootFileName), offer.Text(DhcpOption.VendorClass)));
        Assert.Null(offer.Option(DhcpOption.VendorSpecific));
    }

    [Fact]
    public void Ipxe_gets_the_script_and_does_not_wait_for_a_proxy()
    {
        var offer = bench.Send(Discover(1) with { Options = TestMessage.Ipxe });
        Assert.Equal("http://10.77.0.1:8067/boot/script", offer.Text(DhcpOption.BootFileName));
        Assert.Equal("B00101", Convert.ToHexString(offer.Option(DhcpOption.Ipxe)!));
        Assert.Null(offer.Option(DhcpOption.VendorClass));
        var ack = bench.Send(Selecting(1, offer.Yours) with { Options = TestMessage.Ipxe });
        Assert.Equal("http://10.77.0.1:8067/boot/script", ack.Text(DhcpOption.BootFileName));
    }

    [Fact]
    public void An_operating_systems_client_gets_no_boot_file()
    {
        var offer = bench.Send(Discover(1) with { Options = [(DhcpOption.VendorClass, "udhcp 1.36.1"u8.ToArray())] });
        Assert.True(offer.Read().BootFile.IsEmpty);
        Assert.Null(offer.Option(DhcpOption.BootFileName));
        Assert.Equal("0.0.0.0", offer.Read().NextServer.ToString());
    }

    [Fact]
    public void A_retired_nodes_firmware_gets_an_address_only()
    {
        bench.Know(DhcpBench.Mac(1), "n1", BootAction.None);
        var offer = bench.Send(Discover(1) with { Options = BiosPxe });
        Assert.Equal(DhcpMessageType.Offer, offer.Type);
        Assert.Null(offer.Option(DhcpOption.BootFileName));
        Assert.Null(offer.Option(DhcpOption.VendorClass));
    }

    [Fact]
    public void A_network_without_boot_gives_addresses_only()
    {
        var bench = new DhcpBench(null, null, DhcpBench.Rack() with { Boot = false });
        Assert.Null(bench.Send(Discover(1) with { Options = TestMessage.Ipxe }).Option(DhcpOption.BootFileName));
    }

    [CaseFact]
    public void Every_captured_client_is_answered_with_what_it_can_start()
    {
        var expected = new Dictionary<string, string>
        {
            ["A_bios_ipxe_dnsmasq"] = "http://10.77.0.1:8067/boot/script",
            ["pixiecore-dhcp"] = "undionly.kpxe",
        };
        foreach (var (capture, file) in expected)
        {
            var discover = Captured(capture).First(d => d[242] == (byte)DhcpMessageType.Discover);
            var buffer = new byte[1500];
            var answer = bench.Dispatch.Handle(discover, Arrival(), buffer);
            // The address is not probed yet; the second copy of the message meets a cleared one.
            if (answer.Verdict == DhcpVerdict.ProbeFirst)
            {
                answer.Lease!.IsProbing = false;
                bench.Leases.Cleared(answer.Lease, bench.Clock.GetUtcNow());
                answer = bench.Dispatch.Handle(discover, Arrival(), buffer);
            }
            Assert.True(DhcpMessage.TryRead(buffer.AsSpan(0, answer.Length), out var offer, out _));
            Assert.Equal(file, System.Text.Encoding.ASCII.GetString(offer.BootFile));
        }
    }

    [CaseFact]
    public void Captured_and_damaged_messages_of_every_kind_never_throw_and_never_grow_the_table()
    {
        var buffer = new byte[1500];
        foreach (var capture in SharedCases.DhcpCaptures.Append("dhcp-fuzz"))
        {
            foreach (var datagram in Captured(capture))
            {
                foreach (var damaged in Mutations.Of(datagram, seed: datagram.Length, count: 100).Append(datagram))
                {
                    foreach (var port in Enum.GetValues<DhcpPort>())
                        bench.Dispatch.Handle(damaged, new(bench.Networks[0], port, Ipv4Address.Parse("10.77.0.77"), 68, 0), buffer);
                    bench.Clock.Advance(TimeSpan.FromMilliseconds(20));
                }
            }
        }
        Assert.Equal(10, bench.Leases.Capacity);
    }

    [Fact]
    public void A_proxy_offers_a_boot_file_and_no_address_to_network_booting_clients_only()
    {
        var bench = new DhcpBench(null, null, DhcpBench.Rack(mode: DhcpMode.Proxy));
        var offer = bench.Send(Discover(1) with { Options = BiosPxe });
        Assert.Equal((DhcpMessageType.Offer, "0.0.0.0", "PXEClient", "undionly.kpxe"), (offer.Type, offer.Yours.ToString(), offer.Text(DhcpOption.VendorClass), offer.Text(DhcpOption.BootFileName)));
        Assert.Equal("060108FF", Convert.ToHexString(offer.Option(DhcpOption.VendorSpecific)!));
        Assert.Equal(MacAddress.Broadcast, offer.Destination.Mac);
        Assert.False(offer.Read().Has(DhcpOption.LeaseTime));
        Assert.False(offer.Read().Has(DhcpOption.SubnetMask));
        var ipxe = bench.Send(Discover(1) with { Options = TestMessage.Ipxe });
        Assert.Equal(("PXEClient", "http://10.77.0.1:8067/boot/script"), (ipxe.Text(DhcpOption.VendorClass), ipxe.Text(DhcpOption.BootFileName)));

        Assert.Equal(DhcpSilence.NotServed, bench.Send(Discover(2)).Reason);
        Assert.Equal(DhcpSilence.NotServed, bench.Send(Selecting(1, Ipv4Address.Parse("10.77.0.50")) with { Options = BiosPxe }).Reason);
    }

    [Theory]
    [InlineData(4011)]
    [InlineData(68)]
    public void The_proxy_port_answers_to_where_the_question_came_from(int port)
    {
        var bench = new DhcpBench(null, null, DhcpBench.Rack(mode: DhcpMode.Proxy));
        var client = Ipv4Address.Parse("10.77.0.123");
        var ack = bench.Send(new() { Type = DhcpMessageType.Request, Port = DhcpPort.Proxy, Source = client, SourcePort = (ushort)port, ClientAddress = client, Options = EfiPxe });
        Assert.Equal((DhcpMessageType.Ack, "snponly.efi", "0.0.0.0"), (ack.Type, ack.Text(DhcpOption.BootFileName), ack.Yours.ToString()));
        Assert.Equal(new ReplyDestination(ReplyPath.Routed, default, client, (ushort)port), ack.Destination);
    }

    [Fact]
    public void What_happened_is_reported_with_the_machine_and_its_architecture()
    {
        var offer = bench.Send(Discover(1) with { Options = TestMessage.Ipxe });
        bench.Dispatch.Sent(offer.Verdict, new(bench.Networks[0], DhcpPort.Broadcast, default, 68, bench.Clock.GetTimestamp()), offer.Message);
        var seen = BootBench.Seen(bench.Observer);
        Assert.Equal([BootStage.DhcpDiscover, BootStage.DhcpOffer], seen.Select(s => s.Stage));
        Assert.Equal((DhcpBench.Mac(1), "rack", (ushort?)0, Guid.Parse("12345678-1234-5678-90ab-cdef00112233"), true),
            (seen[0].Mac, seen[0].Network, seen[0].ArchitectureCode, seen[0].Uuid, seen[0].NetworkBoot));
        Assert.Equal(("10.77.0.50", "http://10.77.0.1:8067/boot/script"), (seen[1].Ip.ToString(), seen[1].Detail));
    }

    DhcpArrival Arrival() => new(bench.Networks[0], DhcpPort.Broadcast, default, 68, 0);

    static IEnumerable<byte[]> Captured(string capture) =>
        PcapFile.Read(SharedCases.DhcpCapture(capture)).Select(f => f.Udp()).OfType<PcapFile.UdpPayload>()
            .Where(u => u.DestinationPort == 67 && u.Data.Length > 243).Select(u => u.Data);
}
