using GridAppliance.Boot;
using GridAppliance.Boot.Dhcp.Link;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Dhcp;
using GridAppliance.Protocols.Ethernet;
using GridAppliance.Protocols.Ndp;
using GridAppliance.Testing;

namespace GridAppliance.Tests.Boot.Dhcp.Live;

/// <summary>The server on a wire, with other people's clients and servers.</summary>
public sealed class RealClientTests
{
    [Fact]
    public async Task Udhcpc_gets_an_address_and_keeps_it_over_a_restart_of_the_server()
    {
        await using var segment = await TestSegment.CreateAsync("client");
        var server = await segment.ServeAsync();
        var first = await segment.UdhcpcAsync("client");
        Assert.NotNull(first);
        Assert.Equal(("10.77.0.50", "24", "10.77.0.1", "600"), (first["ip"], first["mask"], first["serverid"], first["lease"]));
        Assert.Equal("10.77.0.50", Assert.Single(segment.Leases.Rows).Key.ToString());
        Assert.Equal([BootStage.DhcpDiscover, BootStage.DhcpOffer, BootStage.DhcpRequest, BootStage.DhcpAck], BootBench.Seen(segment.Observer).Select(o => o.Stage).Distinct());

        await segment.StopAsync(server);
        await segment.ServeAsync();
        var again = await segment.UdhcpcAsync("client");
        Assert.Equal("10.77.0.50", again?["ip"]);
    }

    [Fact]
    public async Task A_client_that_asks_for_broadcast_answers_is_served_too()
    {
        await using var segment = await TestSegment.CreateAsync("client");
        await segment.ServeAsync();
        Assert.Equal("10.77.0.50", (await segment.UdhcpcAsync("client", "-B"))?["ip"]);
    }

    [Fact]
    public async Task A_pxe_client_hears_its_boot_file_and_server()
    {
        await using var segment = await TestSegment.CreateAsync("client");
        await segment.ServeAsync();
        var learned = await segment.UdhcpcAsync("client", "-V", "PXEClient:Arch:00007:UNDI:003000", "-O", "bootfile", "-x", "0x5d:0007");
        Assert.NotNull(learned);
        Assert.Equal(("snponly.efi", "10.77.0.1"), (learned["boot_file"], learned["siaddr"]));
    }

    [Fact]
    public async Task A_client_on_a_network_that_only_a_relay_reaches_gets_its_address_and_the_way_to_us()
    {
        await using var segment = await TestSegment.CreateAsync("router");
        await segment.AddBeyondRelayAsync("router", "10.77.0.254", "beyond", "10.78.0.1", "10.78.0.0/24");
        await segment.ServeAsync(false, TestSegment.Network, DhcpBench.BehindRelay());
        var learned = await segment.UdhcpcAsync("beyond", "-V", "PXEClient:Arch:00007:UNDI:003000", "-O", "bootfile", "-x", "0x5d:0007");
        Assert.NotNull(learned);
        Assert.Equal(("10.78.0.60", "24", "10.78.0.1", "10.77.0.1", "10.77.0.1", "snponly.efi"),
            (learned["ip"], learned["mask"], learned["router"], learned["serverid"], learned["siaddr"], learned["boot_file"]));
        Assert.Equal("10.78.0.60", Assert.Single(segment.Leases.Rows).Key.ToString());
        var seen = BootBench.Seen(segment.Observer).ToList();
        Assert.Equal(["rack7"], seen.Select(o => o.Network).Distinct());
        Assert.Equal([BootStage.DhcpDiscover, BootStage.DhcpOffer, BootStage.DhcpRequest, BootStage.DhcpAck], seen.Select(o => o.Stage).Distinct());
    }

    [Fact]
    public async Task An_address_that_a_stranger_uses_is_not_given()
    {
        await using var segment = await TestSegment.CreateAsync("client", "stranger", "late");
        await segment.AddAddressAsync("stranger", "10.77.0.50/24");
        await segment.ServeAsync();
        Assert.Equal("10.77.0.51", (await segment.UdhcpcAsync("client"))?["ip"]);
        Assert.Equal("10.77.0.52", (await segment.UdhcpcAsync("late"))?["ip"]);
    }

