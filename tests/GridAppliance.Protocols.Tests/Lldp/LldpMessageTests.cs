using System.Text;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Ethernet;
using GridAppliance.Protocols.Lldp;
using GridAppliance.Testing;

namespace GridAppliance.Protocols.Tests.Lldp;

public sealed class LldpMessageTests
{
    static byte[] Message(string capture, int frame)
    {
        var data = PcapFile.Read(SharedCases.PathOf($"pcap/lldp/{capture}"))[frame - 1].Data;
        Assert.True(EthernetHeader.TryRead(data, out var header, out _));
        Assert.Equal(LldpMessage.EtherType, header.EtherType);
        Assert.Equal(LldpMessage.NearestBridge, header.Destination);
        return data[header.Length..];
    }

    static LldpMessage Read(byte[] octets)
    {
        Assert.True(LldpMessage.TryRead(octets, out var message, out var defect), defect.ToString());
        Assert.Equal(LldpDefect.None, defect);
        return message;
    }

    [CaseFact]
    public void A_network_card_that_speaks_for_itself_is_read()
    {
        var message = Read(Message("connectx.pcap", 1));
        Assert.Equal(LldpChassisKind.MacAddress, message.ChassisKind);
        Assert.Equal("50:6b:4b:f6:1e:b3", message.ChassisText);
        Assert.Equal("50:6b:4b:f6:1e:b1", message.PortText);
        Assert.Equal(48, message.TimeToLiveSeconds);
        Assert.Null(LldpMessage.TextOf(message.SystemName));
        Assert.Equal("ConnectX-4 Lx, 25G/10G/1G SFP", LldpMessage.TextOf(message.PortDescription));
    }

    [CaseFact]
    public void A_telephone_names_itself_by_its_network_address()
    {
        var message = Read(Message("lldp.pcap", 1));
        Assert.Equal(LldpChassisKind.NetworkAddress, message.ChassisKind);
        Assert.Equal("172.16.10.109", message.ChassisText);
        Assert.Equal("001B54945A8B:P2", message.PortText);
        Assert.Equal(180, message.TimeToLiveSeconds);
        Assert.Equal("SEP001B54945A8B.elmec.ad", LldpMessage.TextOf(message.SystemName));
    }

    [CaseFact]
    public void A_second_time_to_live_makes_the_message_invalid()
    {
        Assert.False(LldpMessage.TryRead(Message("wireshark-lldp.pcap", 1), out _, out var defect));
        Assert.Equal(LldpDefect.Duplicate, defect);
    }

    [CaseFact]
    public void Switches_of_three_makers_are_read()
    {
        var summit = Read(Message("wireshark-lldp.pcap", 2));
        Assert.Equal(("00:01:30:f9:ad:a0", LldpPortKind.InterfaceName, "1/1", "Summit300-48"),
            (summit.ChassisText, summit.PortKind, summit.PortText, LldpMessage.TextOf(summit.SystemName)));
        var proCurve = Read(Message("wireshark-lldp.pcap", 3));
        Assert.Equal(("00:13:21:57:ca:40", LldpPortKind.Local, "1", 120), (proCurve.ChassisText, proCurve.PortKind, proCurve.PortText, proCurve.TimeToLiveSeconds));
        var catalyst = Read(Message("LLDP_and_CDP.pcap", 3));
        // The port ID of this one is a description, and its kind says so.
        Assert.Equal((LldpPortKind.InterfaceAlias, "Uplink to S1", "S2.cisco.com"), (catalyst.PortKind, catalyst.PortText, LldpMessage.TextOf(catalyst.SystemName)));
        Assert.Equal((LldpPortKind.Local, "Fa0/13"), (Read(Message("LLDP_and_CDP.pcap", 4)).PortKind, Read(Message("LLDP_and_CDP.pcap", 4)).PortText));
    }

