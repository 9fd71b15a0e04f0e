using GridAppliance.Boot.Dhcp;
using GridAppliance.Boot.Dhcp.Leases;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Dhcp;
using static GridAppliance.Tests.Boot.Dhcp.TestMessage;

namespace GridAppliance.Tests.Boot.Dhcp;

/// <summary>The rules of RFC 2131 section 4.3, one message at a time.</summary>
public sealed class DhcpResponderTests
{
    readonly DhcpBench bench = new();

    static Ipv4Address Ip(string text) => Ipv4Address.Parse(text);

    [Fact]
    public void A_discover_is_offered_the_first_address_with_everything_that_a_client_needs()
    {
        var offer = bench.Send(Discover(1));
        var message = offer.Read();
        Assert.Equal((DhcpMessageType.Offer, "10.77.0.50"), (offer.Type, offer.Yours.ToString()));
        Assert.Equal((DhcpOperation.Reply, 0x1234_5678u, DhcpBench.Mac(1)), (message.Operation, message.TransactionId, message.Mac));
        Assert.Equal(("10.77.0.1", "255.255.255.0", "10.77.0.255"),
            (message.Address(DhcpOption.ServerIdentifier).ToString(), message.Address(DhcpOption.SubnetMask).ToString(), message.Address(DhcpOption.BroadcastAddress).ToString()));
        Assert.Equal((600u, 300u, 525u), (message.UInt32(DhcpOption.LeaseTime), message.UInt32(DhcpOption.RenewalTime), message.UInt32(DhcpOption.RebindingTime)));
        Assert.False(message.Has(DhcpOption.Router));
        Assert.False(message.Has(DhcpOption.BootFileName));
        Assert.True(offer.Message!.Length >= DhcpWriter.MinimumLength);
    }

    [Fact]
    public void Router_name_servers_and_domain_are_sent_when_configured()
    {
        var bench = new DhcpBench(null, null, DhcpBench.Rack() with { Router = Ip("10.77.0.254"), Dns = [Ip("10.77.0.2"), Ip("10.77.0.3")], Domain = "grid.example" });
        var offer = bench.Send(Discover(1));
        Assert.Equal(("0A4D00FE", "0A4D00020A4D0003", "grid.example"), (Convert.ToHexString(offer.Option(DhcpOption.Router)!), Convert.ToHexString(offer.Option(DhcpOption.DomainNameServer)!), offer.Text(DhcpOption.DomainName)));
    }

    [Fact]
    public void The_same_client_is_offered_the_same_address_however_often_it_asks()
    {
        var first = bench.Send(Discover(1)).Yours;
        bench.Send(Discover(2));
        Assert.Equal(first, bench.Send(Discover(1)).Yours);
        Assert.Equal(first, bench.Send(Discover(1) with { Options = TestMessage.Ipxe }).Yours);
    }

    [Fact]
    public void A_wished_for_address_is_offered_when_nobody_had_it()
    {
        Assert.Equal("10.77.0.57", bench.Send(Discover(1, Ip("10.77.0.57"))).Yours.ToString());
        Assert.Equal("10.77.0.50", bench.Send(Discover(2, Ip("10.77.0.57"))).Yours.ToString());
        Assert.Equal("10.77.0.51", bench.Send(Discover(3, Ip("10.99.0.1"))).Yours.ToString());
    }

    [Fact]
    public void The_ack_leaves_only_after_the_lease_is_durable()
    {
        var offer = bench.Send(Discover(1));
        Assert.Empty(bench.Store.Rows);
        var ack = bench.Send(Selecting(1, offer.Yours));
        Assert.Equal((DhcpVerdict.SendWhenDurable, DhcpMessageType.Ack), (ack.Verdict.Verdict, ack.Type));
        Assert.Equal(DhcpBench.Mac(1), bench.Store.Rows[offer.Yours].Mac);
    }

    [Fact]
    public void Selecting_another_server_frees_the_offer_and_says_nothing()
    {
        var offer = bench.Send(Discover(1)).Yours;
        var answer = bench.Send(Selecting(1, offer, server: Ip("10.77.0.9")));
        Assert.Equal((null, DhcpSilence.OtherServer), (answer.Type, answer.Reason));
        bench.Clock.Advance(TimeSpan.FromMilliseconds(1));
        for (var other = 2; other <= 10; other++) bench.Lease(other);
        Assert.Equal(offer, bench.Send(Discover(11)).Yours);
    }

