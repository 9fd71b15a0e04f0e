using GridAppliance.Protocols.Addresses;
using GridAppliance.Testing;

namespace GridAppliance.Protocols.Tests.Addresses;

public sealed class AddressTests
{
    [Theory]
    [InlineData("52:54:00:aa:bb:0c")]
    [InlineData("52-54-00-AA-BB-0C")]
    [InlineData("5254.00aa.bb0c")]
    [InlineData("525400aabb0c")]
    public void A_mac_address_is_read_as_people_and_switches_write_it(string text)
    {
        var mac = MacAddress.Parse(text);
        Assert.Equal("52:54:00:aa:bb:0c", mac.ToString());
        Span<byte> octets = stackalloc byte[MacAddress.Length];
        mac.Write(octets);
        Assert.Equal("525400aabb0c", Convert.ToHexStringLower(octets));
        Assert.Equal(mac, MacAddress.Read(octets));
        Assert.Equal(mac, MacAddress.FromUInt64(mac.ToUInt64()));
        Span<byte> utf8 = stackalloc byte[17];
        Assert.True(mac.TryFormat(utf8, out var written, default, null) && written == 17 && utf8.SequenceEqual("52:54:00:aa:bb:0c"u8));
        Assert.False(mac.TryFormat(utf8[..16], out _, default, null));
    }

    [Theory]
    [InlineData("")]
    [InlineData("52:54:00:aa:bb")]
    [InlineData("52:54:00:aa:bb:0c:0d")]
    [InlineData("52:54:00:aa:bb:0c:")]
    [InlineData(":52:54:00:aa:bb:0c")]
    [InlineData("5:254:00:aa:bb:0c")]
    [InlineData("52:54:00:aa:bb:0g")]
    [InlineData("52 54 00 aa bb 0c")]
    public void What_is_no_mac_address_is_refused(string text) => Assert.False(MacAddress.TryParse(text, out _));

    [Fact]
    public void Group_addresses_are_told_from_a_nics_own()
    {
        Assert.True(MacAddress.Broadcast.IsMulticast);
        Assert.True(MacAddress.Parse("01:80:c2:00:00:0e").IsMulticast);
        Assert.False(MacAddress.Parse("52:54:00:aa:bb:0c").IsMulticast);
        Assert.True(default(MacAddress).IsZero);
    }

    [Theory]
    [InlineData("0.0.0.0", 0u)]
    [InlineData("10.77.0.1", 0x0A4D0001u)]
    [InlineData("255.255.255.255", 0xFFFFFFFFu)]
    public void An_address_is_its_four_octets_in_network_order(string text, uint value)
    {
        var address = Ipv4Address.Parse(text);
        Assert.Equal(value, address.Value);
        Assert.Equal(text, address.ToString());
        Span<byte> octets = stackalloc byte[Ipv4Address.Length];
        address.Write(octets);
        Assert.Equal(address, Ipv4Address.Read(octets));
        Assert.Equal(address, Ipv4Address.From(address.ToIPAddress()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("10.77.0")]
    [InlineData("10.77.0.1.2")]
    [InlineData("10.77.0.256")]
    [InlineData("10.77..1")]
    [InlineData("10.77.0.1 ")]
    [InlineData("-1.0.0.0")]
    [InlineData("0x0a.77.0.1")]
    public void What_is_no_address_is_refused(string text) => Assert.False(Ipv4Address.TryParse(text, out _));

    [Fact]
    public void A_network_knows_its_ends_and_what_lies_within()
    {
        var network = Ipv4Network.Parse("10.77.0.1/24");
        Assert.Equal(("10.77.0.0", "10.77.0.255", "10.77.0.1/24"), (network.Network.ToString(), network.DirectedBroadcast.ToString(), network.ToString()));
        Assert.True(network.Contains(Ipv4Address.Parse("10.77.0.200")) && !network.Contains(Ipv4Address.Parse("10.77.1.0")));
        Assert.True(network.Overlaps(Ipv4Network.Parse("10.0.0.0/8")) && !network.Overlaps(Ipv4Network.Parse("10.77.1.0/24")));
        Assert.True(Ipv4Network.Parse("0.0.0.0/0").Contains(Ipv4Address.Broadcast));
        Assert.Equal("255.255.255.255", Ipv4Network.Parse("10.77.0.1/32").Mask.ToString());
        foreach (var wrong in (string[])["10.77.0.1", "10.77.0.1/", "10.77.0.1/33", "10.77.0.1/-1", "10.77.0/24", "/24"]) Assert.False(Ipv4Network.TryParse(wrong, null, out _), wrong);
    }

    [Fact]
    public void A_range_goes_from_its_first_to_its_last()
    {
        var range = Ipv4Range.Parse("10.77.0.50-10.77.0.52");
        Assert.Equal((3L, "10.77.0.50-10.77.0.52"), (range.Count, range.ToString()));
        Assert.Equal(["10.77.0.50", "10.77.0.51", "10.77.0.52"], range.All().Select(a => a.ToString()));
        Assert.Single(Ipv4Range.Parse("255.255.255.255-255.255.255.255").All());
        foreach (var wrong in (string[])["10.77.0.52-10.77.0.50", "10.77.0.50", "10.77.0.50-", "-10.77.0.50", "a-b"]) Assert.False(Ipv4Range.TryParse(wrong, null, out _), wrong);
    }

    [Fact]
    public void Damaged_texts_never_throw_and_what_is_read_reads_the_same_again()
    {
        foreach (var good in (string[])["52:54:00:aa:bb:0c", "10.77.0.1", "10.77.0.1/24", "10.77.0.50-10.77.0.250"])
        {
            foreach (var octets in Mutations.Truncations([.. good.Select(c => (byte)c)]).Concat(Mutations.Of([.. good.Select(c => (byte)c)], 802, 5000)))
            {
                var text = System.Text.Encoding.Latin1.GetString(octets);
                if (MacAddress.TryParse(text, out var mac)) Assert.Equal(mac, MacAddress.Parse(mac.ToString()));
                if (Ipv4Address.TryParse(text, out var address)) Assert.Equal(address, Ipv4Address.Parse(address.ToString()));
                if (Ipv4Network.TryParse(text, null, out var network)) Assert.Equal(network, Ipv4Network.Parse(network.ToString()));
                if (Ipv4Range.TryParse(text, null, out var range)) Assert.Equal(range, Ipv4Range.Parse(range.ToString()));
            }
        }
    }
}
