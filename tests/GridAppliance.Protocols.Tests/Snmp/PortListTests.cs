using System.Text;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Testing;

namespace GridAppliance.Protocols.Tests.Snmp;

public sealed class PortListTests
{
    [Fact]
    public void Port_1_is_the_most_significant_bit_of_the_first_octet()
    {
        Assert.Equal([1, 8, 9, 24], new PortList([0x81, 0x80, 0x01]).Ports);
        Assert.Equal("818001", Convert.ToHexStringLower(PortList.Of([24, 9, 1, 8]).Octets));
    }

    [CaseFact]
    public void Published_examples_are_read_alike()
    {
        foreach (var example in SharedCases.Json("vectors/snmp-bitmaps.json").GetProperty("examples").EnumerateArray())
        {
            var octets = Convert.FromHexString(example.GetProperty("hex").GetString()!);
            var ports = example.GetProperty("portlist").EnumerateArray().Select(p => p.GetInt32()).ToList();
            Assert.Equal(ports, new PortList(octets).Ports);
            Assert.Equal(octets, PortList.Of(ports).Octets.ToArray());
        }
    }

    [Fact]
    public void Zero_octets_at_the_end_mean_nothing()
    {
        var trimmed = new PortList([0x40]);
        var padded = trimmed.PaddedTo(8);
        Assert.Equal(8, padded.Octets.Length);
        Assert.Equal(trimmed, padded);
        Assert.Equal(trimmed.GetHashCode(), padded.GetHashCode());
        Assert.Equal(default, new PortList([0, 0]));
        Assert.NotEqual(trimmed, new PortList([0x40, 1]));
        Assert.False(trimmed.Contains(4000));
    }

    [Fact]
    public void A_list_with_a_port_more_leaves_the_first_one_as_it_was()
    {
        var before = PortList.Of([1, 2]);
        var after = before.With(100).Without(1);
        Assert.Equal([1, 2], before.Ports);
        Assert.Equal([2, 100], after.Ports);
        Assert.Equal(13, after.Octets.Length);
    }

    [Theory]
    [InlineData("4106,0,4097,4099", new[] { 4097, 4099, 4106 })]
    [InlineData("0", new int[0])]
    [InlineData("", new int[0])]
    [InlineData("7, 12", new[] { 7, 12 })]
    [InlineData("7,12\0", new[] { 7, 12 })]
    public void The_text_that_junos_sends_for_a_list_is_read(string text, int[] ports)
    {
        Assert.True(PortList.TryReadText(Encoding.ASCII.GetBytes(text), out var list));
        Assert.Equal(ports, list.Ports);
    }

    [Theory]
    [InlineData("4106,")]
    [InlineData(",")]
    [InlineData("65536")]
    [InlineData("123456")]
    [InlineData("1;2")]
    [InlineData("\u00010")]
    public void What_is_not_such_a_text_is_refused(string text) => Assert.False(PortList.TryReadText(Encoding.Latin1.GetBytes(text), out _));

    [Fact]
    public void Damaged_texts_and_lists_never_throw_and_claim_no_port_that_is_not_there()
    {
        var text = "4106,0,4097,4099"u8.ToArray();
        foreach (var damaged in Mutations.Truncations(text).Concat(Mutations.Of(text, 4001, 20_000)))
            if (PortList.TryReadText(damaged, out var list)) Assert.All(list.Ports, port => Assert.InRange(port, 1, 65535));
        byte[] bits = [0x81, 0, 0x80, 0x01];
        foreach (var damaged in Mutations.Truncations(bits).Concat(Mutations.Of(bits, 4002, 5000)))
        {
            Assert.All(new PortList(damaged).Ports, port => Assert.InRange(port, 1, 8 * damaged.Length));
            Assert.All(VlanBits.Read(damaged, 3), vlan => Assert.InRange(vlan, 3072, 3072 + 8 * damaged.Length - 1));
        }
    }

    [Fact]
    public void A_trunks_vlans_count_from_zero()
    {
        Assert.Equal([2], VlanBits.Read(new byte[] { 0x20 }, 0));
        Assert.Equal([1024, 1031], VlanBits.Read(new byte[] { 0x81 }, 1));
        var octets = VlanBits.Write([1, 2, 1023, 1024, 4094], 0);
        Assert.Equal(128, octets.Length);
        Assert.Equal([1, 2, 1023], VlanBits.Read(octets, 0));
        Assert.Equal([4094], VlanBits.Read(VlanBits.Write([1, 4094], 3), 3));
    }
}