    [Fact]
    public async Task A_client_that_finds_its_address_taken_declines_and_gets_another()
    {
        await using var segment = await TestSegment.CreateAsync("client", "stranger");
        await segment.ServeAsync();
        Assert.Equal("10.77.0.50", (await segment.UdhcpcAsync("client"))?["ip"]);
        // While the client is away the stranger takes its address. A known client's address is not probed again, so the client itself has to find out.
        await segment.RunAsync("client", "/usr/sbin/ip", "address", "flush", "dev", "eth0");
        await segment.AddAddressAsync("stranger", "10.77.0.50/24");
        var learned = await segment.UdhcpcAsync("client", "-a500");
        Assert.NotNull(learned);
        Assert.NotEqual("10.77.0.50", learned["ip"]);
        Assert.Contains(BootStage.DhcpDecline, BootBench.Seen(segment.Observer).Select(o => o.Stage));
    }

    [Fact]
    public async Task Dhclient_binds_comes_back_by_init_reboot_and_releases()
    {
        await using var segment = await TestSegment.CreateAsync("client");
        await segment.ServeAsync();
        var script = Path.Combine(segment.Directory, "dhclient.sh");
        await File.WriteAllTextAsync(script, "#!/bin/sh\n[ -z \"$new_ip_address\" ] || ip address replace $new_ip_address/24 dev $interface\nexit 0\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        string[] files = ["-4", "-v", "-sf", script, "-lf", Path.Combine(segment.Directory, "dhclient.leases"), "-pf", Path.Combine(segment.Directory, "dhclient.pid")];

        var bound = await segment.RunAsync("client", "/usr/sbin/dhclient", [.. files, "-1", "eth0"]);
        Assert.Contains("bound to 10.77.0.50", bound.Output);
        var left = await segment.RunAsync("client", "/usr/sbin/dhclient", [.. files, "-x", "eth0"]);
        Assert.Equal(0, left.ExitCode);

        var rebooted = await segment.RunAsync("client", "/usr/sbin/dhclient", [.. files, "-1", "eth0"]);
        Assert.Contains("bound to 10.77.0.50", rebooted.Output);
        Assert.DoesNotContain("DHCPDISCOVER", rebooted.Output);
        BootBench.Seen(segment.Observer);

        var released = await segment.RunAsync("client", "/usr/sbin/dhclient", [.. files, "-r", "eth0"]);
        Assert.Contains("DHCPRELEASE of 10.77.0.50", released.Output);
        await Eventually.UntilAsync(() => BootBench.Seen(segment.Observer).Any(o => o.Stage == BootStage.DhcpRelease), "the release");
    }

    [Fact]
    public async Task Dhclient_with_an_address_of_another_network_is_refused_and_starts_again()
    {
        await using var segment = await TestSegment.CreateAsync("client");
        await segment.ServeAsync();
        var (script, leases, pid) = (Path.Combine(segment.Directory, "dhclient.sh"), Path.Combine(segment.Directory, "dhclient.leases"), Path.Combine(segment.Directory, "dhclient.pid"));
        await File.WriteAllTextAsync(script, "#!/bin/sh\n[ -z \"$new_ip_address\" ] || ip address replace $new_ip_address/24 dev $interface\nexit 0\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        await File.WriteAllTextAsync(leases, """
            lease {
              interface "eth0";
              fixed-address 192.168.9.9;
              option subnet-mask 255.255.255.0;
              option dhcp-server-identifier 192.168.9.1;
              renew never; rebind never; expire never;
            }

            """);
        var bound = await segment.RunAsync("client", "/usr/sbin/dhclient", "-4", "-v", "-sf", script, "-lf", leases, "-pf", pid, "-1", "eth0");
        Assert.Contains("DHCPNAK", bound.Output);
        Assert.Contains("bound to 10.77.0.50", bound.Output);
        await segment.RunAsync("client", "/usr/sbin/dhclient", "-4", "-sf", script, "-lf", leases, "-pf", pid, "-x", "eth0");
    }

    [Fact]
    public async Task Two_networks_in_one_process_serve_each_its_own()
    {
        await using var segment = await TestSegment.CreateAsync("client");
        await using var second = await TestSegment.CreateAsync("client");
        // The second segment's cable ends in the first one's appliance as well.
        await segment.RunAsync("appliance", "/usr/sbin/ip", "link", "add", "eth1", "type", "veth", "peer", "name", "p-second", "netns", second.Space("switch"));
        await segment.RunAsync("appliance", "/usr/sbin/ip", "address", "add", "10.88.0.1/24", "dev", "eth1");
        await segment.RunAsync("appliance", "/usr/sbin/ip", "link", "set", "eth1", "up");
        await second.RunAsync("switch", "/usr/sbin/ip", "link", "set", "p-second", "master", "br0", "up");
        await segment.ServeAsync(false, TestSegment.Network, DhcpBench.Rack("10.88.0.10-10.88.0.20", "10.88.0.1/24", "second") with { Interface = "eth1" });
        Assert.Equal("10.77.0.50", (await segment.UdhcpcAsync("client"))?["ip"]);
        Assert.Equal("10.88.0.10", (await second.UdhcpcAsync("client"))?["ip"]);
    }

    [Fact]
    public async Task It_refuses_to_serve_beside_another_dhcp_server_unless_it_is_forced()
    {
        await using var segment = await TestSegment.CreateAsync("rival");
        await segment.AddAddressAsync("rival", "10.77.0.2/24");
        await segment.StartDnsmasqAsync("rival", "--dhcp-range=10.77.0.200,10.77.0.210,2m");
        var refused = await Assert.ThrowsAsync<StartupException>(() => segment.ServeAsync());
        Assert.Contains("another DHCP server is answering at 10.77.0.2", refused.Message);
        Assert.Contains("--force", refused.NextStep);
        await segment.ServeAsync(force: true);
        Assert.Contains(segment.Problems.All, p => p.Code == "dhcp.rival.rack" && p.Message.Contains("10.77.0.2"));
    }

    [Fact]
    public async Task A_rival_that_comes_later_is_told_to_the_operator()
    {
        await using var segment = await TestSegment.CreateAsync("client", "rival");
        await segment.ServeAsync();
        await segment.AddAddressAsync("rival", "10.77.0.2/24");
        await segment.StartDnsmasqAsync("rival", "--dhcp-range=10.77.0.200,10.77.0.210,2m", "--dhcp-authoritative", "--no-ping");
        await segment.UdhcpcAsync("client", "-B");
        await Eventually.UntilAsync(() => segment.Problems.All.Any(p => p.Code == "dhcp.rival.rack" && p.Message.Contains("10.77.0.2")), "the rival");
    }

    [Fact]
    public async Task As_a_proxy_it_works_beside_the_networks_own_server()
    {
        await using var segment = await TestSegment.CreateAsync("client", "rival");
        await segment.AddAddressAsync("rival", "10.77.0.2/24");
        await segment.StartDnsmasqAsync("rival", "--dhcp-range=10.77.0.200,10.77.0.210,2m", "--no-ping");
        await segment.ServeAsync(false, TestSegment.Network with { DhcpMode = DhcpMode.Proxy, Range = null });
        // A client that wants an address only hears nothing from us.
        var learned = await segment.UdhcpcAsync("client");
        Assert.NotNull(learned);
        Assert.Equal("10.77.0.2", learned["serverid"]);
        Assert.DoesNotContain(BootBench.Seen(segment.Observer), o => o.Stage is BootStage.DhcpOffer or BootStage.DhcpAck);

        var offers = new Dictionary<Ipv4Address, (Ipv4Address Yours, string? File)>();
        await segment.InHost("client", () => DiscoverAsync(LinkInterface.For(TestSegment.Network with { Address = Ipv4Network.Parse(learned["ip"] + "/24") }), offers, expected: 2));
        Assert.Equal((Ipv4Address.Any, "snponly.efi"), offers[Ipv4Address.Parse("10.77.0.1")]);
        Assert.Equal((Ipv4Address.Parse(learned["ip"]), null), offers[Ipv4Address.Parse("10.77.0.2")]);
        Assert.Empty(segment.Problems.All);
    }

    [Fact]
    public async Task A_taken_port_a_missing_interface_and_a_missing_address_are_each_one_sentence()
    {
        await using var segment = await TestSegment.CreateAsync();
        var missing = await Assert.ThrowsAsync<StartupException>(() => segment.ServeAsync(false, TestSegment.Network with { Interface = "eth7" }));
        Assert.Equal("DHCP cannot serve network 'rack': there is no interface eth7", missing.Message);
        var address = await Assert.ThrowsAsync<StartupException>(() => segment.ServeAsync(false, TestSegment.Network with { Address = Ipv4Network.Parse("10.77.0.9/24") }));
        Assert.Contains("eth0 does not have the address 10.77.0.9/24", address.Message);
        await segment.StartDnsmasqAsync("appliance", "--dhcp-range=10.77.0.200,10.77.0.210,2m");
        var port = await Assert.ThrowsAsync<StartupException>(() => segment.ServeAsync());
        Assert.Contains("UDP port 67", port.Message);
    }

    [Fact]
    public async Task A_router_solicitation_is_answered_at_once()
    {
        await using var segment = await TestSegment.CreateAsync("client");
        await segment.ServeAsync();
        await segment.AddAddressAsync("client", "10.77.0.77/24");
        await segment.InHost("client", () =>
        {
            var link = LinkInterface.For(TestSegment.Network with { Address = Ipv4Network.Parse("10.77.0.77/24") });
            return SolicitAsync(link);
        });
    }

    /// <summary>Asks as UEFI firmware does, and collects the offers of so many servers. (busybox's client takes the first offer, a proxy's too.)</summary>
    static async Task DiscoverAsync(LinkInterface link, Dictionary<Ipv4Address, (Ipv4Address Yours, string? File)> offers, int expected)
    {
        using var socket = new PacketSocket(link, UdpFrame.EtherType, PacketFilter.DhcpServers);
        var message = (TestMessage.Discover(1) with { Mac = link.Mac, Flags = 0x8000, Options = TestMessage.EfiPxe }).ToOctets();
        var frame = new byte[UdpFrame.HeaderLength + message.Length];
        message.CopyTo(frame, UdpFrame.HeaderLength);
        UdpFrame.WriteHeaders(frame, message.Length, new()
        {
            SourceMac = link.Mac, DestinationMac = MacAddress.Broadcast, Source = Ipv4Address.Any, Destination = Ipv4Address.Broadcast, SourcePort = 68, DestinationPort = 67,
        });
        socket.Send(frame);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var received = new byte[2048];
        while (offers.Count < expected)
        {
            var length = await socket.ReceiveAsync(received, patience.Token);
            if (UdpFrame.TryRead(received.AsSpan(0, length), out _, out var payload, out _)) Collect(payload, offers);
        }
    }

    static void Collect(ReadOnlySpan<byte> payload, Dictionary<Ipv4Address, (Ipv4Address Yours, string? File)> offers)
    {
        if (!DhcpMessage.TryRead(payload, out var offer, out _) || offer.Type != DhcpMessageType.Offer) return;
        offers[offer.Address(DhcpOption.ServerIdentifier)!.Value] = (offer.YourAddress, offer.BootFile.IsEmpty ? null : System.Text.Encoding.ASCII.GetString(offer.BootFile));
    }

    static async Task SolicitAsync(LinkInterface link)
    {
        using var socket = new PacketSocket(link, NdpFrame.EtherType, []);
        socket.Join(MacAddress.Parse("33:33:00:00:00:01"));
        var solicitation = Convert.FromHexString("333300000002525400aa000186dd6000000000083afffe80000000000000505400fffeaa0001ff020000000000000000000000000002" + "8500" + "0000" + "00000000");
        uint sum = 58 + 8;
        for (var i = 22; i < solicitation.Length; i += 2) sum += (uint)(solicitation[i] << 8 | solicitation[i + 1]);
        while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
        (solicitation[56], solicitation[57]) = ((byte)(~sum >> 8), (byte)~sum);
        socket.Send(solicitation);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var frame = new byte[256];
        while (true)
        {
            var length = await socket.ReceiveAsync(frame, patience.Token);
            if (length < 78 || frame[20] != 58 || frame[54] != NdpFrame.RouterAdvertisementType) continue;
            // Flags, then a router lifetime of 0.
            Assert.Equal("000000", Convert.ToHexStringLower(frame.AsSpan(59, 3)));
            return;
        }
    }

    /// <summary>Waits for what another thread does; fails after half a minute.</summary>
}
