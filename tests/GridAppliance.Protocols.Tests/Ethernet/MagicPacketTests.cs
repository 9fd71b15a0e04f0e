using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Ethernet;
using GridAppliance.Testing;

namespace GridAppliance.Protocols.Tests.Ethernet;

public sealed class MagicPacketTests
{
    static readonly MacAddress mac = MacAddress.Parse("52:54:00:12:34:56");

    static byte[] Packet()
    {
        var packet = new byte[MagicPacket.Length];
        Assert.Equal(MagicPacket.Length, MagicPacket.Write(packet, mac));
        return packet;
    }

    [Fact]
    public void The_pattern_is_six_octets_of_ones_and_the_address_sixteen_times() =>
        Assert.Equal("ffffffffffff" + string.Concat(Enumerable.Repeat("525400123456", 16)), Convert.ToHexStringLower(Packet()));

    [Fact]
    public void A_pattern_is_found_anywhere_and_half_of_one_nowhere()
    {
        var packet = Packet();
        Assert.True(MagicPacket.TryRead([1, 2, 3, 0xFF, .. packet, 9], out var read));
        Assert.Equal(mac, read);
        foreach (var cut in Mutations.Truncations(packet)) Assert.False(MagicPacket.TryRead(cut, out _));
        packet[^1] ^= 1;
        Assert.False(MagicPacket.TryRead(packet, out _));
    }

    [Fact]
    public void Damage_never_throws_and_wakes_nobody_else()
    {
        foreach (var damaged in Mutations.Of([1, 2, 3, .. Packet(), 9], 20213, 10_000))
            if (MagicPacket.TryRead(damaged, out var read)) Assert.Equal(mac, read);
    }
}