    [Fact]
    public void Selecting_an_address_that_is_somebody_elses_is_refused()
    {
        var taken = bench.Lease(1);
        bench.Send(Discover(2));
        var nak = bench.Send(Selecting(2, taken));
        Assert.Equal(DhcpMessageType.Nak, nak.Type);
        Assert.Equal(("10.77.0.1", "0.0.0.0"), (nak.Read().Address(DhcpOption.ServerIdentifier).ToString(), nak.Yours.ToString()));
        Assert.False(nak.Read().Has(DhcpOption.LeaseTime));
        Assert.NotNull(nak.Text(DhcpOption.Message));
    }

    [Fact]
    public void Selecting_an_offer_that_a_restart_forgot_is_honoured()
    {
        var offer = bench.Send(Discover(1)).Yours;
        var restarted = new DhcpBench(bench.Store, bench.Clock);
        Assert.Equal((DhcpMessageType.Ack, offer), (restarted.Send(Selecting(1, offer)).Type, restarted.Send(Renewing(1, offer)).Yours));
    }

    [Fact]
    public void Init_reboot_with_the_right_address_is_acknowledged_at_once()
    {
        var address = bench.Lease(1);
        var ack = bench.Send(InitReboot(1, address));
        Assert.Equal((DhcpMessageType.Ack, DhcpVerdict.Send, address), (ack.Type, ack.Verdict.Verdict, ack.Yours));
        Assert.Equal(1, bench.Store.Binds);
    }

    [Theory]
    [InlineData("10.77.0.55", "another address than its own")]
    [InlineData("192.168.1.10", "the wrong network")]
    public void Init_reboot_of_a_known_client_is_refused_for(string address, string because)
    {
        bench.Lease(1);
        Assert.True(bench.Send(InitReboot(1, Ip(address))).Type == DhcpMessageType.Nak, because);
    }

    [Fact]
    public void Init_reboot_of_an_unknown_client_meets_silence_on_the_right_network_and_a_nak_on_the_wrong_one()
    {
        Assert.Equal(DhcpSilence.NoRecord, bench.Send(InitReboot(9, Ip("10.77.0.55"))).Reason);
        Assert.Equal(DhcpMessageType.Nak, bench.Send(InitReboot(9, Ip("192.168.1.10"))).Type);
    }

    [Fact]
    public void Renewing_extends_the_lease_without_waiting_for_the_disk()
    {
        var address = bench.Lease(1);
        bench.Clock.Advance(TimeSpan.FromMinutes(5));
        var ack = bench.Send(Renewing(1, address));
        Assert.Equal((DhcpMessageType.Ack, DhcpVerdict.Send, address), (ack.Type, ack.Verdict.Verdict, ack.Yours));
        Assert.Equal(address, ack.Read().ClientAddress);
        Assert.Equal(bench.Clock.GetUtcNow() + TimeSpan.FromMinutes(10), bench.Leases.Find(DhcpBench.Mac(1))!.Until);
        Assert.Equal(new ReplyDestination(ReplyPath.Link, DhcpBench.Mac(1), address, 68), ack.Destination);
        Assert.Equal(address, Assert.Single(bench.Leases.TakeDirty(10)).Address);
    }

    [Fact]
    public void Rebinding_is_acknowledged_like_renewing()
    {
        var address = bench.Lease(1);
        Assert.Equal(DhcpMessageType.Ack, bench.Send(Rebinding(1, address)).Type);
    }

    [Fact]
    public void An_expired_lease_that_nobody_needed_is_renewed()
    {
        var address = bench.Lease(1);
        bench.Clock.Advance(TimeSpan.FromHours(5));
        Assert.Equal(DhcpMessageType.Ack, bench.Send(Renewing(1, address)).Type);
    }

    [Fact]
    public void Without_a_record_renewing_is_refused_and_rebinding_met_with_silence()
    {
        Assert.Equal(DhcpMessageType.Nak, bench.Send(Renewing(7, Ip("10.77.0.52"))).Type);
        Assert.Equal(DhcpSilence.NoRecord, bench.Send(Rebinding(7, Ip("10.77.0.52"))).Reason);
        Assert.Equal(DhcpMessageType.Nak, bench.Send(Rebinding(7, Ip("172.16.0.1"))).Type);
    }

    [Fact]
    public void Rebinding_to_an_address_that_went_to_somebody_else_is_refused()
    {
        var address = bench.Lease(1);
        Assert.Equal(DhcpMessageType.Nak, bench.Send(Rebinding(2, address)).Type);
    }

