using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Ethernet;
using GridAppliance.Protocols.Probes;
using GridAppliance.Testing;

namespace GridAppliance.Protocols.Tests.Probes;

public sealed class ProbeFrameTests
{
    const ulong Round = 0x1122_3344_5566_7788;
    static readonly MacAddress From = MacAddress.Parse("52:54:00:00:00:0a"), To = MacAddress.Parse("52:54:00:00:00:0b");

    static byte[] Frame(ProbeKind kind)
    {
        var frame = new byte[128];
        var length = kind switch
        {
            ProbeKind.Tagged => ProbeFrame.WriteTagged(frame, Round, From, 250),
            ProbeKind.DoubleTagged => ProbeFrame.WriteTagged(frame, Round, From, 100, 250),
            ProbeKind.Broadcast or ProbeKind.Unicast or ProbeKind.Arp or ProbeKind.NeighbourDiscovery => ProbeFrame.Write(frame, kind, Round, From, To),
        };
        return frame[..length];
    }

    public static TheoryData<ProbeKind> Kinds => [.. Enum.GetValues<ProbeKind>()];

    [Theory, MemberData(nameof(Kinds))]
    public void Every_kind_is_read_again_and_not_in_another_round(ProbeKind kind)
    {
        Assert.True(ProbeFrame.TryRead(Frame(kind), Round, out var heard));
        Assert.Equal(new(Round, From, kind), heard);
        Assert.False(ProbeFrame.TryRead(Frame(kind), Round + 2, out _));
    }

    [Fact]
    public void A_probe_whose_tags_a_switch_took_off_is_still_read()
    {
        var frame = Frame(ProbeKind.DoubleTagged);
        byte[] bare = [.. frame[..12], .. frame[20..]];
        Assert.True(ProbeFrame.TryRead(bare, Round, out var heard));
        Assert.Equal(ProbeKind.DoubleTagged, heard.Kind);
    }

    [Fact]
    public void The_arp_probe_is_arp_that_claims_nothing()
    {
        Assert.True(ArpPacket.TryRead(Frame(ProbeKind.Arp), out var packet, out _));
        Assert.Equal((ArpOperation.Request, From, Ipv4Address.Any, Ipv4Address.Parse("198.18.119.136")), (packet.Operation, packet.SenderMac, packet.SenderIp, packet.TargetIp));
    }

    [Fact]
    public void The_solicitation_is_as_rfc_4861_has_it() => Assert.Equal(
        // Written by hand; the checksum is that of RFC 4443 over fe80::1122:3344:5566:7788's solicited-node group, computed apart.
        "3333FF66778852540000000A86DD" + "6000000000183AFF" + "00000000000000000000000000000000" + "FF0200000000000000000001FF667788" + "8700" + Checksum() + "00000000" + "FE800000000000001122334455667788",
        Convert.ToHexString(Frame(ProbeKind.NeighbourDiscovery)));

    // All sixteen-bit words of pseudo-header and message, added with carries: 24 + 58 + ff02+1+ff66+7788 + 8700+fe80+1122+3344+5566+7788.
    static string Checksum()
    {
        var sum = 24u + 58 + 0xff02 + 1 + 0xff66 + 0x7788 + 0x8700 + 0xfe80 + 0x1122 + 0x3344 + 0x5566 + 0x7788;
        while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
        return $"{(ushort)~sum:X4}";
    }

    [Theory, MemberData(nameof(Kinds))]
    public void No_damage_makes_the_reader_throw(ProbeKind kind)
    {
        var frame = Frame(kind);
        foreach (var damaged in Mutations.Truncations(frame).Concat(Mutations.Of(frame, 17 + (int)kind, 3000))) ProbeFrame.TryRead(damaged, Round, out _);
    }
}