    [CaseTheory]
    [InlineData("connectx.pcap", 1)]
    [InlineData("lldp.pcap", 1)]
    [InlineData("wireshark-lldp.pcap", 2)]
    [InlineData("LLDP_and_CDP.pcap", 3)]
    public void What_is_written_again_reads_the_same(string capture, int frame)
    {
        var first = Read(Message(capture, frame));
        var octets = new byte[1500];
        var length = first.Write(octets);
        var second = Read(octets[..length]);
        Assert.Equal((first.ChassisKind, first.ChassisText, first.PortKind, first.PortText, first.TimeToLiveSeconds, first.PortVlan),
            (second.ChassisKind, second.ChassisText, second.PortKind, second.PortText, second.TimeToLiveSeconds, second.PortVlan));
        Assert.True(first.SystemDescription.SequenceEqual(second.SystemDescription));
        Assert.True(first.PortDescription.SequenceEqual(second.PortDescription));
        Assert.True(first.SystemName.SequenceEqual(second.SystemName));
    }

    [CaseFact]
    public void A_message_is_written_octet_by_octet_as_the_standard_draws_it()
    {
        var octets = new byte[64];
        var length = new LldpMessage
        {
            ChassisKind = LldpChassisKind.Local, ChassisId = "a"u8, PortKind = LldpPortKind.InterfaceName, PortId = "p1"u8, TimeToLiveSeconds = 120, PortVlan = 7,
        }.Write(octets);
        Assert.Equal("02020761" + "0403057031" + "06020078" + "fe060080c2010007" + "0000", Convert.ToHexStringLower(octets.AsSpan(0, length)));
    }

    [CaseFact]
    public void Every_truncation_is_either_refused_or_ends_between_two_tlvs()
    {
        var whole = Message("LLDP_and_CDP.pcap", 3);
        foreach (var cut in Mutations.Truncations(whole))
            if (!LldpMessage.TryRead(cut, out _, out var defect)) Assert.NotEqual(LldpDefect.None, defect);
        // Within the three mandatory TLVs nothing less than all is enough.
        for (var length = 0; length < 9 + 15 + 4; length++)
        {
            Assert.False(LldpMessage.TryRead(whole.AsSpan(0, length), out _, out var defect));
            Assert.Equal(LldpDefect.Truncated, defect);
        }
    }

    [CaseFact]
    public void Damaged_messages_never_throw()
    {
        foreach (var capture in new[] { ("lldp.pcap", 1), ("wireshark-lldp.pcap", 3), ("LLDP_and_CDP.pcap", 3) })
            foreach (var damaged in Mutations.Of(Message(capture.Item1, capture.Item2), seed: 88, count: 4000))
                if (LldpMessage.TryRead(damaged, out var message, out _))
                    Assert.DoesNotContain(string.Concat(message.ChassisText, message.PortText, LldpMessage.TextOf(message.SystemName)), char.IsControl);
    }

    [CaseFact]
    public void What_is_not_printable_does_not_come_through()
    {
        Assert.Equal("core [31mred", LldpMessage.TextOf("core \e[31mred\0\n"u8));
        Assert.Null(LldpMessage.TextOf(Encoding.UTF8.GetBytes("\0\0 ")));
    }

    [CaseFact]
    public void Vlan_tags_are_read_over_and_a_third_is_refused()
    {
        byte[] addresses = [0x01, 0x80, 0xC2, 0, 0, 0x0E, 0x52, 0x54, 0, 0, 0, 1];
        Assert.True(EthernetHeader.TryRead([.. addresses, 0x81, 0x00, 0x20, 0x64, 0x88, 0xCC], out var tagged, out _));
        Assert.Equal(new EthernetHeader(LldpMessage.NearestBridge, MacAddress.Parse("52:54:00:00:00:01"), 0x88CC, 100, 18), tagged);
        Assert.False(EthernetHeader.TryRead([.. addresses, 0x88, 0xA8, 0, 1, 0x81, 0, 0, 2, 0x81, 0, 0, 3, 8, 0], out _, out var defect));
        Assert.Equal(EthernetDefect.TooManyTags, defect);
        for (var length = 0; length < 18; length++)
        {
            Assert.False(EthernetHeader.TryRead(((byte[])[.. addresses, 0x81, 0, 0, 1, 8, 0]).AsSpan(0, length), out _, out defect));
            Assert.Equal(EthernetDefect.TooShort, defect);
        }
        var written = new byte[14];
        Assert.Equal(14, EthernetHeader.Write(written, tagged.Destination, tagged.Source, 0x88CC));
        Assert.Equal([.. addresses, 0x88, 0xCC], written);
    }
}