    [Fact]
    public void A_nak_goes_to_everybody_or_to_the_relay_with_the_broadcast_flag()
    {
        var direct = bench.Send(InitReboot(1, Ip("192.168.1.1")));
        Assert.Equal(new ReplyDestination(ReplyPath.Link, MacAddress.Broadcast, Ipv4Address.Broadcast, 68), direct.Destination);
        var relayed = bench.Send(InitReboot(1, Ip("192.168.1.1")) with { RelayAddress = Ip("10.77.0.9") });
        Assert.Equal(new ReplyDestination(ReplyPath.Routed, default, Ip("10.77.0.9"), 67), relayed.Destination);
        Assert.True(relayed.Read().WantsBroadcast);
    }

    [Fact]
    public void A_declined_address_is_left_alone_and_the_client_gets_another()
    {
        var address = bench.Lease(1);
        Assert.Equal(DhcpSilence.NothingToSay, bench.Send(Declining(1, address)).Reason);
        Assert.NotEqual(address, bench.Lease(1));
        for (var other = 2; other <= 9; other++) Assert.NotEqual(address, bench.Lease(other));
        Assert.Equal(DhcpSilence.Exhausted, bench.Send(Discover(10)).Reason);
        bench.Clock.Advance(TimeSpan.FromMinutes(31));
        Assert.NotNull(bench.Send(Discover(10)).Message);
    }

    [Fact]
    public void Nobody_can_decline_what_is_not_his_nor_more_than_a_quarter_of_the_range()
    {
        var address = bench.Lease(1);
        Assert.Equal(DhcpSilence.NoRecord, bench.Send(Declining(2, address)).Reason);
        for (var i = 0; i < 20; i++)
        {
            bench.Clock.Advance(TimeSpan.FromSeconds(1));
            bench.Send(Declining(3, bench.Lease(3)));
        }
        Assert.Equal(LeaseState.Bound, bench.Leases.Find(DhcpBench.Mac(1))!.State);
        var left = Enumerable.Range(50, 10).Count(n => bench.Leases.At(Ip($"10.77.0.{n}"))!.State != LeaseState.Quarantined);
        Assert.Equal(8, left);
    }

    [Fact]
    public void A_released_address_is_kept_for_its_client_until_it_is_needed()
    {
        var address = bench.Lease(1);
        Assert.Equal(DhcpSilence.NothingToSay, bench.Send(Releasing(1, address)).Reason);
        Assert.Equal(address, bench.Lease(1));
        bench.Send(Releasing(1, address));
        for (var other = 2; other <= 10; other++) Assert.NotEqual(address, bench.Lease(other));
        bench.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(address, bench.Lease(11));
    }

    [Fact]
    public void Only_its_holder_can_release_an_address()
    {
        var address = bench.Lease(1);
        Assert.Equal(DhcpSilence.NoRecord, bench.Send(Releasing(2, address)).Reason);
        Assert.Equal(DhcpSilence.NoRecord, bench.Send(Releasing(1, address) with { Server = Ip("10.77.0.99") }).Reason);
        Assert.True(bench.Leases.Find(DhcpBench.Mac(1))!.Until > bench.Clock.GetUtcNow());
    }

    [Fact]
    public void Inform_gets_parameters_but_neither_address_nor_lease()
    {
        var ack = bench.Send(new() { Type = DhcpMessageType.Inform, ClientAddress = Ip("10.77.0.200"), Source = Ip("10.77.0.200") });
        Assert.Equal((DhcpMessageType.Ack, "0.0.0.0", "10.77.0.200"), (ack.Type, ack.Yours.ToString(), ack.Read().ClientAddress.ToString()));
        Assert.False(ack.Read().Has(DhcpOption.LeaseTime));
        Assert.True(ack.Read().Has(DhcpOption.SubnetMask));
        Assert.Equal("10.77.0.200", ack.Destination.Address.ToString());
        Assert.Equal(DhcpSilence.NothingFitting, bench.Send(new() { Type = DhcpMessageType.Inform }).Reason);
        Assert.Equal(DhcpSilence.NothingFitting, bench.Send(new() { Type = DhcpMessageType.Inform, ClientAddress = Ip("8.8.8.8") }).Reason);
    }

    [Theory]
    [InlineData(0x8000, "255.255.255.255", true)]
    [InlineData(0, "10.77.0.50", false)]
    public void An_offer_is_broadcast_when_the_flag_asks_for_it_and_otherwise_sent_to_the_clients_mac(int flags, string to, bool broadcast)
    {
        var offer = bench.Send(Discover(1) with { Flags = (ushort)flags });
        Assert.Equal(new ReplyDestination(ReplyPath.Link, broadcast ? MacAddress.Broadcast : DhcpBench.Mac(1), Ip(to), 68), offer.Destination);
    }

