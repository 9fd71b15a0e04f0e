using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Ndp;
using GridAppliance.Testing;

namespace GridAppliance.Protocols.Tests.Ndp;

public sealed class RouterAdvertisementTests
{
    static readonly MacAddress ours = MacAddress.Parse("52:54:00:12:34:56");

    /// <summary>A solicitation as a Linux host sends it: from its link-local address, with its MAC as an option.</summary>
    static byte[] Solicitation()
    {
        var frame = new byte[70];
        Convert.FromHexString("333300000002525400aa000186dd6000000000103afffe800000000000005054 00fffeaa0001ff020000000000000000000000000002850000000000000001 01525400aa0001".Replace(" ", "")).CopyTo(frame, 0);
        var checksum = NdpFrame.Checksum(frame.AsSpan(14, 40), frame.AsSpan(54));
        frame[56] = (byte)(checksum >> 8);
        frame[57] = (byte)checksum;
        return frame;
    }

    [Fact]
    public void It_offers_no_route_and_no_dhcpv6()
    {
        var frame = new byte[RouterAdvertisement.MaximumFrameLength];
        var length = new RouterAdvertisement { Router = ours }.Write(frame);
        Assert.Equal("3333000000015254001234 5686dd60000000 0018 3aff fe80000000000000505400fffe123456 ff020000000000000000000000000001".Replace(" ", ""), Convert.ToHexStringLower(frame.AsSpan(0, 54)));
        var icmp = frame.AsSpan(54..length);
        Assert.Equal("8600", Convert.ToHexStringLower(icmp[..2]));
        Assert.Equal("40000000" + "00000000" + "00000000" + "0101525400123456", Convert.ToHexStringLower(icmp[4..]));
        Assert.Equal(0, NdpFrame.Checksum(frame.AsSpan(14, 40), icmp));
    }

    [Fact]
    public void Prefix_and_mtu_follow_when_given()
    {
        var frame = new byte[RouterAdvertisement.MaximumFrameLength];
        var length = new RouterAdvertisement { Router = ours, Mtu = 1500, Prefix = new(new UInt128(0xFD77_0000_0000_0000, 0), 64, Autonomous: true, 3600, 1800) }.Write(frame);
        Assert.Equal(RouterAdvertisement.MaximumFrameLength, length);
        Assert.Equal("0501" + "0000" + "000005dc" + "0304" + "40c0" + "00000e10" + "00000708" + "00000000" + "fd770000000000000000000000000000", Convert.ToHexStringLower(frame.AsSpan(78..length)));
        Assert.Equal(0, NdpFrame.Checksum(frame.AsSpan(14, 40), frame.AsSpan(54..length)));
    }

    [Fact]
    public void A_solicitation_is_recognised()
    {
        Assert.True(NdpFrame.TryReadSolicitation(Solicitation(), out var sender, out _));
        Assert.Equal("52:54:00:aa:00:01", sender.ToString());
    }

    [CaseTheory]
    [InlineData("A_bios_ipxe_dnsmasq")]
    [InlineData("B_ovmf_pxe_dnsmasq")]
    public void Solicitations_of_real_firmware_are_read(string capture)
    {
        var seen = 0;
        foreach (var frame in PcapFile.Read(SharedCases.DhcpCapture(capture)))
        {
            if (!NdpFrame.TryReadSolicitation(frame.Data, out var sender, out _)) continue;
            Assert.Equal(MacAddress.Read(frame.Data.AsSpan(6)), sender);
            seen++;
            foreach (var cut in Mutations.Truncations(frame.Data)) NdpFrame.TryReadSolicitation(cut, out _, out _);
            foreach (var damaged in Mutations.Of(frame.Data, seed: frame.Number, count: 1000)) NdpFrame.TryReadSolicitation(damaged, out _, out _);
        }
        Assert.True(seen >= 5, $"{seen} solicitations in the capture");
    }

    [Theory]
    [InlineData(12, 0x08, NdpDefect.NotIcmpv6)]
    [InlineData(19, 0xFF, NdpDefect.BadLength)]
    [InlineData(21, 64, NdpDefect.NotFromThisLink)]
    [InlineData(54, 134, NdpDefect.NotRouterSolicitation)]
    [InlineData(57, 0x01, NdpDefect.BadChecksum)]
    public void Each_defect_is_named(int at, byte value, NdpDefect expected)
    {
        var frame = Solicitation();
        frame[at] = value;
        Assert.False(NdpFrame.TryReadSolicitation(frame, out _, out var defect));
        Assert.Equal(expected, defect);
    }

    [Fact]
    public void An_option_of_length_zero_ends_the_reading()
    {
        var frame = Solicitation();
        frame[63] = 0;
        frame[56] = frame[57] = 0;
        var checksum = NdpFrame.Checksum(frame.AsSpan(14, 40), frame.AsSpan(54));
        (frame[56], frame[57]) = ((byte)(checksum >> 8), (byte)checksum);
        Assert.False(NdpFrame.TryReadSolicitation(frame, out _, out var defect));
        Assert.Equal(NdpDefect.BadOption, defect);
    }

    [Fact]
    public void Truncated_and_damaged_solicitations_never_throw()
    {
        var good = Solicitation();
        foreach (var prefix in Mutations.Truncations(good)) Assert.False(NdpFrame.TryReadSolicitation(prefix, out _, out _));
        foreach (var damaged in Mutations.Of(good, seed: 4861, count: 5000)) NdpFrame.TryReadSolicitation(damaged, out _, out _);
    }
}