    [Theory]
    [InlineData("010000000000")]
    [InlineData("ffffffffffff")]
    [InlineData("000000000000")]
    public void Group_and_zero_macs_get_nothing(string mac) =>
        Assert.Equal(DhcpSilence.NoEthernetClient, bench.Send(Discover(1) with { Mac = MacAddress.Parse(mac) }).Reason);

    [Fact]
    public void What_servers_send_and_lease_queries_are_not_answered()
    {
        foreach (var type in (DhcpMessageType[])[DhcpMessageType.Offer, DhcpMessageType.Ack, DhcpMessageType.Nak, DhcpMessageType.ForceRenew, DhcpMessageType.LeaseActive])
            Assert.Equal(DhcpSilence.NotForServers, bench.Send(new() { Type = type }).Reason);
        Assert.Equal(DhcpSilence.Unsupported, bench.Send(new() { Type = DhcpMessageType.LeaseQuery }).Reason);
    }

    [Fact]
    public void A_reservation_is_given_to_its_nic_and_to_no_other()
    {
        var bench = new DhcpBench(null, null, DhcpBench.Rack(reservations: [new(DhcpBench.Mac(5), Ip("10.77.0.51")), new(DhcpBench.Mac(6), Ip("10.77.0.9"))]));
        Assert.Equal("10.77.0.50", bench.Lease(1).ToString());
        Assert.Equal("10.77.0.52", bench.Lease(2).ToString());
        Assert.Equal("10.77.0.51", bench.Lease(5).ToString());
        Assert.Equal("10.77.0.9", bench.Lease(6).ToString());
        Assert.Equal(DhcpMessageType.Nak, bench.Send(Selecting(3, Ip("10.77.0.51"))).Type);
        for (var other = 10; other < 17; other++) bench.Lease(other);
        bench.Clock.Advance(TimeSpan.FromDays(1));
        Assert.NotEqual("10.77.0.51", bench.Lease(20).ToString());
    }

    [Fact]
    public void A_new_reservation_moves_its_nic_at_the_next_discover_but_does_not_break_a_running_lease()
    {
        var before = bench.Lease(5);
        var restarted = new DhcpBench(bench.Store, bench.Clock, DhcpBench.Rack(reservations: [new(DhcpBench.Mac(5), Ip("10.77.0.9"))]));
        Assert.Equal(DhcpMessageType.Ack, restarted.Send(Renewing(5, before)).Type);
        Assert.Equal("10.77.0.9", restarted.Lease(5).ToString());
    }

    [Fact]
    public void Our_own_address_is_never_given_even_when_the_range_covers_it()
    {
        var bench = new DhcpBench(null, null, DhcpBench.Rack(range: "10.77.0.0-10.77.0.3") with { Router = Ip("10.77.0.2") });
        Assert.Equal("10.77.0.3", bench.Lease(1).ToString());
        Assert.Equal(DhcpSilence.Exhausted, bench.Send(Discover(2)).Reason);
    }

    [Fact]
    public void Two_networks_keep_their_clients_apart()
    {
        var bench = new DhcpBench(null, null, DhcpBench.Rack(), DhcpBench.Rack("10.88.0.10-10.88.0.20", "10.88.0.1/24", "second"));
        Assert.Equal("10.77.0.50", bench.Send(Discover(1) with { Network = "rack" }).Yours.ToString());
        var second = bench.Send(Discover(1) with { Network = "second" });
        Assert.Equal(("10.88.0.10", "10.88.0.1"), (second.Yours.ToString(), second.Read().Address(DhcpOption.ServerIdentifier).ToString()));
        Assert.Equal(DhcpMessageType.Nak, bench.Send(InitReboot(1, Ip("10.77.0.50")) with { Network = "second" }).Type);
    }

    [Fact]
    public void A_relay_is_answered_for_the_network_that_its_address_is_in_with_option_82_last()
    {
        var bench = new DhcpBench(null, null, DhcpBench.Rack(), DhcpBench.Rack("10.88.0.10-10.88.0.20", "10.88.0.1/24", "second"));
        byte[] relay = [1, 4, (byte)'g', (byte)'e', (byte)'/', (byte)'7', 2, 1, 9];
        var offer = bench.Send(Discover(1) with { Network = "rack", Port = DhcpPort.Unicast, RelayAddress = Ip("10.88.0.2"), Options = [(DhcpOption.RelayAgentInformation, relay), (DhcpOption.ClientIdentifier, [1, 2, 3])] });
        Assert.Equal(("10.88.0.10", "10.88.0.2"), (offer.Yours.ToString(), offer.Read().RelayAddress.ToString()));
        Assert.Equal(new ReplyDestination(ReplyPath.Routed, default, Ip("10.88.0.2"), 67), offer.Destination);
        var last = default(DhcpOption);
        foreach (var option in offer.Read().Options) last = option.Code;
        Assert.Equal(DhcpOption.RelayAgentInformation, last);
        Assert.Equal(relay, offer.Option(DhcpOption.RelayAgentInformation));
        Assert.Equal("67652f37", BootBench.Seen(bench.Observer)[0].CircuitId);
        Assert.Equal(DhcpSilence.UnknownRelay, bench.Send(Discover(2) with { RelayAddress = Ip("10.99.0.1") }).Reason);
    }

    [Fact]
    public void An_address_whose_lease_has_lapsed_is_looked_for_on_the_wire_before_it_is_offered_again()
    {
        var bench = new DhcpBench { Probes = true };
        Assert.Equal(DhcpVerdict.ProbeFirst, bench.Send(Discover(1)).Verdict.Verdict);
        var probed = bench.Leases.Find(DhcpBench.Mac(1))!;
        probed.IsProbing = false;
        bench.Leases.Cleared(probed, bench.Clock.GetUtcNow());
        var address = bench.Lease(1);

        bench.Clock.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal((DhcpMessageType.Offer, address), (bench.Send(Discover(1)).Type, bench.Send(Discover(1)).Yours));
        bench.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(DhcpVerdict.ProbeFirst, bench.Send(Discover(1)).Verdict.Verdict);
    }

    [Fact]
    public void Option_82_of_a_switch_that_snoops_and_does_not_relay_is_echoed() =>
        Assert.Equal<byte[]?>([1, 1, 7], bench.Send(Discover(1) with { Options = [(DhcpOption.RelayAgentInformation, [1, 1, 7])] }).Option(DhcpOption.RelayAgentInformation));

    [Fact]
    public void A_client_beyond_a_relay_renews_by_unicast_and_is_answered_through_routing()
    {
        var bench = new DhcpBench(null, null, DhcpBench.Rack(), DhcpBench.Rack("10.88.0.10-10.88.0.20", "10.88.0.1/24", "second"));
        var remote = Discover(1) with { Port = DhcpPort.Unicast, RelayAddress = Ip("10.88.0.2") };
        var address = bench.Send(remote).Yours;
        Assert.Equal(DhcpMessageType.Ack, bench.Send(remote with { Type = DhcpMessageType.Request, Requested = address, Server = Ip("10.88.0.1") }).Type);
        var ack = bench.Send(Renewing(1, address) with { Network = "rack" });
        Assert.Equal((DhcpMessageType.Ack, new ReplyDestination(ReplyPath.Routed, default, address, 68)), (ack.Type, ack.Destination));
    }

    [Fact]
    public void A_message_that_fills_the_clients_576_octets_keeps_what_the_relay_sent()
    {
        var bench = new DhcpBench(null, null, DhcpBench.Rack() with { Domain = new string('d', 200) });
        bench.Know(DhcpBench.Mac(1), "n1");
        var relay = new byte[200];
        relay[0] = 1;
        relay[1] = 198;
        var offer = bench.Send(Discover(1) with { RelayAddress = Ip("10.77.0.9"), Options = [(DhcpOption.RelayAgentInformation, relay), .. TestMessage.Ipxe] });
        Assert.True(offer.Message!.Length <= 548);
        Assert.Equal(relay, offer.Option(DhcpOption.RelayAgentInformation));
        Assert.Null(offer.Option(DhcpOption.DomainName));
    }

    [Fact]
    public void The_nodes_name_is_its_host_name_and_the_client_identifier_comes_back()
    {
        bench.Know(DhcpBench.Mac(1), "n17");
        var offer = bench.Send(Discover(1) with { Options = [(DhcpOption.ClientIdentifier, [1, 2, 3])] });
        Assert.Equal("n17", offer.Text(DhcpOption.HostName));
        Assert.Equal([1, 2, 3], offer.Option(DhcpOption.ClientIdentifier));
        Assert.Null(bench.Send(Discover(2)).Option(DhcpOption.HostName));
    }
}
